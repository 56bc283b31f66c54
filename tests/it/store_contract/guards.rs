//! What the store refuses.

use loa::{
    domain::{delivery::State, message::ContentHash},
    store::{LogFilter, Order, Store, StoreError, World, defect::Defect},
};

use super::ground::{Ground, accepted, at, planned};

pub(super) async fn worlds_are_kept_apart(ground: Ground) {
    let error = Store::open(&ground.url, World::Simulated, false)
        .await
        .unwrap_err();
    let expected = StoreError::WrongWorld {
        expected: World::Simulated,
        found: World::Real,
    };
    assert_eq!(error.to_string(), expected.to_string());
    assert!(matches!(
        error,
        StoreError::WrongWorld {
            expected: World::Simulated,
            found: World::Real
        }
    ));
    ground
        .meddle("UPDATE meta SET value = 'dream' WHERE key = 'world'")
        .await
        .unwrap();
    let error = Store::open(&ground.url, World::Real, false)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                table: "meta",
                column: "value",
                ..
            }
        ),
        "{error:?}"
    );
}

pub(super) async fn what_is_on_record_stays(ground: Ground) {
    ground.ready(&[planned("web-1", 100)]).await;
    let claimed = ground.claim_one(at(100)).await;
    ground.turn(at(105), &[accepted(&claimed)], 0).await;
    ground
        .store
        .journal("started", None, "a", "", at(1))
        .await
        .unwrap();
    for sql in [
        "UPDATE journal SET detail = 'x'",
        "DELETE FROM journal",
        "UPDATE attempt SET outcome = 'rejected'",
        "DELETE FROM attempt",
    ] {
        let error = ground.meddle(sql).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    if ground.is_postgres() {
        ground.meddle("TRUNCATE journal").await.unwrap_err();
    }
    assert_eq!(ground.store.journal_rows(None, 10).await.unwrap().len(), 1);
    assert_eq!(ground.store.attempts(&claimed.id).await.unwrap().len(), 1);
}

pub(super) async fn rows_that_mean_nothing(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    let table = [
        ("ward", "'Not An Id'", "'hung-binh'"),
        ("channel", "''", "'web-1'"),
        ("bulletin", "'ữ'", "'gia-danh'"),
        ("reason", "'whim'", "NULL"),
        ("attempt", "-1", "0"),
        ("attempt", "5000000000", "0"),
    ];
    let set = async |column: &str, value: &str| {
        assert_eq!(
            ground
                .meddle(&format!("UPDATE delivery SET {column} = {value}"))
                .await
                .unwrap(),
            1
        );
    };
    for (name, bad, good) in table {
        set(name, bad).await;
        let error = ground.store.delivery(&delivery.id).await.unwrap_err();
        let StoreError::Corrupt { table, column, id } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (table, column, id.as_str()),
            ("delivery", name, delivery.id.as_str())
        );
        ground
            .store
            .log(&LogFilter::default(), Order::OldestFirst, None, 1)
            .await
            .unwrap_err();
        set(name, good).await;
    }
    ground.store.delivery(&delivery.id).await.unwrap();
    ground
        .meddle("UPDATE content SET json = '{}'")
        .await
        .unwrap();
    let hash: ContentHash = ground.row(&delivery.id).await.content_hash.unwrap();
    let error = ground.store.contents(&[hash]).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                table: "content",
                column: "json",
                ..
            }
        ),
        "{error:?}"
    );
}

pub(super) async fn words_are_checked(ground: Ground) {
    ground.ready(&[planned("web-1", 100)]).await;
    for change in [
        "state = 'flying'",
        "state = 'accepted'",
        "unfinished = FALSE",
        "kind = 'x'",
        "format = 'x'",
        "mode = 'x'",
        "priority = 'x'",
        "evidence = 'x'",
        "due_us = 'soon'",
        "ward = NULL",
    ] {
        ground
            .meddle(&format!("UPDATE delivery SET {change}"))
            .await
            .expect_err(change);
    }
    // A channel does one thing at a time, whatever the program thinks.
    ground.ready(&[planned("web-1", 200)]).await;
    ground
        .meddle("UPDATE delivery SET state = 'sending'")
        .await
        .unwrap_err();
}

