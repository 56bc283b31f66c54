//! A receiver's yes, turned into its no: of its shape stays what tells how it went, and that says that it failed. There is nothing of what
//! would have been made: no number, no address.

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
    let kept = map.into_iter().filter_map(|(name, value)| {
        let value = if value.is_object() || value.is_array() {
            inner(value)?
        } else if is_verdict(&name) {
            no(&name.to_ascii_lowercase(), value)
        } else {
            return None;
        };
        Some((name, value))
    });
    kept.collect()
}

/// What is left of a list or an object; `None` where nothing is.
fn inner(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let map = turned(map);
            (!map.is_empty()).then_some(Value::Object(map))
        }
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(inner).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        _ => None,
    }
}

/// Whether it tells how it went.
fn is_verdict(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "ok" || VERDICTS.iter().any(|part| name.contains(part))
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
                json!({ "code": "1", "data": { "ok": false, "errorCode": 1 } }),
            ),
            (
                json!({ "results": [{ "code": 200, "error": false }], "success": 1, "slug": "tin" }),
                json!({ "results": [{ "code": 500, "error": true }], "success": 0 }),
            ),
            (json!({ "ok": "true" }), json!({ "ok": "false" })),
            (
                json!({ "data": [{ "id": 1, "tags": ["x"] }], "slug": "tin" }),
                json!({ "data": null, "slug": null }),
            ),
            (json!([]), json!({})),
        ] {
            let failed: Value = serde_json::from_str(&of(yes.to_string().as_bytes())).unwrap();
            for (name, value) in no.as_object().unwrap() {
                assert_eq!(&failed[name], value, "{yes}: {failed}");
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
