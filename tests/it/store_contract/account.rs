//! Accounts and their tokens: what is written over what.

use std::time::Duration;

use chrono::NaiveDate;
use loa::{
    domain::{id::AccountId, quota::Remaining, secret::Secret},
    store::account::{NewPair, NotRenewed},
};

use super::ground::{Ground, at};

const LIFE: Duration = Duration::from_hours(25);

fn id() -> AccountId {
    AccountId::zalo("12", "34")
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Tokens number `pair`, which came at `second`.
async fn authorise(ground: &Ground, pair: u32, second: u32) {
    let (access, refresh) = (secret(&format!("a{pair}")), secret(&format!("r{pair}")));
    let new = NewPair {
        access: &access,
        refresh: &refresh,
        now: at(second),
        life: LIFE,
    };
    ground.store.authorise(&id(), &new, "Lan").await.unwrap();
}

async fn renew(ground: &Ground, before: i64, pair: u32, second: u32) -> bool {
    let (access, refresh) = (secret(&format!("a{pair}")), secret(&format!("r{pair}")));
    let new = NewPair {
        access: &access,
        refresh: &refresh,
        now: at(second),
        life: LIFE,
    };
    ground
        .store
        .renew_account(&id(), before, &new)
        .await
        .unwrap()
}

async fn lease(ground: &Ground, pair: i64, node: &str, from: u32, until: u32) -> bool {
    let lease = (at(from), at(until));
    let account = id();
    let leased = ground
        .store
        .lease_account(&account, pair, node, lease, at(from));
    leased.await.unwrap()
}

pub(super) async fn a_pair_is_followed_by_the_next_and_by_no_other(ground: Ground) {
    assert_eq!(ground.store.account_of(&id()).await.unwrap(), None);
    authorise(&ground, 1, 10).await;
    let first = ground.store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!(
        (first.pair, first.access.expose(), first.refresh.expose()),
        (1, "a1", "r1")
    );
    assert_eq!((first.issued, first.expires), (at(10), at(10) + LIFE));
    assert_eq!(first.half_life(), at(10) + LIFE / 2);
    assert!(first.is_good(at(90_009)) && !first.is_good(at(90_010)));
    assert!(!format!("{first:?}").contains("a1"), "{first:?}");

    assert!(renew(&ground, 1, 2, 20).await);
    assert!(!renew(&ground, 1, 3, 30).await, "that pair was spent");
    let second = ground.store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!((second.pair, second.access.expose()), (2, "a2"));
    assert_eq!((second.person.as_str(), second.authorised), ("Lan", at(10)));

    // A person brings new ones; what is on its way for the old ones comes to nothing.
    assert!(lease(&ground, 2, "one", 40, 50).await);
    authorise(&ground, 7, 45).await;
    assert!(!renew(&ground, 2, 3, 46).await);
    let third = ground.store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!(
        (third.pair, third.access.expose(), third.spent),
        (3, "a7", None)
    );
    let events = ground
        .store
        .journal_of("account-authorised", 9)
        .await
        .unwrap();
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|line| line.detail == "zalo:12:34" && line.actor == "Lan"),
        "{events:?}"
    );
}

pub(super) async fn one_node_asks_at_a_time(ground: Ground) {
    authorise(&ground, 1, 10).await;
    assert!(lease(&ground, 1, "one", 20, 60).await);
    assert!(!lease(&ground, 1, "two", 59, 90).await);
    assert!(
        !lease(&ground, 1, "one", 59, 90).await,
        "nor the same node twice"
    );
    assert!(
        !lease(&ground, 2, "two", 70, 90).await,
        "there is no such pair"
    );
    assert!(lease(&ground, 1, "two", 60, 90).await);
    let holding = ground.store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!(
        holding.spent,
        Some(at(20)),
        "since the first may have spent it"
    );
    // The first was only slow: what it was given is the only pair there is.
    assert!(renew(&ground, 1, 2, 70).await);
    let holding = ground.store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!((holding.pair, holding.spent), (2, None));
    assert!(
        lease(&ground, 2, "two", 71, 90).await,
        "a new pair has no lease"
    );
}

