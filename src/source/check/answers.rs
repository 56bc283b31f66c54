//! Recipes that take too much for a yes: a status that everything has, a redirect wherever it leads, and a device that only waits for one
//! that has spoken.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    adapter::recipe::CompiledRecipe,
    diagnostic::{Code, Diagnostic, Phrase},
    domain::{
        channel::{AdapterConfig, ChannelKind},
        recipe::{Body, Confirm, Expected, Match, Recipe, StatusRange, WHATEVER},
        workspace::Workspace,
    },
    source::{notebook::Notebook, raw::recipe::RawRecipe},
};

use super::recipes::place_at;

/// The status that login pages, routers and interfaces that say their errors in the body give to everything.
const OK: u16 = 200;

/// The statuses that send somebody elsewhere (RFC 9110, section 15.4).
const REDIRECTS: [u16; 5] = [301, 302, 303, 307, 308];

pub(super) fn check(notebook: &Notebook, workspace: &Workspace, recipes: &[RawRecipe]) {
    for raw in recipes {
        // With stand-ins in it, it would be told mistakes that nobody made.
        if notebook.has_errors_in(raw.at.file.path()) {
            continue;
        }
        let recipe = &raw.recipe;
        let tell = |code, path: &str, help| {
            let found = Diagnostic::new(code, place_at(raw, path));
            notebook.report(found.help(Phrase::new(help)));
        };
        if is_bare(&recipe.accepted.when)
            && !tells_apart(recipe, &[OK], |line| !line.is_of_status())
        {
            tell(Code::StatusAlone, "accepted", "L294-help");
        } else if trusts_graphql(recipe) {
            tell(Code::StatusAlone, "accepted", "L294-help-graphql");
        }
        if follows_anywhere(&recipe.accepted.when)
            && !tells_apart(recipe, &REDIRECTS, looks_where_it_leads)
        {
            tell(Code::AnyRedirect, "accepted", "L296-help");
        }
        let Some(confirm) = &recipe.confirm else {
            continue;
        };
        if waits(&confirm.confirmed) {
            tell(
                Code::ConfirmedEarly,
                "confirm.confirmed",
                "L297-help-waiting",
            );
        } else if !is_of_site(workspace, recipe, confirm)
            && CompiledRecipe::new(recipe).is_ok_and(|read| read.confirms_what_it_accepts())
        {
            tell(Code::ConfirmedEarly, "confirm.confirmed", "L297-help");
        }
    }
}

/// Whether an answer of 200 is taken for a yes whatever it says, and nobody wrote that this is meant so.
fn is_bare(accepted: &Match) -> bool {
    let has = |range: &StatusRange| (range.low..=range.high).contains(&OK);
    let is_ok = accepted.status.is_empty() || accepted.status.iter().any(has);
    is_ok && accepted.header.is_empty() && accepted.is_of_status() && accepted.pattern.is_none()
}

/// Whether a mutation of GraphQL that says its errors beside what it gives is taken for done where it only answered: `data` is there
/// in any case.
fn trusts_graphql(recipe: &Recipe) -> bool {
    let Body::Json(body) = &recipe.request.body else {
        return false;
    };
    let query = body.get("query").and_then(serde_json::Value::as_str);
    let says_errors =
        query.is_some_and(|query| query.contains("mutation") && query.contains("rrors"));
    let accepted = &recipe.accepted.when;
    let mut asked = accepted.json.iter();
    let is_shallow = |(pointer, expected): (&String, &Expected)| {
        pointer.matches('/').count() <= 2 && *expected == Expected::Text("*".to_owned())
    };
    says_errors && accepted.text.is_none() && accepted.pattern.is_none() && asked.all(is_shallow)
}

/// Whether a redirect is a yes wherever it leads: to the login page of a session that has ended, too.
fn follows_anywhere(accepted: &Match) -> bool {
    let leads = |range: &StatusRange| {
        let mut all = REDIRECTS.iter();
        all.any(|status| (range.low..=range.high).contains(status))
    };
    accepted.status.iter().any(leads) && !looks_where_it_leads(accepted) && accepted.is_of_status()
}

