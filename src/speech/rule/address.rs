//! Web addresses, e-mail addresses, accounts and hashtags.

use super::Said;
use crate::speech::{
    ProblemKind, lexicon,
    scene::Scene,
    token::{Kind, Token},
};

/// How long an address may be, in tokens.
const REACH: usize = 60;

/// Endings that make a dotted name an address.
const ENDINGS: [&str; 52] = [
    "ly", "gl", "us", "uk", "jp", "cn", "kr", "sg", "eu", "ru", "dev", "page", "store", "live",
    "pro", "win", "bet", "fun", "life", "cloud", "tech", "blog", "bio", "loan", "icu", "buzz",
    "click", "mobi", "vn", "com", "net", "org", "gov", "edu", "info", "io", "me", "top", "xyz",
    "site", "online", "club", "cc", "co", "app", "asia", "tv", "biz", "shop", "link", "vip",
    "example",
];

/// Whether a name or a file may end in `word`.
pub(super) fn is_ending(word: &str) -> bool {
    ENDINGS.contains(&word) || matches!(word, "apk" | "exe" | "pdf" | "doc" | "zip" | "ipa")
}

/// Web and e-mail addresses.
pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    if !matches!(scene.token(0).kind, Kind::Word | Kind::Number) || scene.is_glued() {
        return None;
    }
    // The scheme is not spoken.
    let mut start = 0;
    if matches!(scene.word(0), "http" | "https")
        && scene.token(1).is_sign(":")
        && scene.token(2).is_sign("//")
    {
        start = 3;
    }
    let mut parts = Vec::new();
    let mut is_mail = false;
    let mut at = start;
    // Names of letters, digits, hyphens and underscores, with dots or one @ between.
    loop {
        let part = label(scene, at)?;
        at += part;
        parts.push((at - part, at));
        let sign = scene.token(at).text;
        let goes_on = matches!(sign, "." | "@")
            && matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number);
        if !goes_on || at > REACH {
            break;
        }
        is_mail |= sign == "@";
        at += 1;
    }
    let last = scene.token(at - 1);
    let is_address = start > 0
        || is_mail
        || (parts.len() > 1 && ENDINGS.contains(&&*last.lower) && is_ascii(scene, start, at));
    if !is_address || parts.is_empty() {
        return None;
    }
    let path = path(scene, at);
    let www = usize::from(scene.word(start) == "www" && scene.token(start + 1).is_sign(".")) * 2;
    let name: String = (start + www..at)
        .map(|ahead| &*scene.token(ahead).lower)
        .collect();
    let mut problem = None;
    let mut text = if let Some(alias) = scene.speech.addresses.get(name.as_str()) {
        alias.clone()
    } else {
        let mut text = String::new();
        for (from, to) in parts.iter().filter(|(from, _)| *from >= start + www) {
            if !text.is_empty() {
                text.push_str(if scene.token(from - 1).text == "@" {
                    " a còng "
                } else {
                    " chấm "
                });
            }
            let (spoken, is_known) = spoken_part(scene, *from, *to);
            text.push_str(&spoken);
            if !is_known {
                problem = Some(ProblemKind::UnknownAddress);
            }
        }
        text
    };
    for (from, to) in &path.parts {
        let (spoken, is_known) = spoken_part(scene, *from, *to);
        text.push_str(" gạch chéo ");
        text.push_str(&spoken);
        if !is_known {
            problem = Some(ProblemKind::UnknownAddress);
        }
    }
    Some(Said {
        tokens: path.end,
        text,
        problem,
    })
}

fn is_ascii(scene: &Scene<'_>, from: usize, to: usize) -> bool {
    (from..to).all(|ahead| scene.token(ahead).text.is_ascii())
}

/// How many tokens a name takes that begins at `at`; `None` when none begins there.
fn label(scene: &Scene<'_>, at: usize) -> Option<usize> {
    let mut length = 0;
    while length < REACH {
        let token = scene.token(at + length);
        let is_inside = matches!(token.kind, Kind::Word | Kind::Number)
            || (length > 0
                && matches!(token.text, "-" | "_")
                && matches!(scene.token(at + length + 1).kind, Kind::Word | Kind::Number));
        if !is_inside {
            break;
        }
        length += 1;
    }
    (length > 0).then_some(length)
}

