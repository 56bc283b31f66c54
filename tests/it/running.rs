//! `loa run` and `loa send` at their edges: where a simulated clock ends, and what is refused at the start, in words that help.

use std::{net::TcpListener, time::Instant};

use loa::store::{Store, World};

use crate::support::{
    cli::{Said, loa, was_taken},
    workspace::Folder,
};

fn run(folder: &Folder, arguments: &[&str]) -> Said {
    let fixed = ["run", "--no-web", "--simulate", "--speed", "100000"];
    loa(&folder.path(), &[&fixed[..], arguments].concat())
}

/// An address on loopback where nobody listens.
fn nobody() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_goes_on_exactly_where_it_ended() {
    let folder = Folder::small();
    let until = "2024-03-25T05:29:59";
    let said = run(&folder, &["--at", "2024-03-25T05:00", "--until", until]);
    assert_eq!(said.code, 0, "{said:?}");
    let database = format!(
        "sqlite:{}",
        folder.path().join(".loa/simulated.db").display()
    );
    let store = Store::open(&database, World::Simulated, false)
        .await
        .unwrap();
    let last = store.last_instant().await.unwrap().unwrap();
    store.close().await;
    let end = loa::domain::time::Timestamp::parse_rfc3339(&format!("{until}+07:00")).unwrap();
    assert_eq!(last, end, "nothing has a later stamp");

    let back = run(&folder, &["--at", "2024-03-25T05:29", "--until", "+1h"]);
    assert_eq!((back.code, back.out.as_str()), (2, ""), "{back:?}");
    let why = "đã chạy đến 25/03/2024 05:29:59, không quay lại 25/03/2024 05:29:00 được";
    assert!(back.err.contains(why), "{back:?}");

    assert_eq!(run(&folder, &["--until", "2024-03-25T06:30"]).code, 0);
    let log = loa(&folder.path(), &["log", "--simulate", "--format", "json"]).json();
    let rows = log.as_array().unwrap();
    assert_eq!(rows.len(), 6, "{log:#}");
    assert!(rows.iter().all(was_taken), "{log:#}");
}

#[test]
fn a_run_that_would_end_before_it_begins_is_wrong_usage() {
    let folder = Folder::small();
    let said = run(
        &folder,
        &["--at", "2024-03-25T10:30", "--until", "2024-03-25T04:00"],
    );
    assert_eq!(said.code, 2, "{said:?}");
    assert!(
        said.err
            .contains("mốc dừng (25/03/2024 04:00) phải sau lúc bắt đầu (25/03/2024 10:30)"),
        "{said:?}"
    );
    assert_eq!(said.out, "");
}

#[test]
fn a_city_that_is_not_there_is_said_at_the_start() {
    let folder = Folder::small();
    let address = nobody();
    let city = format!("--simulate=http://{address}");
    let arguments = ["run", "--no-web", &city, "--until", "+1h"];
    let said = loa(&folder.path(), &arguments);
    assert_eq!(said.code, 2, "{said:?}");
    let mend = format!("loa simulate --listen {address}");
    assert!(said.err.contains(&mend), "{said:?}");
    let said = loa(
        &folder.path(),
        &[&arguments[..], &["--lang", "en"]].concat(),
    );
    assert!(said.err.contains("no simulated city answers"), "{said:?}");
}

#[test]
fn a_database_that_is_not_there_is_said_at_once_and_without_the_password() {
    let folder = Folder::small();
    let address = nobody();
    let url = format!("postgres://loa:m4tkh4u@{address}/loa");
    let begun = Instant::now();
    let said = loa(&folder.path(), &["log", "--database", &url]);
    assert!(begun.elapsed().as_secs() < 9, "{:?}", begun.elapsed());
    assert_eq!(said.code, 2, "{said:?}");
    for part in [
        &format!("cơ sở dữ liệu {address}/loa"),
        "không có máy chủ PostgreSQL nào nhận kết nối",
        "sau --database",
    ] {
        assert!(said.err.contains(part), "{part}: {said:?}");
    }
    for part in ["m4tkh4u", "refused"] {
        assert!(!said.err.contains(part), "{part}: {said:?}");
    }
}

#[test]
fn a_send_into_a_simulation_says_when_it_goes_and_that_it_was_there() {
    let folder = Folder::small();
    let morning = ["--at", "2024-03-25T05:00", "--until", "2024-03-25T05:05"];
    assert_eq!(run(&folder, &morning).code, 0);
    let send = || {
        let to = ["send", "hai", "--simulate", "--to", "kind:loudspeaker"];
        loa(
            &folder.path(),
            &[&to[..], &["--by", "Lan", "--reason", "thử"]].concat(),
        )
    };
    let first = send();
    assert!(first.out.contains("Đã xếp 3 lượt gửi"), "{first:?}");
    assert!(
        first.out.contains("bây giờ là 25/03/2024 05:05") && !first.out.contains("trong vài giây"),
        "{first:?}"
    );
    let again = send();
    assert!(
        again.out.contains("3 lượt gửi này đã được xếp từ trước"),
        "{again:?}"
    );
}

