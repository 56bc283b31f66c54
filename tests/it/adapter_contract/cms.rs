//! Drupal, Joomla, Liferay and a `WordPress` without permalinks as the simulated city has them, reached by the shipped recipes over real
//! sockets.

use std::{collections::BTreeMap, sync::Arc};

use loa::{
    adapter::{
        Failure,
        attempt::{Ending, NoNotes, attempt, look_after, probe},
        recipe::RecipeAdapter,
        transport::Transport,
    },
    domain::{
        bulletin::Format,
        delivery::Reason,
        detail::Detail,
        message::{Content, Message},
        secret::Secret,
    },
    simulator::{City, CityHandle, CityOptions, Effect, Fault, FaultOrder, HeardFilter, Post},
};

use super::{
    instant, message,
    recipes::{adapter_with, parameters, shipped},
    transport::settings,
};

/// Each recipe, the parameter that is its secret, and the method that makes a page.
const SITES: [(&str, &str, &str); 3] = [
    ("drupal", "password", "POST"),
    ("joomla", "token", "POST"),
    ("liferay", "secret", "PUT"),
];

struct Scene {
    city: CityHandle,
    transport: Transport,
}

impl Scene {
    async fn new() -> Self {
        Self {
            city: City::start(CityOptions::default()).await.unwrap(),
            transport: Transport::new(settings()).unwrap(),
        }
    }

    /// The recipe's adapter for a site of its own, whose address goes on with `below`.
    fn adapter(&self, recipe: &str, secret: &str, worth: &str, below: &str) -> RecipeAdapter {
        self.adapter_of(recipe, secret, worth, below, None)
    }

    /// The same with another parameter.
    fn adapter_of(
        &self,
        recipe: &str,
        secret: &str,
        worth: &str,
        below: &str,
        parameter: Option<(&str, &str)>,
    ) -> RecipeAdapter {
        let address = self.city.device(recipe).unwrap();
        let mut with: BTreeMap<String, String> = parameters();
        with.insert("url".into(), format!("http://{address}{below}"));
        with.insert(secret.into(), worth.into());
        with.extend(parameter.map(|(name, value)| (name.into(), value.into())));
        adapter_with(&shipped()[recipe], &with)
    }

    async fn send(&self, adapter: &RecipeAdapter, message: &Message) -> Ending {
        let now = || instant("2024-03-25T05:30:00Z");
        attempt(adapter, message, &NoNotes, &self.transport, now)
            .await
            .ending
    }

    /// Asks whether the site is alive.
    async fn is_healthy(&self, adapter: &RecipeAdapter) -> bool {
        let now = || instant("2024-03-25T05:30:00Z");
        probe(adapter, None, &self.transport, now).await == Some(Ok(()))
    }

    /// What the site's pages were made and changed to, in order.
    fn pages(&self, recipe: &str) -> Vec<(Effect, Post)> {
        let filter = HeardFilter {
            host: Some(recipe.to_owned()),
            ..HeardFilter::default()
        };
        let all = self.city.heard(&filter).into_iter();
        all.filter_map(|heard| Some((heard.effect, heard.post?)))
            .collect()
    }
}

fn saying(words: &str, attempt: u32) -> Message {
    let message = message();
    let content = Content {
        format: Format::Article,
        title: format!("Cảnh báo: {words}"),
        summary: Some(format!("Tóm tắt: {words}")),
        html: Some(format!("<p>{words}</p>")),
        ..(*message.content).clone()
    };
    Message {
        attempt,
        hash: content.hash(),
        content: Arc::new(content),
        ..message
    }
}

/// The words of a page, without what is around them for programs.
fn inside(page: &Post) -> &str {
    let content = page.content.strip_prefix("<div class=\"loa-").unwrap();
    let (version, rest) = content.split_once("\">").unwrap();
    assert_eq!(version.len(), 16, "{content}");
    rest.strip_suffix("</div>").unwrap()
}

fn worth() -> String {
    Secret::simulated().expose().to_owned()
}

