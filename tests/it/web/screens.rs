//! The page of a counter screen: over sockets, and in a browser that loses its network.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use fantoccini::{Client, Locator};
use loa::{
    domain::{
        bulletin::Format,
        channel::{AdapterConfig, ChannelKind, ScreenConfig},
        id::ChannelId,
        secret::SecretRef,
        time::Timestamp,
        workspace::Workspace,
    },
    web::{AskBoard, AskDark, TakeShowing},
};
use serde_json::{Value, json};

use super::city::{City, Names, Served, at, client};
use crate::support::{
    browser::{Driver, Screen, in_time, keep_picture},
    without,
};

/// What counter screens are told, and what they say; their key is [`SCREEN_KEY`].
#[derive(Default)]
pub(super) struct Screens {
    board: Mutex<String>,
    said: Mutex<Vec<String>>,
    dark: Mutex<Vec<(ChannelId, Option<Timestamp>)>>,
}

const SCREEN_KEY: &str = "khóa màn hình #1";

impl Screens {
    pub(super) fn board(self: &Arc<Self>) -> Arc<AskBoard> {
        let screens = self.clone();
        Arc::new(move |channel, key| {
            let is_known = channel == "man-hinh-hb" && key == SCREEN_KEY;
            let board = screens.board.lock().unwrap().clone();
            let answer = is_known.then_some(board).ok_or(StatusCode::UNAUTHORIZED);
            Box::pin(std::future::ready(answer))
        })
    }

    pub(super) fn showing(self: &Arc<Self>) -> Arc<TakeShowing> {
        let screens = self.clone();
        Arc::new(move |channel, key, body| {
            let mut answer = StatusCode::UNAUTHORIZED;
            if channel == "man-hinh-hb" && key == SCREEN_KEY {
                let text = String::from_utf8(body.to_vec()).unwrap();
                screens.said.lock().unwrap().push(text);
                answer = StatusCode::NO_CONTENT;
            }
            Box::pin(std::future::ready(answer))
        })
    }

    pub(super) fn dark(self: &Arc<Self>) -> Arc<AskDark> {
        let screens = self.clone();
        Arc::new(move || screens.dark.lock().unwrap().clone())
    }
}

const NOW: i64 = 1_711_319_400_000;

async fn city() -> City {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let mut workspace = Workspace::clone(&city.workspace.borrow());
    let mut channel = workspace.channels.values().next().unwrap().clone();
    channel.id = ChannelId::parse("man-hinh-hb").unwrap();
    channel.name = "Màn hình quầy Hưng Bình".into();
    channel.kind = ChannelKind::Sign;
    channel.format = Format::Sign;
    channel.adapter = AdapterConfig::Screen(ScreenConfig {
        key: SecretRef::Env("X".into()),
        stays: std::time::Duration::from_hours(24),
    });
    workspace.channels.insert(channel.id.clone(), channel);
    city.workspace.send_replace(Arc::new(workspace));
    city
}

fn sign(delivery: &str, text: &str, minutes: i64, urgent: bool) -> Value {
    let until = NOW + minutes * 60_000;
    json!({ "delivery": delivery, "title": format!("Tiêu đề {delivery}"), "text": text, "until": until, "urgent": urgent })
}

impl City {
    fn shows(&self, signs: &[Value]) {
        let board = json!({ "ward": "phường Hưng Bình", "now": NOW, "zone": "Asia/Ho_Chi_Minh", "signs": signs });
        *self.screens.board.lock().unwrap() = board.to_string();
    }
}

