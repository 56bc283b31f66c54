//! The pages in a real browser: on a phone and on a desk, followed from one to the next, and kept up to date.

use std::time::Duration;

use fantoccini::{Client, Locator};

use super::city::{City, Names, Served, delivery};
use crate::support::{
    browser::{Driver, Screen, in_time, keep_picture},
    without,
};

const PHONE: Screen = Screen {
    width: 360,
    height: 740,
    dark: false,
    script: true,
};
const SMALL: Screen = Screen {
    width: 320,
    ..PHONE
};
const DESK: Screen = Screen {
    width: 1280,
    height: 900,
    ..PHONE
};

async fn number(client: &Client, script: &str) -> f64 {
    client
        .execute(&format!("return {script}"), Vec::new())
        .await
        .unwrap()
        .as_f64()
        .unwrap()
}

/// No page may be wider than the screen, and what is meant to be touched has to be large enough for a thumb.
async fn assert_fits(client: &Client, screen: Screen, path: &str) {
    let width = number(client, "window.innerWidth").await;
    if screen.width < 500 {
        assert!(
            (width - f64::from(screen.width)).abs() < 0.5,
            "the screen is as narrow as it should be: {width}"
        );
    }
    let needed = number(client, "document.documentElement.scrollWidth").await;
    assert!(
        needed <= width,
        "{path} scrolls sideways: {needed} > {width}"
    );
    let small = "Array.from(document.querySelectorAll('a[href], button, select, input:not([type=hidden]), summary'))
        .filter(e => !e.classList.contains('skip') && e.checkVisibility() && e.getBoundingClientRect().height < 44)
        .map(e => e.outerHTML.slice(0, 80)).join('\\n')";
    let small = client
        .execute(&format!("return {small}"), Vec::new())
        .await
        .unwrap();
    assert_eq!(small.as_str(), Some(""), "too small to touch on {path}");
}

