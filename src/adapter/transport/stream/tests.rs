//! Who makes room for whom.

use super::*;

#[tokio::test]
async fn an_emergency_takes_over_and_from_no_other() {
    for (is_urgent, on_air, is_cut) in [
        (true, false, true),
        (true, true, false),
        (false, false, false),
        (false, true, false),
    ] {
        let air = Air::default();
        let cut = CancellationToken::new();
        let (end, ended) = watch::channel(());
        // Whatever is there leaves at once.
        drop(end);
        let place = Place {
            is_urgent: on_air,
            cut: cut.clone(),
            ended,
        };
        air.on_air().insert("x".to_owned(), place);
        air.clear("x", is_urgent).await;
        assert_eq!(cut.is_cancelled(), is_cut, "{is_urgent} over {on_air}");
    }
}