#[tokio::test]
async fn a_page_is_made_once_and_corrected_where_it_is() {
    let scene = Scene::new().await;
    for (recipe, secret, _) in SITES {
        let adapter = scene.adapter(recipe, secret, &worth(), "");
        assert!(scene.is_healthy(&adapter).await, "{recipe}");
        let first = saying("Công an không làm việc qua điện thoại", 1);
        let mut references = Vec::new();
        // The same again, whether or not it is known for a repetition, and other words.
        for message in [
            &first,
            &saying("Công an không làm việc qua điện thoại", 2),
            &first,
            &saying("Đính chính: số cũ đã sai", 1),
        ] {
            match scene.send(&adapter, message).await {
                Ending::Accepted(receipt) => references.push(receipt.reference.unwrap()),
                Ending::Failed(failure) => panic!("{recipe}: {failure:?}"),
            }
        }
        let pages = scene.pages(recipe);
        let effects: Vec<Effect> = pages.iter().map(|(effect, _)| *effect).collect();
        let updated = Effect::Updated;
        assert_eq!(
            effects,
            [Effect::Published, updated, updated, updated],
            "{recipe}"
        );
        let (_, before) = &pages[2];
        let (_, after) = &pages[3];
        assert_eq!((before.id, &before.slug), (after.id, &after.slug));
        let words = "<p>Công an không làm việc qua điện thoại</p>";
        assert_eq!(inside(before), words);
        assert_eq!(after.title, "Cảnh báo: Đính chính: số cũ đã sai");
        assert_eq!(inside(after), "<p>Đính chính: số cũ đã sai</p>");
        assert_eq!(after.excerpt, "Tóm tắt: Đính chính: số cũ đã sai");
        assert_eq!(references[0], references[1], "{recipe}");
    }
}

