//! Which article a lost answer may have made: one of the title, and neither somebody else's nor another delivery's.

use std::{collections::BTreeSet, time::Duration};

use loa::domain::message::Kept;
use serde_json::{Value, json};

use super::steps::{MORNING, adapter, config, message, noted, play, title, yes};
use crate::support::city::at;

/// What is called where the list has these articles, after the answer to their making was lost.
fn called(articles: &Value, others: &[&str]) -> Vec<String> {
    let begun = at(MORNING);
    let kept = Kept {
        others: others
            .iter()
            .map(|id| (*id).to_owned())
            .collect::<BTreeSet<_>>(),
        ..noted(&json!({ "step": "creating" }), false, begun)
    };
    let message = message(kept, begun + Duration::from_mins(2));
    let list = yes(&json!({ "medias": articles }));
    let (calls, done, _) = play(&adapter(&config()), &message, vec![list]);
    let loa::adapter::Step::Call(request) =
        loa::adapter::Adapter::step(&adapter(&config()), &message, &done)
    else {
        panic!("{calls:?}")
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    vec![
        calls[1].clone(),
        body["id"].as_str().unwrap_or("-").to_owned(),
    ]
}

#[test]
fn an_article_is_taken_up_where_it_can_be_this_ones() {
    let own = title();
    let of = |id: &str, made: Value| json!({ "id": id, "title": own, "create_date": made });
    // Seconds and milliseconds, numbers and texts; ten minutes are for clocks.
    let begun = at(MORNING).as_micros() / 1_000;
    let (day, before, after) = (begun - 86_400_000, begun - 300_000, begun + 5_000);
    let look = "getslice?offset=0&limit=10&type=normal -";
    for (name, articles, others, expected) in [
        (
            "made since",
            json!([of("a7", json!(after))]),
            vec![],
            ["update updating", "a7"],
        ),
        (
            "clocks differ",
            json!([of("a7", json!(before))]),
            vec![],
            ["update updating", "a7"],
        ),
        (
            "nothing is said of that",
            json!([{ "id": "a7", "title": own }]),
            vec![],
            ["update updating", "a7"],
        ),
        (
            "made by hand, long ago",
            json!([of("a7", json!(day))]),
            vec![],
            [look, "-"],
        ),
        (
            "in seconds, as a text",
            json!([of("a7", json!((day / 1_000).to_string()))]),
            vec![],
            [look, "-"],
        ),
        (
            "another channel's",
            json!([of("a7", json!(after))]),
            vec!["a7"],
            [look, "-"],
        ),
        (
            "its own stands behind theirs",
            json!([
                of("a9", json!(after)),
                of("a8", json!(day)),
                of("a7", json!(after))
            ]),
            vec!["a9"],
            ["update updating", "a7"],
        ),
    ] {
        assert_eq!(called(&articles, &others), expected, "{name}");
    }
}