#[tokio::test]
async fn only_who_has_the_key_is_told_and_believed() {
    let city = city().await;
    city.shows(&[]);
    let served = city.serve().await;
    let page = served.get("/man-hinh/man-hinh-hb").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("Màn hình quầy Hưng Bình"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("onmouse") && page.headers.contains_key("content-security-policy"));
    for nowhere in [
        "/man-hinh/loa-hung-binh",
        "/man-hinh/khong-co",
        "/man-hinh/A",
        "/man-hinh/man-hinh-hb/x.js",
    ] {
        assert_eq!(served.get(nowhere).await.status, 404, "{nowhere}");
    }
    // By whatever name the counter knows it.
    let board = || {
        client()
            .get(served.url("/man-hinh/man-hinh-hb/bang"))
            .header("host", "loa.vinh.example")
    };
    let key = "kh%C3%B3a%20m%C3%A0n%20h%C3%ACnh%20%231";
    for (authorization, status) in [
        (None, 401),
        (Some(format!("Bearer {key}")), 200),
        (Some(format!("Bearer {key}x")), 401),
        (Some(format!("Basic {key}")), 401),
        (Some(format!("Bearer {}", "k".repeat(4_000))), 401),
    ] {
        let mut request = board();
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        assert_eq!(
            served.send(request).await.status,
            status,
            "{authorization:?}"
        );
    }
    let say = |key: &str, body: Vec<u8>| {
        let request = client()
            .post(served.url("/man-hinh/man-hinh-hb/dang-hien"))
            .body(body);
        served.send(request.header("authorization", format!("Bearer {key}")))
    };
    assert_eq!(say("x", b"{}".to_vec()).await.status, 401);
    assert_eq!(say(key, vec![b' '; 17 * 1024]).await.status, 413);
    assert!(city.screens.said.lock().unwrap().is_empty());
    assert_eq!(say(key, b"{}".to_vec()).await.status, 204);
    assert_eq!(*city.screens.said.lock().unwrap(), ["{}"]);
    served.shutdown.cancel();
}

#[tokio::test]
async fn the_page_of_today_names_screens_that_say_nothing() {
    let city = city().await;
    let served = city.serve().await;
    let id = ChannelId::parse("man-hinh-hb").unwrap();
    let said = "Màn hình quầy “Màn hình quầy Hưng Bình” không báo đang chiếu từ 05:20";
    assert!(!served.get("/").await.text.contains("Màn hình quầy"));
    *city.screens.dark.lock().unwrap() = vec![(id.clone(), Some(at("2024-03-25T05:20")))];
    assert!(served.get("/").await.text.contains(said));
    let ward = city.workspace.borrow().channels[&id].ward.clone();
    assert!(
        served
            .get(&format!("/?phuong={ward}"))
            .await
            .text
            .contains(said)
    );
    assert!(
        !served.get("/?phuong=vinh-tan").await.text.contains(said),
        "of another ward"
    );
    *city.screens.dark.lock().unwrap() = vec![(id, None)];
    assert!(
        served
            .get("/")
            .await
            .text
            .contains("Hãy mở trang /man-hinh/man-hinh-hb ở quầy")
    );
    served.shutdown.cancel();
}

/// Lets the page believe that so much time has passed.
async fn skip(client: &Client, milliseconds: u32) {
    let script = format!("window.skip({milliseconds})");
    client.execute(&script, Vec::new()).await.unwrap();
}

async fn opened(client: &Client, served: &Served) {
    let address = served.url("/man-hinh/man-hinh-hb#kh%C3%B3a%20m%C3%A0n%20h%C3%ACnh%20%231");
    client.goto(&address).await.unwrap();
    with_skips(client).await;
}

async fn with_skips(client: &Client) {
    let script = "let more = 0; const at = performance.now.bind(performance), day = Date.now;
        performance.now = () => at() + more; Date.now = () => day() + more; window.skip = (by) => { more += by; };";
    client.execute(script, Vec::new()).await.unwrap();
}

async fn text(client: &Client, selector: &str) -> String {
    let found = client.find(Locator::Css(selector)).await.unwrap();
    found.text().await.unwrap()
}

/// Waits until a place of the page says something.
async fn says(client: &Client, selector: &str, words: &str) {
    let script = "const [at, words] = arguments; return document.querySelector(at).textContent.includes(words)";
    loop {
        let is_so = client
            .execute(script, vec![json!(selector), json!(words)])
            .await
            .unwrap();
        if is_so == json!(true) {
            return;
        }
    }
}

