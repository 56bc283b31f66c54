//! What tests share: a workspace to edit, a city with daemons in it, private databases, a browser.

pub(crate) mod browser;
pub(crate) mod city;
pub(crate) mod cli;
pub(crate) mod dice;
pub(crate) mod icecast;
pub(crate) mod liquidsoap;
pub(crate) mod postgres;
pub(crate) mod server;
pub(crate) mod smtp;
pub(crate) mod snapcast;
pub(crate) mod wordpress;
pub(crate) mod workspace;

/// Whether this run goes without something on purpose (`LOA_TEST_WITHOUT=postgres,chromium`); says so where it can be read. What
/// is only missing fails its tests.
pub(crate) fn without(what: &str) -> bool {
    let list = std::env::var("LOA_TEST_WITHOUT").unwrap_or_default();
    let is_left_out = list.split([',', ' ']).any(|name| name == what);
    if is_left_out {
        eprintln!("left out: LOA_TEST_WITHOUT contains {what}");
    }
    is_left_out
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL. The functions get a scene of their own.
macro_rules! on_both_databases {
    ($(async fn $name:ident($scene:ident: Scene) $body:block)+) => {
        $(async fn $name($scene: Scene) $body)+

        mod sqlite {
            use super::Scene;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name(Scene::new(None).await).await;
                }
            )+
        }

        mod postgres {
            use super::Scene;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    let Some(database) = crate::support::postgres::database().await else { return };
                    super::$name(Scene::new(Some(database)).await).await;
                }
            )+
        }
    };
}
pub(crate) use on_both_databases;
