//! Which service the words for it mean: a verified account is one on its own service only.

use super::{SERVICES, Token};

/// What services are called besides their names.
const NICKNAMES: [(&str, &str); 21] = [
    ("zal0", "zalo"),
    ("zallo", "zalo"),
    ("zaloo", "zalo"),
    ("zalô", "zalo"),
    ("zl", "zalo"),
    ("lo", "zalo"),
    ("lô", "zalo"),
    ("oa", "zalo"),
    ("face", "facebook"),
    ("fb", "facebook"),
    ("phây", "facebook"),
    ("book", "facebook"),
    ("búc", "facebook"),
    ("fanpage", "facebook"),
    ("messenger", "facebook"),
    ("mess", "facebook"),
    ("tele", "telegram"),
    ("gram", "telegram"),
    ("tok", "tiktok"),
    ("tube", "youtube"),
    ("insta", "instagram"),
];

/// The service that a word is for, under its usual name.
pub(in crate::contacts) fn service(word: &str) -> Option<&'static str> {
    let nickname = NICKNAMES.iter().find(|(nickname, _)| *nickname == word);
    let name = || SERVICES.iter().find(|name| **name == word).copied();
    nickname.map(|(_, name)| *name).or_else(name)
}

/// The service that words which lead to a name speak of: the one that is named, not the sort of account on it.
pub(super) fn meant(tokens: &[Token]) -> Option<&'static str> {
    let sort = |token: &&Token| matches!(token.text.as_str(), "oa" | "fanpage");
    let named = tokens.iter().filter(|token| !sort(token));
    let named = named.filter_map(|token| service(&token.text)).next_back();
    named.or_else(|| tokens.iter().find_map(|token| service(&token.text)))
}
