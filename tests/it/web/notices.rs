//! What pages tell people to do: how to close what nobody knows, and that an edit was refused.

use std::{sync::Arc, time::Duration};

use loa::{
    domain::{
        channel::AdapterConfig,
        delivery::{Outcome, Reason, State},
        id::AccountId,
        secret::{Secret, SecretRef},
        workspace::Workspace,
        zalo::{Correction, Quiet, Quota, ZaloConfig},
    },
    store::{
        Finished,
        account::{NewPair, NotRenewed},
    },
    web::RefusedEdit,
};

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
async fn a_broadcast_says_whose_pause_silenced_it_and_who_did_what() {
    let city = City::new(Names::Plain, "2024-03-25T05:00").await;
    let batch = city
        .plan("2024-03-25T05:30", |id| id == "loa-quan-bau")
        .await;
    city.pause("Lễ tang").await;
    let ids = [batch[0].id.clone()];
    let (now, end) = (at("2024-03-25T05:30"), (State::Skipped, Reason::Paused));
    let store = &city.store;
    store
        .end_unbegun(&ids, end.0, end.1, "", now)
        .await
        .unwrap();
    store
        .journal("rescued", Some(&ids[0]), "may-2", "", now)
        .await
        .unwrap();
    let served = city.serve().await;
    let page = served.get(&format!("/luot/{}", ids[0])).await.text;
    for said in [
        "Tạm dừng phường Quán Bàu đến 12:00, Thứ Hai 25/3, theo quyết định của Nguyễn Thị Lan: Lễ tang",
        "bỏ qua – hệ thống",
        "nhận lại sau sự cố – máy chủ may-2",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let id = delivery("2024-03-25T05:30", "loa-cua-nam");
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let served = city.serve().await;
    let page = served.get(&format!("/luot/{id}")).await.text;
    let line = "cán bộ kết luận – Nguyễn Thị Lan";
    assert!(page.contains(line), "a person by the name: {page}");
}

/// What a recipe calls so stands on the page for those who connect channels, below what everybody reads.
#[tokio::test]
async fn lists_and_headings_say_nothing_that_only_a_recipe_calls_so() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    let batch = city
        .plan("2024-03-25T05:30", |id| id == "web-hung-binh")
        .await;
    city.freeze(&batch).await;
    let claimed = city.claim().await;
    let no = (Outcome::Rejected, Reason::Status, State::Failed);
    let detail = "receiver-says call=find; status=422; rule=errors[0]; words=Thiếu tiêu đề";
    city.finish(&[Finished {
        detail: Some(detail.to_owned()),
        ..city.failed(&claimed[0], no.0, no.1, no.2)
    }])
    .await;
    let served = city.serve().await;
    let broadcast = served.get(&format!("/luot/{}", batch[0].id)).await.text;
    let (head, attempts) = broadcast.split_once("id=\"attempts\"").unwrap();
    for (place, text) in [
        ("today", &served.get("/").await.text),
        ("log", &served.get("/nhat-ky").await.text),
        ("head", &head.to_owned()),
    ] {
        assert!(
            text.contains("Bên nhận trả lời “Thiếu tiêu đề”"),
            "{place}: {text}"
        );
        assert!(
            !text.contains("errors[0]") && !text.contains("find"),
            "{place}: {text}"
        );
    }
    assert!(
        attempts.contains("errors[0]") && attempts.contains("`find`"),
        "{attempts}"
    );
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

#[tokio::test]
async fn the_page_of_today_says_which_account_waits_for_a_person() {
    let city = City::new(Names::Plain, "2024-03-25T05:30").await;
    city.morning().await;
    let zalo = ZaloConfig {
        app: "12".into(),
        oa: "34".into(),
        secret: SecretRef::Env("X".into()),
        callback: "https://loa.example/zalo".into(),
        proof: false,
        user: Some("5".into()),
        cover: None,
        pictures: None,
        picture: false,
        author: None,
        comments: true,
        correction: Correction::default(),
        quiet: Quiet::default(),
        reports: None,
        quota: Quota::default(),
    };
    let mut workspace = Workspace::clone(&city.workspace.borrow());
    let channel = workspace.channels.values_mut().next().unwrap();
    channel.adapter = AdapterConfig::Zalo(Box::new(zalo));
    let (id, name) = (channel.id.clone(), channel.name.clone());
    city.workspace.send_replace(Arc::new(workspace));
    let served = city.serve().await;
    let said = format!("{name} chưa gửi được gì");
    let page = served.get("/").await.text;
    assert!(
        page.contains(&said) && page.contains(&format!("loa zalo authorize {id}")),
        "{page}"
    );
    assert!(
        !served.get("/?ngay=2024-03-26").await.text.contains(&said),
        "it is about now"
    );

    let (access, refresh) = (Secret::new("a".into()), Secret::new("r".into()));
    let now = at("2024-03-25T05:30");
    let pair = NewPair {
        access: &access,
        refresh: &refresh,
        now,
        life: Duration::from_hours(25),
    };
    let account = AccountId::zalo("12", "34");
    city.store.authorise(&account, &pair, "Lan").await.unwrap();
    assert!(!served.get("/").await.text.contains("loa zalo authorize"));
    let lease = (now, now + Duration::from_mins(1));
    assert!(
        city.store
            .lease_account(&account, 1, "one", lease, now)
            .await
            .unwrap()
    );
    let why = NotRenewed {
        detail: "zalo-refused code=-1; said=no",
        refused: true,
        next: now,
        unspent: true,
    };
    city.store
        .not_renewed(&account, 1, "one", &why, true, now)
        .await
        .unwrap();
    let page = served.get("/").await.text;
    assert!(
        page.contains(&format!("{name} chỉ còn gửi được đến 06:30")),
        "{page}"
    );
}
