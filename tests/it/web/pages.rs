//! Long lists: in pages that show every row once, and never grow.

use std::{collections::HashSet, time::Duration};

use loa::domain::delivery::{Outcome, Reason, State};

use super::{
    assert_page,
    city::{City, Names, Served},
    links,
};

/// The deliveries on a page of the log.
fn rows(html: &str) -> Vec<String> {
    links(html, "/luot/")
        .iter()
        .map(|link| link["/luot/".len()..].to_owned())
        .collect()
}

async fn walk(served: &Served, first: &str, rel: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let page = served.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_page(&page.text, "vi");
        pages.push(rows(&page.text));
        assert!(pages.len() < 20, "the pages go round in a circle");
        let marked = page
            .text
            .split("<a ")
            .find(|part| part.contains(&format!("rel=\"{rel}\"")));
        next = marked.and_then(|part| links(part, "/nhat-ky").first().cloned());
    }
    pages
}

#[tokio::test]
async fn the_logs_pages_show_every_row_once() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    // Many rows of one instant, so that the id decides; more than two pages, and not a multiple of a page.
    let mut planned: HashSet<String> = HashSet::new();
    for due in ["2024-03-23T05:30", "2024-03-24T05:30", "2024-03-24T17:00"] {
        let batch = city
            .plan(due, |channel| !channel.starts_with("zalo-nghi"))
            .await;
        planned.extend(batch.iter().map(|planned| planned.id.to_string()));
    }
    city.plan("2024-03-25T17:00", |_| true).await;
    let served = city.serve().await;
    let pages = walk(&served, "/nhat-ky", "next").await;
    let all: Vec<_> = pages.concat();
    assert_eq!(
        all.len(),
        planned.len(),
        "what is still to come is not in the log"
    );
    assert_eq!(all.iter().cloned().collect::<HashSet<_>>(), planned);
    assert!(pages.iter().rev().skip(1).all(|page| page.len() == 50));

    // Back from the last page: the same rows in the same order, and the first page is full.
    let mut path = "/nhat-ky".to_owned();
    for _ in 1..pages.len() {
        let page = served.get(&path).await.text;
        path = links(
            page.split("<nav class=\"pages\"").nth(1).unwrap(),
            "/nhat-ky?sau=",
        )
        .last()
        .unwrap()
        .clone();
    }
    let back = walk(&served, &path, "prev").await;
    assert_eq!(back.first(), pages.last());
    assert_eq!(back.last(), pages.first());

    let filtered = walk(
        &served,
        "/nhat-ky?phuong=nghi-an&tu=2024-03-24&den=2024-03-24",
        "next",
    )
    .await;
    assert_eq!(filtered.concat().len(), 4);
    let channel = walk(&served, "/nhat-ky?phuong=le-mao&kenh=loa-le-mao", "next").await;
    assert_eq!(channel.concat().len(), 3);
    assert_eq!(
        walk(&served, "/nhat-ky?trang-thai=accepted", "next")
            .await
            .concat()
            .len(),
        0
    );
    assert_eq!(
        walk(&served, "/nhat-ky?trang-thai=planned", "next")
            .await
            .concat()
            .len(),
        planned.len() + 75
    );
}

#[tokio::test]
async fn a_page_stays_small_however_much_there_is() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    for hour in 5..12 {
        city.plan(&format!("2024-03-25T{hour:02}:30"), |_| true)
            .await;
    }
    let served = city.serve().await;
    let page = served.get("/").await.text;
    assert_page(&page, "vi");
    assert!(page.contains("Ngày này có 525 lượt") && page.contains("Tất cả 525 lượt"));
    assert_eq!(
        links(page.split("class=\"choices\"").nth(1).unwrap(), "/?phuong=").len(),
        26
    );
    let page = served.get("/?phuong=le-mao").await.text;
    assert_eq!(rows(&page).len(), 21);
}

#[tokio::test]
async fn a_long_history_of_attempts_is_cut_to_size() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let batch = city
        .plan("2024-03-25T05:30", |channel| channel == "web-le-mao")
        .await;
    city.freeze(&batch).await;
    for number in 1..=40 {
        let claimed = city.claim().await;
        let [claimed] = claimed.as_slice() else {
            panic!("attempt {number} cannot begin")
        };
        let mut finished = city.failed(claimed, Outcome::Retry, Reason::Status, State::Ready);
        finished.answer = Some(format!("{number} {}", "\"<".repeat(2_040)));
        finished.next_at = Some(claimed.started + Duration::from_secs(10));
        city.clock.advance(Duration::from_secs(20));
        city.finish(&[finished]).await;
    }
    let served = city.serve().await;
    let page = served.get(&format!("/luot/{}", batch[0].id)).await.text;
    assert_page(&page, "vi");
    assert!(page.contains("Còn 10 lần gửi trước đó"));
    assert!(
        page.contains("40 &quot;&lt;") && !page.contains(">30 &quot;&lt;"),
        "the newest answers are shown"
    );
    assert!(page.contains("Câu trả lời của lần này dài quá"));
    assert!(page.contains("Lần 40") && page.contains("Lần 11") && !page.contains("Lần 10,"));
}
