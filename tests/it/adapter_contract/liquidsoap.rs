//! Liquidsoap: a real one that runs the shipped script, reached by the shipped recipe.

use loa::{
    adapter::{
        Adapter, Failure,
        attempt::{Ending, NoNotes, attempt, look_after, probe},
        recipe::RecipeAdapter,
        transport::Transport,
    },
    domain::{
        bulletin::Priority,
        delivery::{Evidence, Reason},
        id::DeliveryId,
        message::Message,
    },
};

use super::{
    icecast::saying,
    instant,
    recipes::{adapter_with, parameters, shipped_one},
    transport::settings,
};
use crate::support::{
    icecast::{likeness, rising},
    liquidsoap::{KEY, Liquidsoap},
};

fn adapter(url: &str, key: &str) -> RecipeAdapter {
    let mut with = parameters();
    with.insert("url".into(), url.to_owned());
    with.insert("key".into(), key.to_owned());
    adapter_with(&shipped_one("liquidsoap"), &with)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_heard_over_what_plays_and_nothing_is_heard_twice() {
    let Some(server) = Liquidsoap::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let liquidsoap = adapter(&server.url, KEY);
    assert_eq!(
        probe(&liquidsoap, None, &transport, now).await,
        Some(Ok(()))
    );
    let stranger = adapter(&server.url, "sai-ma");
    assert!(matches!(
        probe(&stranger, None, &transport, now).await,
        Some(Err(_))
    ));
    let (long, mp3) = rising(6);
    let (urgent_said, urgent_mp3) = rising(2);
    let send = async |message: &Message| {
        let end = attempt(&liquidsoap, message, &NoNotes, &transport, now).await;
        match end.ending {
            Ending::Accepted(receipt) => (receipt.evidence, end.stopped),
            Ending::Failed(failure) => panic!("{failure:?}"),
        }
    };
    let first = saying("mot", &mp3);
    assert_eq!(
        send(&first).await,
        (Evidence::Accepted, None),
        "what has only begun is not heard"
    );
    while !server
        .state()
        .is_some_and(|state| state.contains(r#""playing":"mot""#))
    {}
    assert_eq!(server.sounds(), ["mot.loa"]);
    let urgent = Message {
        delivery: DeliveryId::from_text("khan"),
        priority: Priority::Emergency,
        preempts: true,
        ..saying("khan", &urgent_mp3)
    };
    assert_eq!(send(&urgent).await, (Evidence::Accepted, Some(true)));
    let began = server.heard().len();
    // Another attempt asks first, and is told that it is there.
    let again = Message {
        attempt: 2,
        ..first.clone()
    };
    assert!(liquidsoap.can_ask());
    assert_eq!(send(&again).await, (Evidence::Accepted, None));
    // It is heard while it plays: each look takes as long as an answer does.
    while server.heard().len() < began + 22_050 * 3 {
        assert!(server.state().is_some());
    }
    let heard = server.heard();
    let heard = &heard[began.saturating_sub(22_050 * 2)..];
    let like = likeness(&urgent_said, heard);
    assert!(like.0 > 0.8 && like.1 > 0.9, "{like:?}");
    // What was cut off did not go on.
    let gone = likeness(&long[22_050 * 4..], heard);
    assert!(gone.0 < 0.5, "{gone:?}");
    // It says which of them was heard to its end, and keeps the sound of neither.
    let state = server.state().unwrap();
    assert!(
        state.contains(r#""heard:khan""#) && !state.contains("heard:mot"),
        "{state}"
    );
    assert_eq!(server.sounds(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_folder_nothing_is_taken_and_a_probe_says_so() {
    let Some(server) = Liquidsoap::without_folder() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    let liquidsoap = adapter(&server.url, KEY);
    let probed = probe(&liquidsoap, None, &transport, now).await;
    let Some(Err(failure)) = &probed else {
        panic!("{probed:?}");
    };
    assert!(failure.detail().contains("503"), "{failure:?}");
    let (_, mp3) = rising(1);
    let end = attempt(&liquidsoap, &saying("mot", &mp3), &NoNotes, &transport, now).await;
    let Ending::Failed(failure) = end.ending else {
        panic!("it was taken");
    };
    assert!(
        matches!(failure, Failure::Retry { .. }) && failure.detail().contains("503"),
        "{failure:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_began_is_not_heard_again_after_a_restart_and_what_waited_may_be() {
    let Some(server) = Liquidsoap::start() else {
        return;
    };
    let transport = Transport::new(settings()).unwrap();
    let now = || instant("2024-03-25T05:30:00Z");
    // Long enough: one that was held up plays faster until it has caught up.
    let (_, mp3) = rising(180);
    let first = saying("mot", &mp3);
    let send = async |url: &str, message: &Message| {
        let end = attempt(&adapter(url, KEY), message, &NoNotes, &transport, now).await;
        match end.ending {
            Ending::Accepted(receipt) => (receipt.evidence, end.answer.unwrap_or_default()),
            Ending::Failed(failure) => panic!("{failure:?}"),
        }
    };
    assert_eq!(send(&server.url, &first).await.0, Evidence::Accepted);
    while !server
        .state()
        .is_some_and(|state| state.contains(r#""playing":"mot""#))
    {}
    let (evidence, state) = send(&server.url, &saying("hai", &mp3)).await;
    assert_eq!(evidence, Evidence::Accepted, "it waits");
    assert!(state.contains(r#""known":["hai","mot"]"#), "{state}");
    let server = tokio::task::spawn_blocking(|| server.restarted())
        .await
        .unwrap();
    let state = server.state().unwrap();
    let known = r#"{"playing":"","known":["cut:hai","cut:mot","mot"]}"#;
    assert!(
        state.ends_with(known),
        "both are over, and one of them was begun: {state}"
    );
    // The device says of each that it was not heard to its end.
    let liquidsoap = adapter(&server.url, KEY);
    let second = saying("hai", &mp3);
    for message in [&first, &second] {
        let asked = look_after(&liquidsoap, message, None, &transport, now).await;
        let reason = asked.map_err(|failure| failure.reason());
        assert_eq!(reason, Err(Reason::NotPlayed), "{}", message.delivery);
    }
    // Who asks first is told that it is there, and so is who does not, with what became of it.
    let again = Message {
        attempt: 2,
        ..first.clone()
    };
    assert_eq!(send(&server.url, &again).await.0, Evidence::Accepted);
    let end = attempt(&liquidsoap, &first, &NoNotes, &transport, now).await;
    assert!(
        matches!(&end.ending, Ending::Failed(Failure::Reject { .. })),
        "{end:?}"
    );
    // What was lost may be sent again, and is open then.
    assert_eq!(send(&server.url, &second).await.0, Evidence::Accepted);
    assert!(!server.state().unwrap().contains("cut:hai"));
}
