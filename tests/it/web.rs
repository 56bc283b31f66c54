//! The pages, over a real store and real sockets.

mod articles;
mod browse;
mod calendar;
mod city;
mod connections;
mod live;
mod notices;
mod pages;
mod pictures;
mod reports;
mod screens;

use std::time::Duration;

use city::{City, HOSTILE, Names, client, delivery};
use reqwest::{Method, header};

/// The most that a page may weigh.
const PAGE: usize = 60 * 1024;

/// Addresses in a page that begin with `prefix`, in their order.
fn links(html: &str, prefix: &str) -> Vec<String> {
    let parts = html
        .split("href=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next());
    let plain = parts.map(|link| link.replace("&amp;", "&").replace("&#x2F;", "/"));
    plain.filter(|link| link.starts_with(prefix)).collect()
}

fn assert_page(text: &str, lang: &str) {
    assert!(text.starts_with("<!doctype html>"));
    assert!(
        text.contains(&format!("<html lang=\"{lang}\">")),
        "the page is in {lang}"
    );
    for area in ["[web.", "[state.", "[reason."] {
        assert!(
            !text.contains(area),
            "a word is missing: {:.60}",
            text.split(area).nth(1).unwrap_or_default()
        );
    }
    assert!(text.len() <= PAGE, "{} bytes", text.len());
    for tag in ["<main", "<h1>", "<nav", "<header>", "<footer>"] {
        assert!(text.contains(tag), "{tag}");
    }
    assert_eq!(text.matches("<h1>").count(), 1);
}

#[tokio::test]
async fn the_three_pages_speak_both_languages() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let one = format!("/luot/{}", delivery("2024-03-25T05:30", "loa-cua-nam"));
    for (path, vi, en) in [
        ("/", "Hôm nay, Thứ Hai 25/3", "Today, Monday 25 March"),
        ("/nhat-ky", "Nhật ký phát", "Log of broadcasts"),
        (
            one.as_str(),
            "Loa Cửa Nam: 05:30, Thứ Hai 25/3",
            "Loa Cửa Nam: 05:30, Monday 25 March",
        ),
    ] {
        let page = served.get(path).await;
        assert_eq!(page.status, 200);
        assert_page(&page.text, "vi");
        assert!(page.text.contains(vi), "{path}");
        assert!(page.text.contains("MÔ PHỎNG – không có loa nào phát thật"));
        let page = served.get(&format!("{path}?lang=en")).await;
        assert_eq!(page.status, 200);
        assert_page(&page.text, "en");
        assert!(page.text.contains(en), "{path}");
        for link in links(&page.text, "/")
            .iter()
            .filter(|link| !link.starts_with("/tai-san/"))
        {
            let other = link.as_str() == path;
            assert!(
                other || link.contains("lang=en"),
                "{link} on {path} forgets the language"
            );
        }
    }
}

#[tokio::test]
async fn accepted_is_never_called_aired() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let page = served
        .get(&format!(
            "/luot/{}",
            delivery("2024-03-25T05:30", "loa-ben-thuy")
        ))
        .await
        .text;
    assert!(page.contains("đã nhận") && page.contains("chưa chắc"));
    assert!(!page.contains("đã phát (có xác nhận)"));
    let page = served
        .get(&format!(
            "/luot/{}",
            delivery("2024-03-25T05:30", "loa-cua-nam")
        ))
        .await
        .text;
    assert!(page.contains("đã phát (có xác nhận)"));
    let word = "Nguyễn Thị Lan xác nhận đã nghe thấy, ghi lúc 05:3";
    assert!(
        page.contains(word) && !page.contains("Do cán bộ quyết định"),
        "{page}"
    );
}

#[tokio::test]
async fn today_puts_problems_first_and_remembers_the_ward() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    city.pause("Loa bị hỏng").await;
    let served = city.serve().await;
    let page = served.get("/").await.text;
    assert!(
        page.contains(
            "Đang tạm dừng phường Quán Bàu đến 12:00, Thứ Hai 25/3, theo quyết định của Nguyễn Thị Lan: Loa bị hỏng"
        ),
        "{page}"
    );
    let yesterday = served.get("/?ngay=2024-03-24").await.text;
    assert!(!yesterday.contains("Đang tạm dừng"));
    assert!(
        page.contains("<a href=\"#w-hung-dung\">Có 2 lượt cần xem lại.</a>"),
        "one failed, one unclear, and where: {page}"
    );
    assert!(page.contains("Tất cả 150 lượt"));
    let place = |id: &str| {
        page.find(&format!("id=\"w-{id}\""))
            .unwrap_or_else(|| panic!("{id} is missing"))
    };
    assert!(place("hung-dung") < place("quan-bau"), "by name");
    assert!(
        place("quan-bau") < place("hung-binh"),
        "problems before what is under way"
    );
    assert!(place("hung-binh") < place("le-mao") && place("le-mao") < place("ben-thuy"));
    assert_eq!(page.matches("<details class=\"ward").count(), 25);
    assert_eq!(page.matches("id=\"w-hung-dung\" open").count(), 1);
    assert_eq!(page.matches("id=\"w-ben-thuy\" open").count(), 0);

    let page = served.get("/?phuong=le-mao").await.text;
    assert_eq!(page.matches("<details class=\"ward").count(), 1);
    assert!(page.contains("<option value=\"le-mao\" selected>"));
    assert!(page.contains("gửi lại lúc 05:34:00"));
    assert!(
        links(&page, "/?phuong=le-mao&ngay=2024-03-24").len() == 1,
        "the day before keeps the ward"
    );

    let page = served.get("/?ngay=2024-03-26").await.text;
    assert!(page.contains("Ngày này không có lượt phát nào"));
    assert!(page.contains("<h1>Thứ Ba 26/3</h1>"));
}

