//! What pages tell people to do: how to close what nobody knows, and that an edit was refused.

use loa::web::RefusedEdit;

use super::city::{City, Names, at, delivery};

#[tokio::test]
async fn the_page_of_an_unknown_end_says_how_to_close_it() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let id = delivery("2024-03-25T05:30", "loa-hung-dung");
    for (lang, name) in [("vi", "Họ và tên"), ("en", "Full name")] {
        let page = served.get(&format!("/luot/{id}?lang={lang}")).await.text;
        for said in ["--heard", "--not-heard"] {
            let command =
                format!("loa reconcile {id} {said} --by &#39;{name}&#39; --simulate</pre>");
            assert!(page.contains(&command), "{command}: {page}");
        }
    }
    let id = delivery("2024-03-25T05:30", "loa-ben-thuy");
    let page = served.get(&format!("/luot/{id}")).await.text;
    assert!(!page.contains("loa reconcile"), "nothing to close");
}

#[tokio::test]
async fn the_page_of_today_says_that_an_edit_was_refused() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let said = "Bộ nội dung đang sửa dở có 3 lỗi nên chưa được dùng, từ 05:30, Thứ Hai 25/3. Lời và lịch phát trước khi sửa \
        vẫn giữ nguyên";
    let pages = ["/", "/?phuong=quan-bau", "/?fragment=1"];
    for page in pages {
        assert!(
            !served.get(page).await.text.contains("lỗi nên chưa"),
            "{page}"
        );
    }
    let since = at("2024-03-25T05:30");
    city.refused
        .send_replace(Some(RefusedEdit { mistakes: 3, since }));
    for page in pages {
        assert!(served.get(page).await.text.contains(said), "{page}");
    }
    let english = served.get("/?lang=en").await.text;
    assert!(
        english.contains("mistakes (3)") && english.contains("stay on air"),
        "{english}"
    );
    let tomorrow = served.get("/?ngay=2024-03-26").await.text;
    assert!(!tomorrow.contains("lỗi nên chưa"), "it is about now");
}
