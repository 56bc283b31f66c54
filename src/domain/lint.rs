//! The rules by which words for ears and eyes are judged: their names, how severe each is here, and their limits. The
//! judging itself is in `crate::lint`.

/// A rule. Its name is the key under `lint` in `loa.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A spoken sentence that nobody can follow to its end.
    SentenceTooLong,
    /// A telephone number that is said only once.
    NumberNotRepeated,
    /// A script that begins without a greeting.
    NoGreeting,
    /// A script that ends without a sign-off.
    NoSignOff,
    /// Words that only make sense on a screen that can be touched.
    ClickHere,
    /// A chat message longer than the service takes.
    MessageTooLong,
    /// More than a counter screen shows.
    SignTooLong,
    /// A bulletin that nobody can take back in prepared words.
    NoCorrection,
    /// A bulletin that never ends by itself.
    NoExpiry,
    /// A bulletin that ends when nobody remembers it.
    ExpiryTooFar,
    /// A headline that lists and services cut.
    TitleTooLong,
    /// A summary that lists and services cut.
    SummaryTooLong,
    /// Words in capitals, or a row of exclamation marks.
    Shouting,
    /// An article without a summary.
    NoSummary,
    /// A claim without where it comes from.
    ClaimWithoutSource,
    /// A bulletin that does not say what it claims.
    NoClaims,
    /// A bulletin or schedule that has to be approved and does not say who wrote it.
    NoEditors,
}

impl Rule {
    /// All rules, by their codes.
    pub const ALL: [Self; 17] = [
        Self::SentenceTooLong,
        Self::NumberNotRepeated,
        Self::NoGreeting,
        Self::NoSignOff,
        Self::ClickHere,
        Self::MessageTooLong,
        Self::SignTooLong,
        Self::NoCorrection,
        Self::NoExpiry,
        Self::ExpiryTooFar,
        Self::TitleTooLong,
        Self::SummaryTooLong,
        Self::Shouting,
        Self::NoSummary,
        Self::ClaimWithoutSource,
        Self::NoClaims,
        Self::NoEditors,
    ];

    /// The name in `loa.yaml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SentenceTooLong => "sentence-too-long",
            Self::NumberNotRepeated => "number-not-repeated",
            Self::NoGreeting => "no-greeting",
            Self::NoSignOff => "no-sign-off",
            Self::ClickHere => "click-here",
            Self::MessageTooLong => "message-too-long",
            Self::SignTooLong => "sign-too-long",
            Self::NoCorrection => "no-correction",
            Self::NoExpiry => "no-expiry",
            Self::ExpiryTooFar => "expiry-too-far",
            Self::TitleTooLong => "title-too-long",
            Self::SummaryTooLong => "summary-too-long",
            Self::Shouting => "shouting",
            Self::NoSummary => "no-summary",
            Self::ClaimWithoutSource => "claim-without-source",
            Self::NoClaims => "no-claims",
            Self::NoEditors => "no-editors",
        }
    }

    /// How severe it is where `loa.yaml` does not say: what a service refuses and what an approver cannot check are
    /// mistakes, everything else is advice.
    #[must_use]
    pub fn default_level(self) -> Level {
        match self {
            Self::MessageTooLong | Self::ClaimWithoutSource => Level::Error,
            _ => Level::Warning,
        }
    }
}

/// How severe a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not judged.
    Off,
    /// Advice; the workspace is used all the same.
    Warning,
    /// A mistake that keeps the workspace from being used.
    Error,
}

impl Level {
    /// All levels, low to high.
    pub const ALL: [Self; 3] = [Self::Off, Self::Warning, Self::Error];

    /// The word in `loa.yaml`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How much is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Syllables in a spoken sentence.
    pub sentence_syllables: usize,
    /// Characters in a chat message.
    pub message_characters: usize,
    /// Characters on a counter screen.
    pub sign_characters: usize,
    /// Characters in a headline.
    pub title_characters: usize,
    /// Characters in an article's summary.
    pub summary_characters: usize,
    /// Days on which one bulletin may air.
    pub validity_days: usize,
}

impl Default for Limits {
    /// A sentence of 30 syllables takes ten seconds at the 160 to 190 syllables a minute that outdoor horns need; longer
    /// ones are forgotten before they end. Zalo takes 2,000 characters in a text message (developers.esms.vn, "Tin Zalo
    /// Tư vấn dạng văn bản"); of an article's title it refuses 150 and of its description 300 characters, and services
    /// in production keep to 140 and 250.
    fn default() -> Self {
        Self {
            sentence_syllables: 30,
            message_characters: 2_000,
            sign_characters: 160,
            title_characters: 140,
            summary_characters: 250,
            validity_days: 366,
        }
    }
}

/// `lint` of `loa.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintSettings {
    levels: [Level; Rule::ALL.len()],
    /// How much is too much.
    pub limits: Limits,
}

impl Default for LintSettings {
    fn default() -> Self {
        Self {
            levels: Rule::ALL.map(Rule::default_level),
            limits: Limits::default(),
        }
    }
}

impl LintSettings {
    /// Every rule at `level`.
    #[must_use]
    pub fn all(level: Level) -> Self {
        Self {
            levels: [level; Rule::ALL.len()],
            limits: Limits::default(),
        }
    }

    /// How severe `rule` is.
    #[must_use]
    pub fn level(&self, rule: Rule) -> Level {
        self.levels[rule as usize]
    }

    /// Makes `rule` as severe as `level`.
    pub fn set(&mut self, rule: Rule, level: Level) {
        self.levels[rule as usize] = level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_their_numbers() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, index);
        }
        let mut settings = LintSettings::all(Level::Off);
        settings.set(Rule::NoSummary, Level::Error);
        assert_eq!(settings.level(Rule::NoSummary), Level::Error);
        assert_eq!(settings.level(Rule::Shouting), Level::Off);
    }
}
