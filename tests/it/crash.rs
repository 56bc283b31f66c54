//! kill -9 at arbitrary instants, on both databases: nothing is lost, nothing is heard twice, and what is in doubt says so.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use loa::simulator::{City, CityHandle, CityOptions, Fault, FaultOrder};

use crate::support::{cli::loa, postgres, workspace::Folder};

/// The daemon as a process of its own, led to a city of this test's.
fn daemon(folder: &Folder, database: &str, city: &CityHandle, until: &str) -> Child {
    let city = format!("http://{}", city.control());
    Command::new(env!("CARGO_BIN_EXE_loa"))
        .args([
            "run",
            "--no-web",
            "--speed",
            "5000",
            "--simulate",
            &city,
            "--until",
            until,
            "--database",
            database,
        ])
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn survive(folder: &Folder, database: &str) {
    let city = City::start(CityOptions::default()).await.unwrap();
    // Every call takes a while, so that a kill finds some of them under way.
    city.fault(FaultOrder::new("*", Fault::Slow { ms: 40 }))
        .await
        .unwrap();
    let until = "2024-03-27T12:00";
    let mut requests = city.requests();
    let mut seen = *requests.borrow();
    // The instants are those at which the city has heard so many more requests: during the first loudspeakers, between
    // lookup and publication of a website, in the middle of the chat, and so on through three days.
    for more in [1, 2, 3, 1, 4, 2, 3, 1, 5] {
        let mut process = daemon(folder, database, &city, until);
        let reached = requests.wait_for(|count| *count >= seen + more);
        if tokio::time::timeout(Duration::from_mins(1), reached)
            .await
            .is_err()
        {
            let _ = process.kill();
            panic!("the daemon sent nothing for a minute");
        }
        process.kill().unwrap();
        process.wait().unwrap();
        seen = *requests.borrow();
    }
    city.clear_faults().await.unwrap();
    let status = daemon(folder, database, &city, until).wait().unwrap();
    assert!(status.success(), "{status}");

    let arguments = ["--simulate", "--database", database, "--format", "json"];
    let verified = loa(&folder.path(), &[&["verify"], &arguments[..]].concat());
    assert_eq!(verified.code, 0, "{verified:?}");
    let log = loa(&folder.path(), &[&["log"], &arguments[..]].concat()).json();
    let summary = city.summary();
    let twice: Vec<_> = summary
        .doubled
        .iter()
        .filter(|doubled| doubled.host.starts_with("10."))
        .collect();
    assert!(
        twice.is_empty(),
        "loudspeakers that played twice: {twice:?}"
    );
    assert_eq!(summary.total.twins, 0, "a page was published twice");
    let rows = log.as_array().unwrap();
    let state = |row: &serde_json::Value| row["state"].as_str().unwrap().to_owned();
    // Three loudspeakers and two websites on three mornings, one chat.
    assert_eq!(rows.len(), 3 * 3 + 2 * 3 + 1);
    for row in rows {
        let expected: &[&str] = match row["kind"].as_str().unwrap() {
            "loudspeaker" => &["accepted", "unknown"],
            "website" => &["accepted", "confirmed"],
            _ => &["accepted"],
        };
        assert!(expected.contains(&state(row).as_str()), "{row}");
    }
    assert!(
        rows.iter().any(|row| state(row) == "unknown"),
        "no kill found a loudspeaker's call under way"
    );
    city.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_again_and_again_on_sqlite() {
    let folder = Folder::small();
    let database = folder.sqlite();
    survive(&folder, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_again_and_again_on_postgres() {
    let Some(database) = postgres::database().await else {
        return;
    };
    survive(&Folder::small(), &database).await;
}
