//! A channel that is a Zalo Official Account, as its file describes it.

use std::time::Duration;

use chrono::{Datelike as _, NaiveDate};

use super::secret::SecretRef;

/// The least time that all calls of an attempt need together on a channel with articles: five seconds are waited between the
/// looks for an article of which it is not known whether it was made, and the calls take as long again.
pub const ARTICLE_TIME: Duration = Duration::from_secs(10);

/// How an Official Account is reached, and what goes out on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZaloConfig {
    /// The application's id: digits, longer than a 53-bit number, so a text.
    pub app: String,
    /// The Official Account's id; whoever consents has to be its administrator.
    pub oa: String,
    /// The application's secret key.
    pub secret: SecretRef,
    /// The address to which the consent page leads back, as it is registered with the application.
    pub callback: String,
    /// Whether every call proves that it knows the application's secret (`appsecret_proof`).
    pub proof: bool,
    /// Who gets the message, on a channel that carries `message`: Zalo lets an account write to one person at a time.
    pub user: Option<String>,
    /// The picture over every article, as an address that Zalo can fetch; articles have to have one.
    pub cover: Option<String>,
    /// Where Zalo can fetch this program's own pictures (`/anh/`): then an article's own picture is over it. What has none gets `cover`.
    pub pictures: Option<String>,
    /// Whether messages to one person carry the picture of their bulletin's article.
    pub picture: bool,
    /// Who signs articles; the channel's name where nobody is named.
    pub author: Option<String>,
    /// Whether readers may comment on articles.
    pub comments: bool,
    /// What becomes of an article whose bulletin is taken back.
    pub correction: Correction,
    /// When Zalo broadcasts nothing.
    pub quiet: Quiet,
    /// The Official Account's secret key, with which Zalo signs what it reports by itself.
    pub reports: Option<SecretRef>,
    /// What the account's package permits to be broadcast.
    pub quota: Quota,
}

/// What a package permits to be broadcast. Zalo changes its packages, so nothing of that is written into the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quota {
    /// Broadcasts a day.
    pub per_day: Option<u32>,
    /// Broadcasts a month.
    pub per_month: Option<u32>,
    /// What the account's own quota is asked for under (`product_type`) before each broadcast; nothing is asked without it.
    pub product: Option<String>,
}

impl Quota {
    /// Whether it limits anything that can be counted here.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.per_day.is_some() || self.per_month.is_some()
    }

    /// What a broadcast on `day` is one too many of, when those of `earlier` days went out already: the word for it, and how many
    /// there may be.
    #[must_use]
    pub fn exceeded(&self, day: NaiveDate, earlier: &[NaiveDate]) -> Option<(&'static str, u32)> {
        let count = |is_meant: &dyn Fn(&NaiveDate) -> bool| {
            let meant = earlier.iter().filter(|other| is_meant(other));
            u32::try_from(meant.count()).unwrap_or(u32::MAX)
        };
        let month = |day: &NaiveDate| (day.year(), day.month());
        let today = self
            .per_day
            .filter(|most| count(&|other| *other == day) >= *most);
        let this_month = self
            .per_month
            .filter(|most| count(&|other| month(other) == month(&day)) >= *most);
        today
            .map(|most| ("day", most))
            .or_else(|| this_month.map(|most| ("month", most)))
    }
}

/// What becomes of an article whose bulletin is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Correction {
    /// It gets the correction's words: whoever opens what was broadcast reads those.
    #[default]
    Update,
    /// The same, and it is broadcast again.
    Broadcast,
    /// It is taken away.
    Remove,
}

impl Correction {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Update, Self::Broadcast, Self::Remove];

    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Broadcast => "broadcast",
            Self::Remove => "remove",
        }
    }
}

/// The hours in which nothing may be broadcast, as minutes of the day in Vietnam. Where `from` is after `until` they go over midnight;
/// where both are equal there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// The first minute.
    pub from: u16,
    /// The first minute after it.
    pub until: u16,
}

impl Default for Quiet {
    /// 22:00 to 06:00, as Zalo's error -234 says.
    fn default() -> Self {
        Self {
            from: 22 * 60,
            until: 6 * 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_one_too_many() {
        let day = |month, day| NaiveDate::from_ymd_opt(2024, month, day).unwrap();
        let quota = |per_day, per_month| Quota {
            per_day,
            per_month,
            product: None,
        };
        let earlier = [day(3, 1), day(3, 4), day(3, 4), day(2, 28)];
        for (quota, on, expected) in [
            (quota(None, None), day(3, 4), None),
            (quota(Some(2), None), day(3, 4), Some(("day", 2))),
            (quota(Some(3), None), day(3, 4), None),
            (quota(Some(1), Some(9)), day(3, 5), None),
            (quota(Some(1), Some(3)), day(3, 5), Some(("month", 3))),
            (quota(None, Some(4)), day(3, 5), None),
            (quota(None, Some(2)), day(4, 1), None),
        ] {
            assert_eq!(quota.exceeded(on, &earlier), expected, "{quota:?} {on}");
        }
    }
}