#[tokio::test]
async fn a_site_says_afterwards_whose_words_stand_there() {
    let scene = Scene::new().await;
    let now = || instant("2024-03-25T05:36:00Z");
    for (recipe, secret, _) in SITES {
        let adapter = scene.adapter(recipe, secret, &worth(), "");
        let [old, new] = ["Lời cũ", "Đính chính"].map(|words| saying(words, 1));
        let mut receipts = Vec::new();
        // What was given up as unanswered is carried out when newer words are there already.
        for message in [&old, &new, &old] {
            match scene.send(&adapter, message).await {
                Ending::Accepted(receipt) => receipts.push(receipt.reference),
                Ending::Failed(failure) => panic!("{recipe}: {failure:?}"),
            }
        }
        for (message, expected) in [(&old, Ok(())), (&new, Err(Reason::NotPlayed))] {
            let receipt = receipts[1].as_deref();
            let said = look_after(&adapter, message, receipt, &scene.transport, now).await;
            let said = said.map_err(|failure| failure.reason());
            assert_eq!(said, expected, "{recipe}: {:?}", message.content.html);
        }
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_one_page() {
    let scene = Scene::new().await;
    for (recipe, secret, method) in SITES {
        let adapter = scene.adapter(recipe, secret, &worth(), "");
        let mut order = FaultOrder::new(recipe, Fault::AcceptedThenLost).method(method);
        if recipe == "liferay" {
            order.path = Some("/o/headless-delivery".into());
        }
        scene.city.fault(order.times(1)).await.unwrap();
        let lost = scene.send(&adapter, &saying("Một", 1)).await;
        assert!(
            matches!(&lost, Ending::Failed(Failure::Unknown { .. })),
            "{recipe}: {lost:?}"
        );
        let again = scene.send(&adapter, &saying("Một", 2)).await;
        assert!(matches!(again, Ending::Accepted(_)), "{recipe}: {again:?}");
        let pages = scene.pages(recipe);
        let made = pages
            .iter()
            .filter(|(effect, _)| *effect == Effect::Published);
        assert_eq!(made.count(), 1, "{recipe}: {pages:?}");
    }
}

#[tokio::test]
async fn a_site_that_does_not_let_us_is_told_to_a_person() {
    let scene = Scene::new().await;
    for (recipe, secret, _) in SITES {
        let refusals = [
            scene.adapter(recipe, secret, "sai", ""),
            scene.adapter(recipe, secret, &worth(), "/closed"),
        ];
        for adapter in &refusals {
            let ending = scene.send(adapter, &saying("Một", 1)).await;
            assert!(
                matches!(&ending, Ending::Failed(Failure::Reject { .. })),
                "{recipe}: {ending:?}"
            );
        }
        assert_eq!(scene.pages(recipe).len(), 0, "{recipe}");
    }
    // A page for people in the place of an answer is none, whatever its status.
    for (recipe, secret, method) in SITES {
        let page = Fault::Status {
            code: 200,
            retry_after: None,
            body: Some("<html>Trang chủ</html>".into()),
        };
        let mut order = FaultOrder::new(recipe, page).method(method);
        if recipe == "liferay" {
            order.path = Some("/o/headless-delivery".into());
        }
        scene.city.fault(order.times(1)).await.unwrap();
        let adapter = scene.adapter(recipe, secret, &worth(), "");
        let ending = scene.send(&adapter, &saying("Một", 1)).await;
        assert!(
            matches!(
                &ending,
                Ending::Failed(Failure::Unknown {
                    reason: Reason::Unexpected,
                    ..
                })
            ),
            "{recipe}: {ending:?}"
        );
    }
    // Saved is not published.
    for (recipe, secret) in [("drupal", "password"), ("joomla", "token")] {
        let adapter = scene.adapter(recipe, secret, &worth(), "/moderated");
        let ending = scene.send(&adapter, &saying("Một", 1)).await;
        assert!(
            matches!(&ending, Ending::Failed(Failure::Reject { .. })),
            "{recipe}: {ending:?}"
        );
        assert_eq!(scene.pages(recipe).len(), 1, "{recipe}");
    }
}

#[tokio::test]
async fn a_wordpress_without_permalinks_is_reached_by_its_parameter() {
    let scene = Scene::new().await;
    let adapter = scene.adapter("wordpress", "api", "/?rest_route=", "");
    assert!(scene.is_healthy(&adapter).await);
    for (message, effect) in [
        (saying("Một", 1), Effect::Published),
        (saying("Một", 2), Effect::Updated),
        (saying("Hai", 1), Effect::Updated),
    ] {
        let ending = scene.send(&adapter, &message).await;
        assert!(matches!(ending, Ending::Accepted(_)), "{ending:?}");
        let pages = scene.pages("wordpress");
        let (last, page) = pages.last().unwrap();
        assert_eq!((*last, page.id, &page.slug), (effect, 1, &message.slug()));
        assert_eq!(page.title, message.content.title);
    }
}

/// A page that took another slug has a twin: whoever reads the refusal is told where to look.
#[tokio::test]
async fn no_twin_is_made_of_an_address_that_is_taken() {
    let scene = Scene::new().await;
    let adapter = scene.adapter("wordpress", "password", &worth(), "");
    let address = scene.city.device("wordpress").unwrap();
    let message = saying("Một", 1);
    // A file of that name holds the slug and is no post that a search for posts would find.
    let url = format!("http://{address}/wp-json/wp/v2/media");
    let upload = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url);
    let upload = upload
        .basic_auth("loa", Some("x"))
        .header(
            "Content-Disposition",
            format!("attachment; filename=\"{}\"", message.slug()),
        )
        .body("RIFF");
    assert_eq!(upload.send().await.unwrap().status().as_u16(), 201);
    match scene.send(&adapter, &message).await {
        Ending::Failed(Failure::Reject { detail, .. }) => {
            let detail = Detail::parse(&detail).unwrap();
            assert_eq!(
                (detail.code(), detail.get("status")),
                ("recipe-says", Some("201"))
            );
        }
        other => panic!("{other:?}"),
    }
    let total = scene.city.summary().total;
    assert_eq!((total.twins, total.published), (0, 0), "a draft at most");
}

/// A probe asks the account itself, as far as the site tells: what it says is what a person has to do.
#[tokio::test]
async fn probes_ask_the_account_itself() {
    let scene = Scene::new().await;
    for (recipe, secret, worth, below, parameter, said) in [
        (
            "drupal",
            "password",
            "sai",
            "",
            None,
            "không nhận ra tài khoản",
        ),
        (
            "drupal",
            "password",
            &*worth(),
            "",
            Some(("type", "tin-phuong")),
            "loại nội dung",
        ),
        ("joomla", "token", "sai", "", None, "Mã API không được nhận"),
        (
            "liferay",
            "secret",
            "sai",
            "",
            None,
            "OAuth 2 không được nhận",
        ),
        (
            "liferay",
            "secret",
            &worth(),
            "/reader",
            None,
            "không được thêm bài blog",
        ),
        (
            "liferay",
            "secret",
            &worth(),
            "/closed",
            None,
            "thiếu phạm vi",
        ),
    ] {
        let case = format!("{recipe} {below} {parameter:?}");
        assert!(
            scene
                .is_healthy(&scene.adapter(recipe, secret, &self::worth(), ""))
                .await,
            "{case}"
        );
        let adapter = scene.adapter_of(recipe, secret, worth, below, parameter);
        let now = || instant("2024-03-25T05:30:00Z");
        let failure = probe(&adapter, None, &scene.transport, now)
            .await
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(failure, Failure::Reject { .. }),
            "{case}: {failure:?}"
        );
        let about = Detail::parse(failure.detail()).unwrap();
        let about = about.get("about").unwrap_or_default().to_owned();
        assert!(about.contains(said), "{case}: {failure:?}");
        let is_account = parameter.is_none();
        assert_eq!(
            failure.reason() == Reason::Unauthorised,
            is_account,
            "{case}"
        );
        // And nobody is told anything else where it is sent.
        if below == "/reader" {
            match scene.send(&adapter, &saying("Một", 1)).await {
                Ending::Failed(failure) => assert_eq!(failure.reason(), Reason::Unauthorised),
                accepted @ Ending::Accepted(_) => panic!("{accepted:?}"),
            }
        }
    }
    for (recipe, ..) in SITES {
        assert_eq!(scene.pages(recipe).len(), 0, "{recipe}");
    }
}