#[tokio::test]
async fn the_fragment_costs_nothing_while_nothing_changes() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let first = served.get("/?fragment=1").await;
    assert!(first.text.starts_with("<div id=\"live-summary\""));
    let tag = first.headers[header::ETAG].clone();
    let url = served.url("/?fragment=1");
    let ask = || {
        client()
            .get(&url)
            .header(header::IF_NONE_MATCH, tag.clone())
    };
    assert_eq!(served.send(ask()).await.status, 304);
    let waiting = city.claim().await;
    assert!(waiting.is_empty());
    city.clock.advance(Duration::from_mins(10));
    for claimed in city.claim().await {
        city.finish(&[city.accepted(&claimed)]).await;
    }
    assert_eq!(
        served.send(ask()).await.status,
        200,
        "the retry has been accepted"
    );
}

#[tokio::test]
async fn one_broadcast_is_told_in_full() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let id = delivery("2024-03-25T05:30", "web-le-mao");
    city.store
        .journal(
            "rescued",
            Some(&id),
            "nut-thu",
            "lease ended",
            city.clock.now(),
        )
        .await
        .unwrap();
    let served = city.serve().await;
    let page = served.get(&format!("/luot/{id}")).await.text;
    for part in [
        city::TITLE,
        "Tóm tắt",
        "Cơ quan thuế không bao giờ làm như vậy.",
        "chờ gửi lại",
        "Lần 1, 05:30:00: ",
        "; sẽ thử lại lúc 05:34:00",
        "nhận lại sau sự cố",
        "gửi đến khi chắc chắn tới nơi",
        "gia-danh-can-bo-thue",
        "06:00, Thứ Hai 25/3",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    let page = served
        .get(&format!(
            "/luot/{}",
            delivery("2024-03-25T05:30", "loa-quan-bau")
        ))
        .await
        .text;
    for part in ["không gửi được", "503", "&lt;html&gt;busy", "Lần 1"] {
        assert!(page.contains(part), "{part} is missing");
    }
    let page = served
        .get(&format!(
            "/luot/{}",
            delivery("2024-03-25T17:00", "loa-quan-bau")
        ))
        .await
        .text;
    assert!(page.contains("Lời chưa chốt") && page.contains("Chưa gửi lần nào"));
}

