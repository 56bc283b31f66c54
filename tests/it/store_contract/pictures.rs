//! The pictures of articles: kept once under their address, open to everybody only when an article was frozen with them.

use std::collections::BTreeSet;

use loa::{
    domain::picture::{PictureFormat, PictureHash},
    store::picture::KeptPicture,
};

use super::ground::{Ground, at};

pub(super) async fn a_picture_is_kept_and_is_open_once_it_was_frozen(ground: Ground) {
    let store = &ground.store;
    let (one, two) = (vec![0_u8, 255, 10, 39, 0], vec![7_u8; 1_000_000]);
    let [first, second] = [&one, &two].map(|bytes| PictureHash::of(bytes));
    let both = BTreeSet::from([first.clone(), second.clone()]);
    let missing = async || store.missing_pictures(&both).await.unwrap();
    assert_eq!(missing().await, both);
    assert_eq!(
        store.missing_pictures(&BTreeSet::new()).await.unwrap(),
        BTreeSet::new()
    );
    store
        .keep_picture(PictureFormat::Png, &one, at(1))
        .await
        .unwrap();
    assert_eq!(missing().await, BTreeSet::from([second.clone()]));
    // Again is the same.
    store
        .keep_picture(PictureFormat::Png, &one, at(2))
        .await
        .unwrap();
    store
        .keep_picture(PictureFormat::Jpeg, &two, at(2))
        .await
        .unwrap();
    assert_eq!(missing().await, BTreeSet::new());

    let kept = KeptPicture {
        format: PictureFormat::Png,
        data: one.into(),
    };
    assert_eq!(store.picture(&first).await.unwrap(), Some(kept.clone()));
    assert_eq!(
        store.frozen_picture(&first).await.unwrap(),
        None,
        "nobody published it"
    );
    let frozen = BTreeSet::from([first.clone()]);
    for second in [3, 4] {
        store.freeze_pictures(&frozen, at(second)).await.unwrap();
    }
    assert_eq!(store.frozen_picture(&first).await.unwrap(), Some(kept));
    assert_eq!(store.frozen_picture(&second).await.unwrap(), None);
    let large = store.picture(&second).await.unwrap().unwrap();
    assert_eq!(
        (large.format, large.data.len()),
        (PictureFormat::Jpeg, two.len())
    );
    let unknown = PictureHash::of(b"?");
    assert_eq!(store.picture(&unknown).await.unwrap(), None);
}
