//! Websites behave as measured, and the record tells the truth after a restart and after a kill.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};

use loa::simulator::{City, CityHandle, CityOptions, Effect, Fault, FaultOrder, Heard};

use tokio::task::JoinSet;

use super::{
    client,
    faults::{Seen, look},
    json_of, speak,
};

/// Tells the helper process where its record is.
const RECORD: &str = "LOA_TEST_CITY_RECORD";

async fn city_with(record: &Path) -> CityHandle {
    City::start(CityOptions {
        record: Some(record.to_owned()),
        ..CityOptions::default()
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_website_makes_twins_and_remembers_them_in_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("heard.jsonl");
    let client = client();
    let posts = |address: SocketAddr| format!("http://{address}/wp-json/wp/v2/posts");
    let create = |address| {
        client
            .post(posts(address))
            .basic_auth("loa", Some("aaaa bbbb"))
            .body(r#"{"title":"Cảnh giác","slug":"canh-giac","status":"publish","content":"<p>x</p>"}"#)
    };
    let city = city_with(&record).await;
    let site = city.device("ward.example").unwrap();
    assert_eq!(json_of(client.post(posts(site)).body("{}")).await.0, 401);
    // the answer is lost: the page is there all the same
    city.fault(
        FaultOrder::new("*", Fault::AcceptedThenLost)
            .method("POST")
            .times(1),
    )
    .await
    .unwrap();
    assert_eq!(look(create(site)).await, Seen::Reset);
    city.shutdown().await;

    let city = city_with(&record).await;
    assert_eq!(
        city.summary().total.published,
        1,
        "known before anybody asks for the device"
    );
    let site = city.device("ward.example").unwrap();
    let find = client.get(format!("{}?slug=canh-giac&status=any", posts(site)));
    let (status, found) = json_of(find.basic_auth("loa", Some("x"))).await;
    assert_eq!(
        (
            status,
            found[0]["id"].as_u64(),
            found[0]["title"]["rendered"].as_str()
        ),
        (200, Some(1), Some("Cảnh giác"))
    );
    let update = client
        .post(format!("{}/1", posts(site)))
        .basic_auth("loa", Some("x"))
        .body(r#"{"content":"y"}"#);
    assert_eq!(json_of(update).await.0, 200);
    let (status, twin) = json_of(create(site)).await;
    assert_eq!((status, twin["slug"].as_str()), (201, Some("canh-giac-2")));
    let total = city.summary().total;
    assert_eq!((total.published, total.updated, total.twins), (2, 1, 1));
    city.shutdown().await;

    let lines = std::fs::read_to_string(&record).unwrap();
    let effects: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str::<Heard>(line).unwrap().effect)
        .collect();
    assert_eq!(
        effects,
        [Effect::Published, Effect::Updated, Effect::Published]
    );
}

/// Not a test: the process that the next test kills.
#[test]
#[ignore = "only as a process of its own"]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent says where the record is"
)]
fn a_city_to_be_killed() {
    let Ok(record) = std::env::var(RECORD) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let options = CityOptions {
        record: Some(record.into()),
        ..CityOptions::default()
    };
    let ready = |control| eprintln!("control {control}");
    runtime
        .block_on(loa::simulator::serve_forever(
            options,
            ready,
            std::future::pending(),
        ))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_tells_the_truth_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let record = dir.path().join("heard.jsonl");
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args([
            "simulator::record::a_city_to_be_killed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(RECORD, &record)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let control: SocketAddr = lines
        .find_map(|line| {
            line.unwrap()
                .strip_prefix("control ")
                .map(|rest| rest.parse().unwrap())
        })
        .unwrap();
    let client = client();
    let order = client
        .post(format!("http://{control}/_city/devices"))
        .body(r#"{"host":"loud.example"}"#);
    let address: SocketAddr = json_of(order).await.1["address"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();

    // eight senders until the city dies under them
    let (answered, mut first) = tokio::sync::watch::channel(0);
    let mut senders = JoinSet::new();
    for sender in 0..8 {
        let (client, answered) = (client.clone(), answered.clone());
        senders.spawn(async move {
            let mut keys = Vec::new();
            for number in 0.. {
                let key = format!("{sender}-{number}");
                match speak(&client, address, &key, "x").send().await {
                    Ok(response) => assert_eq!(response.status(), 202),
                    Err(_) => break,
                }
                keys.push(key);
                answered.send_modify(|count| *count += 1);
            }
            keys
        });
    }
    first.wait_for(|count| *count >= 200).await.unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let answered = senders.join_all().await.concat();

    let city = city_with(&record).await;
    let summary = city.summary();
    let heard = summary.total.heard;
    let most = answered.len() as u64 + 8;
    assert!(
        (answered.len() as u64..=most).contains(&heard),
        "{heard} heard, {} answered",
        answered.len()
    );
    assert!(summary.doubled.is_empty());
    let lines = std::fs::read_to_string(&record).unwrap();
    let written: std::collections::BTreeSet<_> = lines
        .lines()
        .map(|line| serde_json::from_str::<Heard>(line).unwrap().key.unwrap())
        .collect();
    assert!(
        answered.iter().all(|key| written.contains(key)),
        "an answered broadcast is not on record"
    );
    // a key that was heard before the kill is known after it
    json_of(speak(
        &client,
        city.device("loud.example").unwrap(),
        &answered[0],
        "x",
    ))
    .await;
    assert_eq!(city.summary().doubled.len(), 1);
    city.shutdown().await;
}