/// The parts of a path and where it ends.
struct Path {
    parts: Vec<(usize, usize)>,
    end: usize,
}

fn path(scene: &Scene<'_>, at: usize) -> Path {
    let mut path = Path {
        parts: Vec::new(),
        end: at,
    };
    let mut at = at;
    while scene.token(at).is_sign("/") && at < REACH {
        let Some(length) = label(scene, at + 1) else {
            path.end = at + 1;
            return path;
        };
        path.parts.push((at + 1, at + 1 + length));
        at += 1 + length;
        path.end = at;
    }
    // Questions and fragments are nothing that anybody could write down from hearing.
    if matches!(scene.token(at).text, "?" | "#")
        && matches!(scene.token(at + 1).kind, Kind::Word | Kind::Number)
    {
        while at < REACH
            && !matches!(scene.token(at).kind, Kind::Space | Kind::Break)
            && !matches!(scene.token(at).text, ")" | "”" | "\"")
        {
            at += 1;
        }
        path.parts.push((path.end, at));
        path.end = at;
    }
    path
}

/// How a part of an address is spoken, and whether anybody knows it.
fn spoken_part(scene: &Scene<'_>, from: usize, to: usize) -> (String, bool) {
    let lexicon = lexicon::builtin();
    let whole: String = (from..to).map(|ahead| &*scene.token(ahead).lower).collect();
    if let Some(spoken) = scene.speech.addresses.get(whole.as_str()) {
        return (spoken.clone(), true);
    }
    if let Some(spoken) = lexicon.addresses.get(whole.as_str()) {
        return ((*spoken).to_owned(), true);
    }
    let mut is_known = true;
    let mut spoken: Vec<String> = Vec::new();
    for token in (from..to).map(|ahead| scene.token(ahead)) {
        spoken.push(piece(token, &mut is_known));
    }
    (spoken.join(" "), is_known)
}

fn piece(token: &Token<'_>, is_known: &mut bool) -> String {
    let lexicon = lexicon::builtin();
    match token.kind {
        Kind::Number => crate::speech::number::one_by_one(token.text),
        Kind::Sign if token.text == "-" => "gạch ngang".to_owned(),
        Kind::Sign if token.text == "_" => "gạch dưới".to_owned(),
        Kind::Word => {
            let lower = &*token.lower;
            if let Some(spoken) = lexicon.addresses.get(lower) {
                return (*spoken).to_owned();
            }
            // A syllable without its marks may be several words: nobody can type what was only guessed.
            if lexicon.foreign.contains(lower) {
                return lower.to_owned();
            }
            if token.text.len() == 1 {
                return lexicon::spell(lower).unwrap_or_default();
            }
            *is_known = false;
            lower.to_owned()
        }
        _ => {
            *is_known = false;
            String::new()
        }
    }
}

/// `#PhongChongLuaDao`, `@canhbao`.
pub(super) fn hashtag(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    let mark = token.text;
    if !matches!(mark, "#" | "@") || !scene.token(1).is(Kind::Word) || scene.is_glued() {
        return None;
    }
    let length = label(scene, 1)?;
    let is_known = (1..=length).all(|ahead| {
        let token = scene.token(ahead);
        !token.is(Kind::Word) || super::word::is_spoken(&token.lower)
    });
    let words: Vec<String> = (1..=length)
        .map(|ahead| scene.token(ahead))
        .filter(|token| !token.is(Kind::Sign))
        .map(|token| match token.kind {
            Kind::Number => crate::speech::number::cardinal(token.text, scene.speech.voice),
            _ => token.text.to_owned(),
        })
        .collect();
    let words = words.join(" ");
    let text = if mark == "@" {
        format!("a còng {words}")
    } else {
        words
    };
    Some(if is_known {
        Said::new(1 + length, text)
    } else {
        Said::wrong(1 + length, text, ProblemKind::UnknownAddress)
    })
}
