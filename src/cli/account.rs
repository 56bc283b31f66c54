//! How an account that permits us to act stands, for lists.

use serde::Serialize;

use super::{
    output::{Output, local, rfc3339},
    place::Place,
};
use crate::{
    domain::{detail::Detail, time::Timestamp},
    store::{Store, account::Holding},
};

/// How an account stands.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AccountRow {
    /// `authorised`; `waiting`: between two pairs of tokens; `refused`: its tokens still hold, and there will be no others until
    /// somebody authorises it again; `unauthorised`: nothing can be sent until somebody does.
    pub state: &'static str,
    /// Until when its access token holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who authorised it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What happened when new tokens were asked for last, as a sentence; `null` where nothing did.
    pub detail: Option<String>,
    #[serde(skip)]
    pub said: String,
}

impl AccountRow {
    /// Of what is on record, for the channel `channel`.
    pub(super) fn of(
        holding: Option<&Holding>,
        channel: &str,
        place: &Place,
        now: Timestamp,
        output: &Output,
    ) -> Self {
        let zone = place.zone();
        let state = match holding {
            Some(holding) if holding.is_good(now) && holding.is_refused() => "refused",
            Some(holding) if holding.is_good(now) => "authorised",
            // Between two pairs there may be none for a moment; that is not a person's business.
            Some(holding) if !holding.is_refused() => "waiting",
            _ => "unauthorised",
        };
        let trouble = holding.and_then(|holding| holding.trouble.as_ref());
        let detail = trouble.map(|trouble| match Detail::parse(&trouble.detail) {
            Some(detail) => output.detail(&detail),
            None => trouble.detail.clone(),
        });
        let until = holding.map(|holding| holding.expires);
        let shown = until.map_or_else(String::new, |until| local(until, zone));
        let mut said = output.say(
            &format!("cli.account-{state}"),
            &[("channel", &channel), ("until", &shown)],
        );
        if let Some(detail) = &detail {
            said = format!("{said} {detail}");
        }
        Self {
            state,
            until: until.map(|until| rfc3339(until, zone)),
            by: holding.map(|holding| holding.person.clone()),
            detail,
            said,
        }
    }

    /// Whether a person has something to do.
    pub(super) fn is_wanting(&self) -> bool {
        matches!(self.state, "refused" | "unauthorised")
    }
}

/// The record with what time it is there, for a command that only reads; `None` where nothing has run yet.
pub(super) async fn record(
    place: &Place,
    output: &Output,
) -> anyhow::Result<Option<(Store, Timestamp)>> {
    let Some(store) = place.record_if_any(output).await? else {
        return Ok(None);
    };
    let now = place.now(&store).await?;
    Ok(Some((store, now)))
}