#[tokio::test]
async fn hostile_words_stay_words() {
    let city = City::new(Names::Hostile, "2024-03-25T05:30").await;
    city.morning().await;
    let id = delivery("2024-03-25T05:30", "loa-quan-bau");
    city.store
        .journal(HOSTILE, Some(&id), HOSTILE, HOSTILE, city.clock.now())
        .await
        .unwrap();
    let served = city.serve().await;
    let one = format!("/luot/{id}");
    let heard = format!("/luot/{}", delivery("2024-03-25T05:30", "loa-cua-nam"));
    let in_address = "/?phuong=%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let nowhere = "/%3Cscript%3Ealert(1)%3C/script%3E?x=%3Cscript%3E%22";
    for path in [
        "/",
        "/?fragment=1",
        "/?phuong=quan-bau",
        "/nhat-ky",
        &one,
        &heard,
        in_address,
        nowhere,
    ] {
        let text = served.get(path).await.text;
        assert!(
            !text.contains("<script>") && !text.contains("<img"),
            "{path}"
        );
        assert!(!text.contains("\"' onmouseover"), "{path}");
        assert!(
            !text.contains("{{") || text.contains("{{ 7 * 7 }}"),
            "{path}"
        );
        assert!(!text.contains(">49<"), "{path}");
        assert_eq!(
            text.matches("</details>").count(),
            text.matches("<details").count(),
            "{path}"
        );
        let scripts = text.matches("<script").count();
        assert_eq!(
            scripts,
            text.matches("<script src=\"/tai-san/live.js?v=").count(),
            "{path}"
        );
    }
    let text = served.get(&one).await.text;
    assert!(
        text.matches("&lt;script&gt;alert(1)").count() >= 8,
        "every field is there, escaped"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_plain_words() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let long = format!("/nhat-ky?x={}", "a".repeat(3_000));
    let longer_value = format!("/nhat-ky?phuong={}", "a".repeat(101));
    let sorry = "Địa chỉ trang không đúng";
    for (path, status, words) in [
        ("/nhat-ky?sau=banana", 400, sorry),
        ("/nhat-ky?sau=5~%3Cb%3E", 400, sorry),
        ("/nhat-ky?truoc=5", 400, sorry),
        ("/nhat-ky?tu=25/3/2024", 400, sorry),
        ("/nhat-ky?den=9999-01-01", 400, sorry),
        ("/nhat-ky?trang-thai=aired", 400, sorry),
        ("/nhat-ky?kenh=..%2F..", 400, sorry),
        (
            "/nhat-ky?phuong=khongco",
            404,
            "Không có phường, xã hay kênh này",
        ),
        (
            "/nhat-ky?kenh=khongco",
            404,
            "Không có phường, xã hay kênh này",
        ),
        (
            "/nhat-ky?tu=2024-03-26&den=2024-03-25",
            200,
            "Ngày bắt đầu (Thứ Ba 26/3) ở sau ngày cuối (Thứ Hai 25/3)",
        ),
        ("/nhat-ky?tu=2024-03-27", 200, "Chưa đến Thứ Tư 27/3."),
        ("/?phuong=H%C6%B0ng", 400, sorry),
        ("/?ngay=hom-qua", 400, sorry),
        (&longer_value, 400, sorry),
        ("/luot/khong-co", 404, "Không có lượt phát này"),
        ("/luot/0123456789abcdefghjk", 404, "Không có lượt phát này"),
        ("/khong-co", 404, "Không có trang này"),
        ("/luot/a/b", 404, "Không có trang này"),
        ("/tai-san/..%2Fweb.rs", 404, "Không có trang này"),
        ("/tai-san/none.css", 404, "Không có trang này"),
        (&long, 414, "Địa chỉ trang quá dài"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, status, "{path:.60}");
        assert!(answer.text.contains(words), "{path:.60}");
        assert_page(&answer.text, "vi");
    }
    assert_page(&served.get("/khong-co?lang=en").await.text, "en");
    assert!(
        served
            .get("/khong-co?lang=en")
            .await
            .text
            .contains("There is no such page")
    );

    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = served.send(client().request(method, served.url("/"))).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.headers[header::ALLOW], "GET, HEAD");
    }
    let head = served.send(client().head(served.url("/"))).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_foreign_host_is_refused() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    for (host, status) in [
        ("localhost", 200),
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("loa.example", 421),
        ("127.0.0.1.example", 421),
        ("localhost@evil.example", 421),
    ] {
        for path in ["/", "/su-kien", "/metrics"] {
            let request = client().get(served.url(path)).header(header::HOST, host);
            // The live connection never ends by itself: its head tells enough.
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_it_to_itself() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    for path in [
        "/",
        "/nhat-ky",
        "/?fragment=1",
        "/khong-co",
        "/tai-san/style.css",
        "/metrics",
        "/nhat-ky?sau=x",
    ] {
        let headers = served.get(path).await.headers;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(
                policy.split("; ").any(|directive| directive == part),
                "{path}: {part}"
            );
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
    }
    let page = served.get("/").await;
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let mut assets = links(&page.text, "/tai-san/");
    let script = page
        .text
        .split("<script src=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assets.push(script.replace("&#x2F;", "/"));
    assert_eq!(assets.len(), 3);
    for asset in assets {
        let answer = served.get(&asset).await;
        assert_eq!(answer.status, 200, "{asset}");
        assert_eq!(
            answer.headers[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        let old = served.get(&format!("{asset}0")).await;
        assert_eq!(
            old.headers[header::CACHE_CONTROL],
            "no-cache",
            "an old name is not kept"
        );
    }
}

#[tokio::test]
async fn operations_answer_machines() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let served = city.serve().await;
    let health = served.get("/healthz").await;
    assert_eq!((health.status, health.text.as_str()), (200, "ok\n"));
    let ready = served.get("/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "no plan yet\n"));
    let metrics = served.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.ends_with("# EOF\n"));
    city.store.close().await;
    assert_eq!(served.get("/healthz").await.status, 503);
    let page = served.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("Tạm thời không đọc được dữ liệu"));
    assert_page(&page.text, "vi");
}