#[test]
fn the_log_says_that_nothing_was_running() {
    let folder = Folder::small();
    let until = |until| run(&folder, &["--until", until]);
    assert_eq!(until("2024-03-25T05:27").code, 0);
    assert_eq!(
        run(&folder, &["--at", "2024-03-25T09:30", "--until", "+1m"]).code,
        0
    );
    let said = loa(&folder.path(), &["log", "--simulate"]);
    assert!(
        said.out.contains("Hệ thống ngừng chạy từ 05:27 đến 09:30"),
        "{}",
        said.out
    );
}

#[test]
fn a_database_of_the_other_world_is_said_in_the_readers_language() {
    let folder = Folder::small();
    assert_eq!(run(&folder, &["--until", "2024-03-25T05:00:01"]).code, 0);
    let simulated = format!(
        "sqlite:{}",
        folder.path().join(".loa/simulated.db").display()
    );
    let table = [
        ("vi", "Đây là cơ sở dữ liệu của mô phỏng"),
        ("en", "Add --simulate"),
    ];
    for (lang, expected) in table {
        let said = loa(
            &folder.path(),
            &["log", "--database", &simulated, "--lang", lang],
        );
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    let said = loa(&folder.path(), &["log", "--database", "mysql://nobody"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("phải bắt đầu bằng `sqlite:`"), "{said:?}");
}

#[test]
fn a_mistake_in_a_file_keeps_nobody_from_the_record() {
    let folder = Folder::small();
    assert_eq!(run(&folder, &["--until", "2024-03-25T06:30"]).code, 0);
    let simulated =
        |arguments: &[&str]| loa(&folder.path(), &[arguments, &["--simulate"]].concat());
    let whole = simulated(&["log", "--format", "json"]).json();
    let id = whole[0]["delivery"].as_str().unwrap();
    folder.amend("channels/kenh.yaml", "zzz: [\n");
    assert_eq!(simulated(&["check"]).code, 1);

    let said = simulated(&["log", "--format", "json"]);
    assert_eq!((said.code, said.json()), (0, whole.clone()), "{said:?}");
    assert!(
        said.err.contains("Bộ nội dung có lỗi (xem `loa check`)"),
        "{said:?}"
    );
    let (ward, channel) = (
        whole[0]["ward"].as_str().unwrap(),
        whole[0]["channel"].as_str().unwrap(),
    );
    assert_eq!(
        simulated(&["log", "--ward", ward, "--channel", channel]).code,
        0
    );
    assert_eq!(simulated(&["log", "--ward", "la"]).code, 2);
    assert_eq!(simulated(&["verify"]).code, 0);
    assert_eq!(
        simulated(&["reconcile", id, "--heard", "--by", "Lan"]).code,
        0
    );
    let log = simulated(&["log", "--channel", channel]).out;
    assert!(
        log.contains("Lan xác nhận đã nghe thấy, ghi lúc 25/03/2024"),
        "{log}"
    );
    let channel = format!("channel:{channel}");
    let words = ["--until", "+1h", "--by", "Lan", "--reason", "hỏng"];
    assert_eq!(
        simulated(&[&["pause", &channel], &words[..]].concat()).code,
        0
    );
    assert_eq!(simulated(&["pauses"]).code, 0);
    // Which database it is stands in the settings.
    folder.amend("loa.yaml", "zzz: [\n");
    assert_eq!(simulated(&["log"]).code, 1);
}

#[test]
fn values_that_do_not_do_are_refused_with_those_that_do() {
    let folder = Folder::small();
    let table: [(&[&str], &str); 6] = [
        (&["log", "--state", "bad"], "accepted, confirmed"),
        (&["cron", "0 5 * * *", "-n", "0"], "Số này từ 1 đến 1000."),
        (
            &["cron", "0 5 * * *", "--zone", "Europe/Berln"],
            "`Europe/Berlin`",
        ),
        (&["run", "--speed", "x"], "Số này từ 0.1 đến 100000."),
        (&["run", "--log-format", "xml"], "text, json"),
        (
            &["speech", "read", "a", "--dialect", "east"],
            "north, central, south",
        ),
    ];
    for (arguments, expected) in table {
        let said = loa(&folder.path(), arguments);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
}

#[test]
fn only_a_run_makes_a_database_that_was_named() {
    let folder = Folder::small();
    let before = |folder: &Folder| std::fs::read_dir(folder.path()).unwrap().count();
    let files = before(&folder);
    let mistyped = folder.path().join("nowhere/deep/mistyped.db");
    let named = format!("sqlite:{}", mistyped.display());
    let because = ["--by", "Trần Thị Mai", "--reason", "Thử", "--simulate"];
    let because = |arguments: &[&'static str]| [arguments, &because].concat();
    let writing = [
        because(&["send", "mot", "--to", "all"]),
        because(&["pause", "all", "--until", "+2h"]),
        because(&["resume", "1"]),
        because(&["retract", "mot"]),
    ];
    let reading: [&[&str]; 7] = [
        &["airtime", "--simulate"],
        &["log"],
        &["verify"],
        &["pauses"],
        &["verify", "--simulate"],
        &["plan", "--simulate"],
        &["policy", "--ward", "hung-binh", "--simulate"],
    ];
    for arguments in reading.into_iter().chain(writing.iter().map(Vec::as_slice)) {
        let said = loa(
            &folder.path(),
            &[arguments, &["--database", &named]].concat(),
        );
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        let expected = format!("Không có cơ sở dữ liệu {}", mistyped.display());
        assert!(said.err.contains(&expected), "{said:?}");
    }
    folder.wants_approval();
    let approve = ["approve", "mot", "--by", "Trần Thị Mai", "--hash", "00"];
    let said = loa(
        &folder.path(),
        &[&approve[..], &["--database", &named]].concat(),
    );
    assert!(said.err.contains("Không có cơ sở dữ liệu"), "{said:?}");
    let english = ["log", "--lang", "en", "--database", &named];
    let said = loa(&folder.path(), &english);
    assert!(said.err.contains("There is no database"), "{said:?}");

    // The workspace's own is not mistyped; nothing has run yet.
    for (arguments, expected) in [
        (&["log"][..], "chạy `loa run` trước"),
        (&["verify", "--simulate"], "chạy `loa run --simulate` trước"),
    ] {
        let said = loa(&folder.path(), arguments);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    // What is to come needs no record.
    assert_eq!(loa(&folder.path(), &["plan", "--simulate"]).code, 0);
    assert_eq!(before(&folder), files, "nothing was made");
}

#[test]
fn a_range_that_ends_before_it_begins_is_refused() {
    let folder = Folder::small();
    assert_eq!(run(&folder, &["--until", "2024-03-25T06:30"]).code, 0);
    for arguments in [
        ["log", "--since", "2024-03-26", "--until", "2024-03-25"],
        ["verify", "--from", "2024-03-26", "--to", "2024-03-25"],
    ] {
        let said = loa(&folder.path(), &[&arguments[..], &["--simulate"]].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        let expected = "Mốc cuối (25/03/2024 00:00) phải sau mốc đầu (26/03/2024 00:00)";
        assert!(said.err.contains(expected), "{said:?}");
    }
}

/// A sentence of ours, the file's name, and nothing of a password.
#[test]
fn what_is_wrong_with_a_database_is_said_with_its_name() {
    let folder = Folder::small();
    let path = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    folder.write(
        "text.db",
        "Đây không phải cơ sở dữ liệu, và đủ dài để thấy.",
    );
    folder.write("empty.db", "");
    std::fs::create_dir(folder.path().join("folder.db")).unwrap();
    let of_file = [
        ("text.db", "không phải là cơ sở dữ liệu SQLite"),
        ("folder.db", "Không mở được tệp cơ sở dữ liệu"),
        ("empty.db", "còn trống, chưa có nhật ký nào"),
        (
            "text.db/x.db",
            "text.db: đã có tệp hoặc thư mục mang tên ấy",
        ),
    ];
    for (name, expected) in of_file {
        let command = if name.contains('/') { "run" } else { "log" };
        let said = loa(&folder.path(), &[command, "--database", &path(name)]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
        assert!(
            said.err.contains("text.db") || said.err.contains(name),
            "{said:?}"
        );
    }
    assert!(
        std::fs::read(folder.path().join("empty.db"))
            .unwrap()
            .is_empty(),
        "nothing was made"
    );

    let unescaped = "phải viết bằng mã: / là %2F";
    let of_server = [
        ("postgres://loa:hunter/2@127.0.0.1:9/loa", unescaped),
        ("postgres://loa:1/hunter@127.0.0.1:9/loa", unescaped),
        ("postgres://loa:1#hunter@127.0.0.1:9/loa", unescaped),
        ("postgres://loa:1?hunter@127.0.0.1:9/loa", unescaped),
        ("postgres://loa:1?hunter=2@127.0.0.1:9/loa", unescaped),
        ("postgres://loa:a@hunter/2@127.0.0.1:9/loa", unescaped),
        (
            "postgres://loa:hunter@127.0.0.1:x/loa",
            "Hãy viết như postgres://",
        ),
        (
            "postgres://loa:hunter@127.0.0.1:9/loa",
            "127.0.0.1:9/loa: không có máy chủ PostgreSQL",
        ),
        (
            "postgres://loa@127.0.0.1:9/loa?user=a@b",
            "127.0.0.1:9/loa: không có máy chủ PostgreSQL",
        ),
        (
            "mysql://loa:hunter@127.0.0.1/loa",
            "phải bắt đầu bằng `sqlite:`",
        ),
    ];
    for (address, expected) in of_server {
        let said = loa(&folder.path(), &["log", "--database", address]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(expected), "{address}: {said:?}");
        assert!(!said.err.contains("hunter"), "{address}: {said:?}");
    }
}