/// Waits until the screen has said that these were in view.
async fn said(client: &Client, city: &City, shown: &[&str]) {
    loop {
        let said: Vec<Value> = city
            .screens
            .said
            .lock()
            .unwrap()
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        let names: Vec<&str> = said
            .iter()
            .flat_map(|said| said["shown"].as_array().unwrap())
            .map(|name| name.as_str().unwrap())
            .collect();
        if names.len() >= shown.len() {
            assert_eq!(names, shown, "each once, in the order of their turns");
            return;
        }
        // A word with the browser is time for it.
        client.execute("return 1", Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn signs_take_turns_and_stay_over_a_lost_network() {
    if without("chromium") {
        return;
    }
    in_time(async {
        let city = city().await;
        let long = "Cán bộ không thu lệ phí qua điện thoại. Ai gọi xưng là cán bộ thuế, công an rồi đòi cài ứng dụng, chuyển tiền đều là lừa đảo.";
        city.shows(&[sign("mot", long, 60, false), sign("hai", "Bảng hai", 60 * 20, false)]);
        let served = city.serve().await;
        let driver = Driver::start();
        let client = driver.open(Screen { width: 1280, height: 720, dark: false, script: true }).await;
        opened(&client, &served).await;
        says(&client, "#text", long).await;
        says(&client, "#ward", "phường Hưng Bình").await;
        says(&client, "#clock", "05:3").await;
        keep_picture(&client, "counter").await;
        let fits = "const box = document.querySelector('#sign'); return box.scrollHeight <= box.clientHeight && document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(client.execute(fits, Vec::new()).await.unwrap(), json!(true));
        assert!(city.screens.said.lock().unwrap().iter().all(|text| text.contains(r#""shown":[]"#)), "not in view long enough");
        skip(&client, 6_000).await;
        said(&client, &city, &["mot"]).await;
        skip(&client, 30_000).await;
        says(&client, "#text", "Bảng hai").await;
        skip(&client, 6_000).await;
        said(&client, &city, &["mot", "hai"]).await;

        city.shows(&[sign("ba", "Nước lên nhanh, lên chỗ cao ngay.", 60, true)]);
        skip(&client, 11_000).await;
        says(&client, "#text", "Nước lên nhanh").await;
        says(&client, "#note", "KHẨN CẤP").await;
        assert_eq!(client.find(Locator::Css("body")).await.unwrap().attr("class").await.unwrap().as_deref(), Some("urgent"));
        keep_picture(&client, "counter-urgent").await;
        city.shows(&[sign("bon", "Bảng bốn", 60, false), sign("hai", "Bảng hai", 60 * 20, false)]);
        skip(&client, 11_000).await;
        says(&client, "#text", "Bảng bốn").await;

        served.shutdown.cancel();
        served.task.await.unwrap().unwrap();
        skip(&client, 11_000).await;
        says(&client, "#note", "Mất kết nối; đây là các bảng lúc").await;
        says(&client, "#text", "Bảng").await;
        // Somebody pulls the plug and puts it back.
        client.refresh().await.unwrap();
        with_skips(&client).await;
        says(&client, "#text", "Bảng").await;
        says(&client, "#note", "Mất kết nối").await;
        // What may not be shown any more goes without being told.
        skip(&client, 61 * 60_000).await;
        says(&client, "#text", "Bảng hai").await;
        skip(&client, 12 * 60 * 60_000).await;
        says(&client, "#text", "các thông báo cũ không chiếu nữa").await;
        assert_eq!(text(&client, "#title").await, "");
        client.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_screen_with_a_wrong_key_says_so() {
    if without("chromium") {
        return;
    }
    in_time(async {
        let city = city().await;
        city.shows(&[sign("mot", "Bảng một", 60, false)]);
        let served = city.serve().await;
        let driver = Driver::start();
        let client = driver
            .open(Screen {
                width: 1280,
                height: 720,
                dark: false,
                script: true,
            })
            .await;
        client
            .goto(&served.url("/man-hinh/man-hinh-hb#sai"))
            .await
            .unwrap();
        says(&client, "#text", "chưa có khóa đúng").await;
        assert!(city.screens.said.lock().unwrap().is_empty());
        client.close().await.unwrap();
        served.shutdown.cancel();
    })
    .await;
}
