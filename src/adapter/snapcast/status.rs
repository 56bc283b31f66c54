//! What Snapserver says of itself (`Server.GetStatus`), as far as one stream and its loudspeakers go. Seen at 0.26.

use serde_json::Value;

use super::pcm::Format;

/// The port of a source where its address has none.
pub(super) const USUAL_PORT: u16 = 4953;

/// What the server says of a stream.
#[derive(Debug, PartialEq)]
pub(super) struct Status {
    /// Whether nothing plays there.
    pub(super) is_free: bool,
    /// Where its sound goes in; `None` where it comes from elsewhere.
    pub(super) port: Option<u16>,
    /// How it is packed; `None` where that is not said.
    pub(super) format: Option<Format>,
    /// All groups of loudspeakers.
    pub(super) groups: Vec<Group>,
}

/// Loudspeakers that play the same.
#[derive(Debug, PartialEq)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    /// What they play.
    pub(super) stream: String,
    pub(super) is_muted: bool,
    pub(super) clients: Vec<Client>,
}

/// One loudspeaker.
#[derive(Debug, PartialEq)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) is_connected: bool,
    pub(super) is_muted: bool,
    pub(super) percent: u64,
}

/// Why there is nothing to be said.
#[derive(Debug, PartialEq)]
pub(super) enum Odd {
    /// It is no such answer.
    Unlike,
    /// There is no such stream; these are.
    NoStream(Vec<String>),
}

fn text(value: &Value, place: &str) -> String {
    let text = value.pointer(place).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn flag(value: &Value, place: &str) -> bool {
    value
        .pointer(place)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

fn list<'v>(value: &'v Value, place: &str) -> Option<&'v Vec<Value>> {
    value.pointer(place)?.as_array()
}

impl Status {
    /// Reads the result of `Server.GetStatus`.
    pub(super) fn read(result: &Value, stream: &str) -> Result<Self, Odd> {
        let streams = list(result, "/server/streams").ok_or(Odd::Unlike)?;
        let groups = list(result, "/server/groups").ok_or(Odd::Unlike)?;
        let id = |stream: &Value| text(stream, "/id");
        let ours = streams.iter().find(|known| id(known) == stream);
        let ours = ours.ok_or_else(|| Odd::NoStream(streams.iter().map(id).collect()))?;
        Ok(Self {
            is_free: text(ours, "/status") != "playing",
            port: port(ours),
            format: Format::parse(&text(ours, "/uri/query/sampleformat")),
            groups: groups.iter().map(Group::read).collect(),
        })
    }

    /// The loudspeakers that hear the stream now.
    pub(super) fn hearing(&self, stream: &str) -> impl Iterator<Item = &Client> {
        let groups = self.groups.iter();
        let ours = groups.filter(move |group| group.stream == stream && !group.is_muted);
        let clients = ours.flat_map(|group| &group.clients);
        clients.filter(|client| client.is_connected && !client.is_muted && client.percent > 0)
    }
}

/// The port on which the server waits for a stream's sound.
fn port(stream: &Value) -> Option<u16> {
    // Otherwise the server itself calls somebody.
    let waits = matches!(text(stream, "/uri/query/mode").as_str(), "" | "server");
    if text(stream, "/uri/scheme") != "tcp" || !waits {
        return None;
    }
    let host = text(stream, "/uri/host");
    let port = match host.rsplit_once(':') {
        Some((_, port)) => port.parse().ok()?,
        None => USUAL_PORT,
    };
    (port > 0).then_some(port)
}

impl Group {
    fn read(value: &Value) -> Self {
        let clients = list(value, "/clients").map(Vec::as_slice);
        Self {
            id: text(value, "/id"),
            name: text(value, "/name"),
            stream: text(value, "/stream_id"),
            is_muted: flag(value, "/muted"),
            clients: clients
                .unwrap_or_default()
                .iter()
                .map(Client::read)
                .collect(),
        }
    }
}

impl Client {
    fn read(value: &Value) -> Self {
        let percent = value.pointer("/config/volume/percent");
        Self {
            id: text(value, "/id"),
            is_connected: flag(value, "/connected"),
            is_muted: flag(value, "/config/volume/muted"),
            percent: percent.and_then(Value::as_u64).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stream(scheme: &str, host: &str, query: &Value) -> Value {
        json!({ "id": "loa", "status": "idle", "uri": { "scheme": scheme, "host": host, "query": query } })
    }

    #[test]
    fn sound_goes_in_where_the_server_waits_for_it() {
        let query = |mode: &str| json!({ "mode": mode, "sampleformat": "22050:16:1" });
        for (stream, expected) in [
            (stream("tcp", "0.0.0.0:4954", &query("server")), Some(4954)),
            (stream("tcp", "[::]:4954", &query("server")), Some(4954)),
            (stream("tcp", "0.0.0.0", &query("server")), Some(4953)),
            (stream("tcp", "0.0.0.0:4954", &json!({})), Some(4954)),
            (stream("tcp", "10.1.5.2:4954", &query("client")), None),
            (stream("pipe", "", &query("create")), None),
            (stream("tcp", "0.0.0.0:x", &query("server")), None),
            (stream("tcp", "0.0.0.0:0", &query("server")), None),
        ] {
            assert_eq!(port(&stream), expected, "{stream}");
        }
    }

    #[test]
    fn only_loudspeakers_that_are_there_and_not_silent_hear() {
        let client = |id: &str, connected: bool, muted: bool, percent: u8| json!({ "id": id, "connected": connected, "config": { "volume": { "muted": muted, "percent": percent } } });
        let group = |stream: &str, muted: bool, clients: Value| json!({ "id": stream, "name": "", "stream_id": stream, "muted": muted, "clients": clients });
        let result = json!({ "server": {
            "streams": [stream("tcp", "0.0.0.0:4953", &json!({})), { "id": "khac", "status": "playing" }],
            "groups": [
                group("loa", false, json!([
                    client("mot", true, false, 40), client("hai", false, false, 40), client("ba", true, true, 40), client("bon", true, false, 0),
                ])),
                group("loa", true, json!([client("nam", true, false, 40)])),
                group("khac", false, json!([client("sau", true, false, 40)])),
            ],
        }});
        let status = Status::read(&result, "loa").unwrap();
        let hearing: Vec<_> = status
            .hearing("loa")
            .map(|client| client.id.as_str())
            .collect();
        assert_eq!((hearing, status.is_free), (vec!["mot"], true));
        assert!(!Status::read(&result, "khac").unwrap().is_free);
        let known = vec!["loa".to_owned(), "khac".to_owned()];
        assert_eq!(Status::read(&result, "la"), Err(Odd::NoStream(known)));
        for other in [
            json!({}),
            json!({ "server": { "streams": [] } }),
            json!(null),
        ] {
            assert_eq!(Status::read(&other, "loa"), Err(Odd::Unlike), "{other}");
        }
    }
}
