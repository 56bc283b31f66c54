//! How bulletins are spoken: the editors' readings, the region's words for numbers, and the speaking rate.
//!
//! Data only; `crate::speech` reads with it.

use std::time::Duration;

/// The three great dialects. Each has its own words for numbers and its own voices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Region {
    /// *miền Bắc*
    #[default]
    North,
    /// *miền Trung*
    Central,
    /// *miền Nam*
    South,
}

impl Region {
    /// All regions, north to south.
    pub const ALL: [Self; 3] = [Self::North, Self::Central, Self::South];

    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::North => "north",
            Self::Central => "central",
            Self::South => "south",
        }
    }
}

/// The word between hundreds and units: 101 is *một trăm linh một* or *một trăm lẻ một*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Linh {
    /// *linh*, in the North.
    Linh,
    /// *lẻ*, in the South.
    Le,
}

impl Linh {
    /// The word itself, which is also the word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linh => "linh",
            Self::Le => "lẻ",
        }
    }
}

/// The word for a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nghin {
    /// *nghìn*, in the North.
    Nghin,
    /// *ngàn*, in the South.
    Ngan,
}

impl Nghin {
    /// The word itself, which is also the word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nghin => "nghìn",
            Self::Ngan => "ngàn",
        }
    }
}

/// How a region says numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Whose dialect it is; also picks the synthesised voice.
    pub region: Region,
    /// The word between hundreds and units.
    pub linh: Linh,
    /// The word for a thousand.
    pub nghin: Nghin,
}

impl Dialect {
    /// What is usual in `region`.
    #[must_use]
    pub fn of(region: Region) -> Self {
        let (linh, nghin) = match region {
            Region::North | Region::Central => (Linh::Linh, Nghin::Nghin),
            Region::South => (Linh::Le, Nghin::Ngan),
        };
        Self {
            region,
            linh,
            nghin,
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::of(Region::default())
    }
}

/// A speaking rate in syllables a minute, pauses included, as it is measured over a whole bulletin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(u16);

impl Rate {
    /// Slower than this nobody speaks.
    pub const SLOWEST: u16 = 100;
    /// Faster than this nobody follows.
    pub const FASTEST: u16 = 320;

    /// A rate, kept between [`Rate::SLOWEST`] and [`Rate::FASTEST`].
    #[must_use]
    pub fn syllables_per_minute(number: u16) -> Self {
        Self(number.clamp(Self::SLOWEST, Self::FASTEST))
    }

    /// Syllables a minute.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Rate {
    /// What a listener under an outdoor horn can follow.
    fn default() -> Self {
        Self(180)
    }
}

/// How much there is to say: syllables, and pauses counted as syllables, in tenths of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Weight(u64);

impl Weight {
    /// The library's syllables for each thousand that it lasts, when pauses are counted as syllables.
    const SPOKEN_PER_MILLE: u64 = 859;

    /// So many tenths of a syllable.
    #[must_use]
    pub fn tenths(tenths: u64) -> Self {
        Self(tenths)
    }

    /// How long that lasts at `rate`.
    #[must_use]
    pub fn at(self, rate: Rate) -> Duration {
        Duration::from_millis(self.0 * 6 * Self::SPOKEN_PER_MILLE / u64::from(rate.get()))
    }
}

/// One reading of an abbreviation or a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// As it is written.
    pub written: String,
    /// As it is spoken.
    pub spoken: String,
    /// It counts only after one of these words or phrases; anywhere where there are none.
    pub before: Vec<String>,
    /// It counts only before one of these words or phrases; anywhere where there are none.
    pub after: Vec<String>,
}

/// What editors add to the built-in readings: `content/speech.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// Abbreviations; capitals and small letters matter. Those with a context come before those without.
    pub abbreviations: Vec<Reading>,
    /// Web addresses and their names in speech, in small letters and without `www.`.
    pub addresses: Vec<(String, String)>,
    /// Words and how they are spoken; capitals do not matter.
    pub words: Vec<Reading>,
}

/// How this installation speaks: `speech` in `loa.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpeechSettings {
    /// The words for numbers.
    pub dialect: Dialect,
    /// The speaking rate of channels that give none.
    pub rate: Rate,
}