fn looks_where_it_leads(of: &Match) -> bool {
    let mut headers = of.header.keys();
    headers.any(|name| name.eq_ignore_ascii_case("location"))
}

/// Whether a line of `errors` says what a no looks like that comes with one of `statuses`.
fn tells_apart(recipe: &Recipe, statuses: &[u16], looks: impl Fn(&Match) -> bool) -> bool {
    let has = |range: &StatusRange| {
        let mut statuses = statuses.iter();
        statuses.any(|status| (range.low..=range.high).contains(status))
    };
    let mut lines = recipe.errors.iter().map(|rule| &rule.when);
    lines.any(|line| (line.status.is_empty() || line.status.iter().any(has)) && looks(line))
}

/// Whether it is about pages: that one is still published is what its site said when it took it.
fn is_of_site(workspace: &Workspace, recipe: &Recipe, confirm: &Confirm) -> bool {
    let mut channels = workspace.channels.values();
    let is_site = channels.any(|channel| {
        let uses =
            matches!(&channel.adapter, AdapterConfig::Recipe { recipe: of, .. } if *of == recipe.id);
        uses && channel.kind == ChannelKind::Website
    });
    let has_update = recipe
        .find
        .as_ref()
        .is_some_and(|find| find.update.is_some());
    is_site || has_update || confirm.later.is_some_and(|later| later.after.is_some())
}

/// Words of a device that has not begun.
static WAITING: LazyLock<Regex> = LazyLock::new(|| {
    // Where something counts what waits (`"pending": 0`) the word is a name.
    Regex::new(r#"(?i)(?:^|[^a-z])(?:queued|enqueued|pending|waiting)(?:$|[^a-z"'\\:=\s]|["'\\\s]+(?:$|[^"'\\:=\s]))"#)
        .expect("a pattern")
});

/// Whether what counts as done is, among others, that it waits.
fn waits(confirmed: &Match) -> bool {
    let values = confirmed.json.values().chain(confirmed.header.values());
    let values = values.map(|expected| match expected {
        Expected::Text(text) | Expected::Pattern(text) => text.as_str(),
    });
    let texts = [&confirmed.text, &confirmed.pattern];
    let texts = texts.into_iter().flatten().map(String::as_str);
    values
        .chain(texts)
        .filter(|text| *text != WHATEVER)
        .any(|text| WAITING.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_what_waits_are_known() {
        for (text, expected) in [
            ("queued", true),
            ("^(QUEUED|RUNNING|DONE)$", true),
            ("<ns7:state>(QUEUED|RUNNING|DONE)<", true),
            (r#""state":"pending""#, true),
            (r#""state":"pending","#, true),
            ("played", false),
            ("dequeued", false),
            (r#""pending":0"#, false),
            (r#""pending" : 0"#, false),
            ("waiting=0", false),
            ("the queue is empty", false),
        ] {
            let confirmed = Match {
                pattern: Some(text.to_owned()),
                ..Match::default()
            };
            assert_eq!(waits(&confirmed), expected, "{text}");
        }
    }

    #[test]
    fn a_status_that_everything_has_says_nothing() {
        let accepted = |low, high, pattern: Option<&str>| Match {
            status: vec![StatusRange { low, high }],
            pattern: pattern.map(str::to_owned),
            ..Match::default()
        };
        assert!(is_bare(&Match::default()));
        assert!(is_bare(&accepted(200, 299, None)));
        assert!(!is_bare(&accepted(200, 299, Some(WHATEVER))));
        assert!(!is_bare(&accepted(200, 200, Some("^$"))));
        assert!(!is_bare(&accepted(202, 202, None)));
        assert!(follows_anywhere(&accepted(302, 303, Some(WHATEVER))));
        assert!(!follows_anywhere(&accepted(302, 302, Some("saved"))));
        assert!(!follows_anywhere(&accepted(304, 304, None)));
    }
}
