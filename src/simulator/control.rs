//! The control address: JSON over HTTP below `/_city/`, for people and for tests that run elsewhere.
//!
//! | call | does |
//! |---|---|
//! | `POST /_city/devices {"host": …, "recognises_repeats"?: bool, "mail"?: bool}` | gives `{"host", "address"}` of that device |
//! | `POST /_city/pages {"host": …, "title": …, "html": …}` | has a clerk publish a page there by hand |
//! | `GET /_city/heard?host=&kind=&effect=&key=&limit=` | `{"heard": […]}`, the newest entries, oldest first |
//! | `GET /_city/summary` | counts, devices, and keys that had their effect more than once |
//! | `GET /_city/faults` | `{"faults": […]}` in force |
//! | `POST /_city/faults` | puts a fault in force: see [`super::FaultOrder`] |
//! | `DELETE /_city/faults?host=` | takes faults back: `{"cleared": n}` |

use std::sync::Arc;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    CityError,
    device::REST,
    fault::FaultOrder,
    memory::HeardFilter,
    pause,
    registry::Registry,
    wire::{Answer, Request, Wire},
};

/// How many entries are listed when nobody says.
const LISTED: usize = 1_000;

/// Serves the control address until the city stops.
pub(super) async fn serve(registry: Arc<Registry>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = registry.stopped() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(Arc::clone(&registry), stream));
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the city's control address cannot let callers in");
                    pause(REST).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(error = &error as &dyn std::error::Error, "a control connection died");
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn converse(registry: Arc<Registry>, stream: TcpStream) {
    let mut wire = Wire::new(stream);
    while wire.begins().await {
        let request = match wire.read().await {
            Ok(request) => request,
            Err(error) => return wire.refuse(&error).await,
        };
        let answer = answer(&registry, &request)
            .await
            .unwrap_or_else(|refusal| refusal);
        if wire
            .write(&answer.encode(request.keep_alive))
            .await
            .is_err()
        {
            return;
        }
        if !request.keep_alive {
            return wire.close().await;
        }
    }
}

/// An order for a device.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceOrder {
    host: String,
    #[serde(default)]
    recognises_repeats: Option<bool>,
    #[serde(default)]
    mail: bool,
}

/// A page that a clerk publishes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageOrder {
    host: String,
    title: String,
    html: String,
}

async fn answer(registry: &Arc<Registry>, request: &Request) -> Result<Answer, Answer> {
    let said = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/_city/devices") => {
            let order: DeviceOrder = read(request)?;
            let address = registry
                .device(&order.host, order.recognises_repeats, order.mail)
                .map_err(|error| refusal(&error))?;
            json!({"host": order.host, "address": address})
        }
        ("POST", "/_city/pages") => {
            let PageOrder { host, title, html } = read(request)?;
            let pasted = registry.paste(&host, &title, &html);
            pasted.map_err(|error| refusal(&error))?;
            json!({"ok": true})
        }
        ("GET", "/_city/heard") => {
            let filter = HeardFilter {
                host: request.parameter("host"),
                kind: word(request, "kind")?,
                effect: word(request, "effect")?,
                key: request.parameter("key"),
            };
            json!({"heard": registry.heard(&filter, word(request, "limit")?.unwrap_or(LISTED))})
        }
        ("GET", "/_city/summary") => json!(registry.summary()),
        ("GET", "/_city/faults") => json!({"faults": registry.faults()}),
        ("POST", "/_city/faults") => {
            let order: FaultOrder = read(request)?;
            registry
                .add_fault(order)
                .await
                .map_err(|error| refusal(&error))?;
            json!({"ok": true})
        }
        ("DELETE", "/_city/faults") => {
            let host = request.parameter("host").filter(|host| !host.is_empty());
            let cleared = registry
                .clear_faults(host.as_deref())
                .await
                .map_err(|error| refusal(&error))?;
            json!({"cleared": cleared})
        }
        (
            _,
            "/_city/devices" | "/_city/pages" | "/_city/heard" | "/_city/summary" | "/_city/faults",
        ) => {
            return Err(complaint(405, "no such method here"));
        }
        _ => return Err(complaint(404, "nothing here; try /_city/summary")),
    };
    Ok(Answer::json(200, &said))
}

/// Reads a request's body.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Answer> {
    serde_json::from_slice(&request.body).map_err(|error| complaint(400, &error.to_string()))
}

/// Reads a query parameter as one of a type's words or numbers; empty means not given.
fn word<T: DeserializeOwned>(request: &Request, name: &str) -> Result<Option<T>, Answer> {
    let Some(text) = request.parameter(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let value = text.parse::<u64>().map_or(Value::String(text), Value::from);
    serde_json::from_value(value)
        .map(Some)
        .map_err(|error| complaint(400, &format!("{name}: {error}")))
}

fn refusal(error: &CityError) -> Answer {
    let status = match error {
        CityError::InvalidHost { .. }
        | CityError::InvalidFault { .. }
        | CityError::NotLoopback { .. } => 400,
        CityError::Full | CityError::Bind { .. } | CityError::Record(_) | CityError::Stopped => 503,
    };
    complaint(status, &error.to_string())
}

fn complaint(status: u16, words: &str) -> Answer {
    Answer::json(status, &json!({"error": words}))
}