pub(super) async fn opening_again_changes_nothing(ground: Ground) {
    let delivery = planned("web-1", 100);
    ground.ready(std::slice::from_ref(&delivery)).await;
    ground.store.close().await;
    ground.store.ping().await.unwrap_err();
    let again = Store::open(&ground.url, World::Real, true).await.unwrap();
    assert_eq!(
        again.delivery(&delivery.id).await.unwrap().unwrap().state,
        State::Ready
    );
    // A reader sees what a writer has committed, at once.
    let reader = ground.another().await;
    again
        .end_unbegun(
            &[delivery.id.clone()],
            State::Cancelled,
            loa::domain::delivery::Reason::ByHand,
            "",
            at(1),
        )
        .await
        .unwrap();
    assert_eq!(
        reader.delivery(&delivery.id).await.unwrap().unwrap().state,
        State::Cancelled
    );
}

pub(super) async fn addresses(ground: Ground) {
    for address in ["", "mysql://x", "loa.db"] {
        let error = Store::open(address, World::Real, false).await.unwrap_err();
        assert!(matches!(error, StoreError::Scheme), "{address}: {error:?}");
    }
    if let Some(directory) = &ground.directory {
        // Names that are special in addresses are plain in paths.
        let odd = directory.path().join("a b%20?mode=ro#x.db");
        Store::open(&format!("sqlite://{}", odd.display()), World::Real, false)
            .await
            .unwrap();
        assert!(odd.exists());
        // A file in the place of a directory.
        let under = odd.join("loa.db");
        let error = Store::open(&format!("sqlite:{}", under.display()), World::Real, false)
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::File { .. }), "{error:?}");
        std::fs::write(
            directory.path().join("text"),
            "This is not a database, and quite long enough to see.",
        )
        .unwrap();
        let text = format!("sqlite:{}", directory.path().join("text").display());
        let error = Store::open(&text, World::Real, false).await.unwrap_err();
        assert!(matches!(error, StoreError::Connect { .. }), "{error:?}");
        assert_eq!(
            error.defect().map(|found| found.0),
            Some(Defect::NotADatabase)
        );
    } else {
        let error = Store::open("postgres:///nothing?host=/nonexistent", World::Real, false)
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    }
}

/// Whoever only reads makes nothing: not in a database without our tables, and not where there is none.
pub(super) async fn records(ground: Ground) {
    let reader = Store::open_record(&ground.url, World::Real).await.unwrap();
    reader.ping().await.unwrap();
    let empty = ground.empty().await;
    for _ in 0..2 {
        let error = Store::open_record(&empty, World::Real).await.unwrap_err();
        assert!(matches!(error, StoreError::Empty), "{error:?}");
    }
    Store::open(&empty, World::Real, false).await.unwrap();
    Store::open_record(&empty, World::Real).await.unwrap();
}

pub(super) async fn locks(ground: Ground) {
    assert_eq!(ground.store.is_exclusive(), !ground.is_postgres());
    let second = Store::open(&ground.url, World::Real, true).await;
    if ground.is_postgres() {
        second.unwrap();
        return;
    }
    let error = second.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    // The tokens of accounts stand in the file, and in what SQLite lays beside it.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = ground.directory.as_ref().unwrap().path().join("deep");
        let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let open: Vec<_> = files
            .filter(|file| !file.file_name().to_string_lossy().ends_with(".lock"))
            .map(|file| {
                (
                    file.file_name(),
                    file.metadata().unwrap().permissions().mode(),
                )
            })
            .filter(|(_, mode)| mode & 0o077 != 0)
            .collect();
        assert!(open.is_empty(), "others may read {open:?}");
    }
    ground.another().await.ping().await.unwrap();
    ground.store.close().await;
    Store::open(&ground.url, World::Real, true).await.unwrap();
}