pub(super) async fn trouble_stays_until_there_are_tokens(ground: Ground) {
    authorise(&ground, 1, 10).await;
    let not = |detail, refused, unspent| NotRenewed {
        detail,
        refused,
        next: at(500),
        unspent,
    };
    let store = &ground.store;
    assert!(lease(&ground, 1, "one", 20, 60).await);
    let stranger = not("zalo-x", true, true);
    store
        .not_renewed(&id(), 1, "two", &stranger, true, at(21))
        .await
        .unwrap();
    assert_eq!(
        store.account_of(&id()).await.unwrap().unwrap().trouble,
        None
    );
    let unclear = not("zalo-no-answer reason=reset", false, false);
    store
        .not_renewed(&id(), 1, "one", &unclear, false, at(22))
        .await
        .unwrap();
    let holding = store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!(holding.spent, Some(at(20)));
    assert!(!holding.is_refused() && holding.is_good(at(23)));
    assert!(
        lease(&ground, 1, "two", 30, 60).await,
        "the lease went with it"
    );
    let refused = not("zalo-refused code=-1", true, false);
    store
        .not_renewed(&id(), 1, "two", &refused, true, at(31))
        .await
        .unwrap();
    let holding = store.account_of(&id()).await.unwrap().unwrap();
    let trouble = holding.trouble.clone().unwrap();
    assert_eq!(
        (trouble.since, trouble.next, trouble.refused),
        (at(22), Some(at(500)), true)
    );
    assert_eq!(
        (holding.access.expose(), holding.refresh.expose()),
        ("a1", "r1"),
        "the good ones are still there"
    );
    let events = store.journal_of("account-refused", 9).await.unwrap();
    assert_eq!(events.len(), 1, "{events:?}");

    store
        .spoil_account(&id(), 9, None, "one", at(40))
        .await
        .unwrap();
    assert!(
        store
            .account_of(&id())
            .await
            .unwrap()
            .unwrap()
            .is_good(at(41)),
        "another pair"
    );
    store
        .spoil_account(&id(), 1, None, "one", at(40))
        .await
        .unwrap();
    assert!(
        !store
            .account_of(&id())
            .await
            .unwrap()
            .unwrap()
            .is_good(at(40))
    );
    authorise(&ground, 2, 50).await;
    let holding = store.account_of(&id()).await.unwrap().unwrap();
    assert_eq!(
        (holding.pair, holding.trouble, holding.spent),
        (2, None, None)
    );
    store
        .spoil_account(&id(), 2, Some("zalo-disowned"), "one", at(51))
        .await
        .unwrap();
    let holding = store.account_of(&id()).await.unwrap().unwrap();
    assert!(holding.is_refused() && !holding.is_good(at(51)));
    assert_eq!(holding.trouble.unwrap().next, None);
}

pub(super) async fn that_pairs_are_refused_is_known_until_a_call_is_taken(ground: Ground) {
    let store = &ground.store;
    let spoilt = async || store.account_of(&id()).await.unwrap().unwrap().spoilt;
    let spoil = async |pair, second| {
        let account = id();
        let spoiling = store.spoil_account(&account, pair, None, "one", at(second));
        spoiling.await.unwrap();
    };
    authorise(&ground, 1, 10).await;
    assert_eq!(spoilt().await, None);
    spoil(1, 20).await;
    assert!(renew(&ground, 1, 2, 30).await);
    assert_eq!(spoilt().await, Some(at(20)), "the next pair is under watch");
    store.account_taken(&id(), 1).await.unwrap();
    assert_eq!(spoilt().await, Some(at(20)), "that was another pair");
    store.account_taken(&id(), 2).await.unwrap();
    assert_eq!(spoilt().await, None);
    spoil(2, 40).await;
    assert!(renew(&ground, 2, 3, 50).await);
    spoil(3, 60).await;
    assert_eq!(spoilt().await, Some(at(40)), "since the first");
    authorise(&ground, 4, 70).await;
    assert_eq!(spoilt().await, None, "what a person brings is new");
}

pub(super) async fn what_remains_of_a_quota_is_what_was_read_last(ground: Ground) {
    let store = &ground.store;
    assert_eq!(store.remaining().await.unwrap(), []);
    let read = |product: &str, remain, total, until, second| Remaining {
        account: id(),
        product: product.to_owned(),
        remain,
        total,
        until,
        read: at(second),
    };
    let day = NaiveDate::from_ymd_opt(2024, 4, 30);
    let (first, other) = (
        read("promotion", 4, Some(4), day, 10),
        read("cs", u64::MAX, None, None, 20),
    );
    for one in [&first, &other] {
        store.note_remaining(one).await.unwrap();
    }
    let most = Remaining {
        remain: i64::MAX as u64,
        ..other
    };
    assert_eq!(store.remaining().await.unwrap(), [most.clone(), first]);
    let later = read("promotion", 0, None, None, 9);
    store.note_remaining(&later).await.unwrap();
    assert_eq!(store.remaining().await.unwrap(), [most, later]);
}
