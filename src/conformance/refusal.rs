//! A receiver's yes, turned into its no: the same shape, in which whatever tells how it went says that it failed, and nothing has a
//! number.

use serde_json::{Map, Value, json};

/// What a verdict is called, or a part of it.
const VERDICTS: [&str; 7] = [
    "status", "state", "result", "code", "success", "error", "accepted",
];

/// The answer of a receiver that says yes with `yes`, where it failed.
pub(super) fn of(yes: &[u8]) -> String {
    let failed = match serde_json::from_slice(yes) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut failed = turned(failed);
    let told = json!({ "status": "failed", "success": false, "error": "failed", "message": "The request could not be carried out" });
    if let Value::Object(told) = told {
        for (name, value) in told {
            failed.entry(name).or_insert(value);
        }
    }
    Value::Object(failed).to_string()
}

fn turned(map: Map<String, Value>) -> Map<String, Value> {
    let kept = map.into_iter().filter(|(name, _)| !is_number(name));
    let turned = kept.map(|(name, value)| {
        let value = match value {
            Value::Object(map) => Value::Object(turned(map)),
            Value::Array(items) => items.into_iter().map(in_list).collect(),
            value if is_verdict(&name) => no(&name.to_ascii_lowercase(), value),
            value => value,
        };
        (name, value)
    });
    turned.collect()
}

fn in_list(item: Value) -> Value {
    match item {
        Value::Object(map) => Value::Object(turned(map)),
        item => item,
    }
}

/// Whether it tells how it went.
fn is_verdict(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "ok" || VERDICTS.iter().any(|part| name.contains(part))
}

/// Whether it is the number that the receiver gave.
fn is_number(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["id", "uuid", "job", "receipt"].contains(&&*lower)
        || lower.ends_with("_id")
        || name.ends_with("Id")
        || name.ends_with("ID")
}

/// The opposite of a verdict.
fn no(name: &str, yes: Value) -> Value {
    let is_error = name.contains("error");
    match yes {
        Value::Bool(_) => is_error.into(),
        Value::Number(number) => opposite(number.as_i64().unwrap_or_default()).into(),
        Value::String(text) => match text.as_str() {
            "true" | "false" => is_error.to_string().into(),
            _ => match text.parse::<i64>() {
                Ok(number) => opposite(number).to_string().into(),
                Err(_) => "failed".into(),
            },
        },
        Value::Null => "failed".into(),
        other => other,
    }
}

/// A number for a failure, where this one is for a success.
fn opposite(number: i64) -> i64 {
    match number {
        0 => 1,
        200..=299 => 500,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_becomes_a_no_of_the_same_shape() {
        for (yes, no) in [
            (
                json!({ "status": "queued", "id": "7" }),
                json!({ "status": "failed" }),
            ),
            (
                json!({ "code": "0", "data": { "ok": true, "jobId": 3, "errorCode": 0, "name": "x" } }),
                json!({ "code": "1", "data": { "ok": false, "errorCode": 1, "name": "x" } }),
            ),
            (
                json!({ "results": [{ "code": 200, "error": false }], "success": 1, "slug": "tin" }),
                json!({ "results": [{ "code": 500, "error": true }], "success": 0, "slug": "tin" }),
            ),
            (json!({ "ok": "true" }), json!({ "ok": "false" })),
            (json!([]), json!({})),
        ] {
            let failed: Value = serde_json::from_str(&of(yes.to_string().as_bytes())).unwrap();
            for (name, value) in no.as_object().unwrap() {
                assert_eq!(&failed[name], value, "{yes}");
            }
            for name in ["status", "success", "error", "message"] {
                assert!(failed.get(name).is_some(), "{yes} {name}");
            }
            assert_eq!(failed.get("id"), None);
        }
        let plain: Value = serde_json::from_str(&of(b"OK")).unwrap();
        assert_eq!(plain["status"], "failed");
    }
}