async fn open(client: &Client, served: &Served, path: &str) {
    client.goto(&served.url(path)).await.unwrap();
    client
        .wait()
        .for_element(Locator::Css("main h1"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_fit_every_screen() {
    if !without("chromium") {
        in_time(fit()).await;
    }
}

async fn fit() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let driver = Driver::start();
    let failed = format!("/luot/{}", delivery("2024-03-25T05:30", "loa-quan-bau"));
    let retried = format!("/luot/{}", delivery("2024-03-25T05:30", "web-le-mao"));
    let screens = [
        ("320", SMALL),
        ("360", PHONE),
        ("1280", DESK),
        (
            "360-dark",
            Screen {
                dark: true,
                ..PHONE
            },
        ),
    ];
    for (called, screen) in screens {
        let client = driver.open(screen).await;
        for (name, path) in [
            ("hom-nay", "/"),
            ("hom-nay-mot-phuong", "/?phuong=le-mao"),
            ("nhat-ky", "/nhat-ky"),
            ("luot-hong", failed.as_str()),
            ("luot-gui-lai", retried.as_str()),
            ("khong-co", "/khong-co"),
            ("english", "/?lang=en&phuong=hung-binh"),
        ] {
            open(&client, &served, path).await;
            keep_picture(&client, &format!("{name}-{called}")).await;
            assert_fits(&client, screen, path).await;
        }
        client.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_filters_follows_a_row_and_sees_it_change() {
    if !without("chromium") {
        in_time(clerk()).await;
    }
}

async fn clerk() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let driver = Driver::start();
    let client = driver.open(PHONE).await;

    // The ward's own page.
    open(&client, &served, "/").await;
    let form = client.find(Locator::Css("#phuong")).await.unwrap();
    form.select_by_value("le-mao").await.unwrap();
    client
        .find(Locator::Css("form button"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    client
        .wait()
        .for_element(Locator::Css("#w-le-mao[open]"))
        .await
        .unwrap();
    assert!(
        client
            .current_url()
            .await
            .unwrap()
            .query()
            .unwrap()
            .contains("phuong=le-mao")
    );
    assert_eq!(
        client
            .find_all(Locator::Css("details.ward"))
            .await
            .unwrap()
            .len(),
        1
    );
    client
        .find(Locator::XPath(
            "//*[@id='w-le-mao']//*[text()='chờ gửi lại']",
        ))
        .await
        .unwrap();

    // Opened, marked, and closed by hand: an update without a reload keeps all of it.
    client
        .execute("window.stillHere = true", Vec::new())
        .await
        .unwrap();
    client
        .find(Locator::Css("#w-le-mao summary"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    city.clock.advance(Duration::from_mins(5));
    for claimed in city.claim().await {
        city.finish(&[city.accepted(&claimed)]).await;
    }
    client
        .wait()
        .at_most(Duration::from_secs(10))
        .for_element(Locator::XPath(
            "//*[@id='verdict']/following::b[text()='3']",
        ))
        .await
        .expect("the page hears of the write");
    let kept = client
        .execute("return window.stillHere === true", Vec::new())
        .await
        .unwrap();
    assert_eq!(kept.as_bool(), Some(true), "the page was not loaded again");
    let closed = client
        .find(Locator::Css("#w-le-mao"))
        .await
        .unwrap()
        .attr("open")
        .await
        .unwrap();
    assert_eq!(closed, None, "what the reader closed stays closed");

    // A row leads to its page.
    client
        .find(Locator::Css("#w-le-mao summary"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let row = client
        .wait()
        .for_element(Locator::LinkText("Trang tin Lê Mao"))
        .await
        .unwrap();
    row.click().await.unwrap();
    let heading = client
        .wait()
        .for_element(Locator::Css("#standing"))
        .await
        .unwrap();
    assert_eq!(heading.text().await.unwrap(), "đã nhận");
    let page = client
        .find(Locator::Css("main"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        page.contains("Trang tin Lê Mao: 05:30") && page.contains("Lần 2, 05:36:00"),
        "{page}"
    );

    // Midnight passes: the page of today becomes the next day's, still of the ward.
    open(&client, &served, "/?phuong=le-mao&ngay=2024-03-25").await;
    city.clock.advance(Duration::from_hours(24));
    city.plan("2024-03-26T17:00", |channel| channel == "loa-le-mao")
        .await;
    client
        .wait()
        .at_most(Duration::from_secs(10))
        .for_element(Locator::XPath("//h1[contains(., 'Thứ Ba 26/3')]"))
        .await
        .expect("the page moves on to the new day");
    let address = client.current_url().await.unwrap();
    assert_eq!(address.query(), Some("phuong=le-mao"));

    // The line breaks: the page says so.
    open(&client, &served, "/").await;
    client
        .wait()
        .for_element(Locator::Css("html.script"))
        .await
        .unwrap();
    served.shutdown.cancel();
    let lost = client
        .wait()
        .at_most(Duration::from_secs(10))
        .for_element(Locator::Css("#line.off #lost"))
        .await
        .expect("a lost line is shown");
    assert!(lost.text().await.unwrap().contains("Mất kết nối"));
    keep_picture(&client, "mat-ket-noi-360").await;
    client.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_read_without_a_script() {
    if !without("chromium") {
        in_time(without_script()).await;
    }
}

async fn without_script() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let driver = Driver::start();
    let client = driver
        .open(Screen {
            script: false,
            ..PHONE
        })
        .await;
    open(&client, &served, "/").await;
    let page = client
        .find(Locator::Css("body"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("không tự cập nhật"), "{page}");
    // Without scripts chromedriver cannot click; what the links lead to can still be opened.
    for (from, link, shows) in [
        ("/", "#w-ben-thuy a", "#standing"),
        ("/", "nav a:nth-child(2)", "tbody tr:nth-child(50)"),
        ("/?phuong=le-mao", "#w-le-mao[open] a", "#standing"),
    ] {
        open(&client, &served, from).await;
        let link = client.find(Locator::Css(link)).await.unwrap();
        let path = link.attr("href").await.unwrap().unwrap();
        open(&client, &served, &path).await;
        client.find(Locator::Css(shows)).await.unwrap();
    }
    client.close().await.unwrap();
}
