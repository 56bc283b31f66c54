//! What is left of Markdown, HTML and lists: it is for the eye, and is not spoken.

use super::Said;
use crate::speech::{scene::Scene, token::Kind, wrap::BULLETS};

/// How far a link's address or a tag may reach, in tokens.
const REACH: usize = 60;

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    if scene.begins_line()
        && let Some(said) = line_start(scene)
    {
        return Some(said);
    }
    if !token.is(Kind::Sign) {
        return None;
    }
    // A star between numbers multiplies, or hides what is not to be known.
    let is_between = scene.back(1).is(Kind::Number) && scene.token(1).is(Kind::Number);
    let is_last = matches!(scene.token(scene.skip_space(1)).kind, Kind::Break);
    match token.text {
        "|" if is_last => Some(Said::new(1, "")),
        _ if is_between && token.text.starts_with('*') => None,
        "**" | "***" | "__" | "___" | "~~" | "`" | "``" | "```" => Some(Said::new(1, "")),
        "*" | "_" => {
            // Emphasis clings to a word on one side.
            (!is_between).then(|| Said::new(1, ""))
        }
        "[" | "!" => link(scene),
        "]" => after_link(scene),
        "<" => tag(scene),
        "&" => entity(scene),
        _ => None,
    }
}

fn line_start(scene: &Scene<'_>) -> Option<Said> {
    let token = scene.token(0);
    let spaced = scene.token(1).is(Kind::Space);
    if token.is_sign("|") {
        // What parts the head of a table from its rows is no row.
        let end = (1..REACH)
            .find(|ahead| scene.token(*ahead).is(Kind::Break))
            .unwrap_or(1);
        let is_rule = (0..end).all(|ahead| {
            let token = scene.token(ahead);
            token.is(Kind::Space) || token.text.bytes().all(|byte| b"|-:+=".contains(&byte))
        });
        let is_rule = is_rule
            && (0..end).any(|ahead| {
                scene.token(ahead).is_dash() || scene.token(ahead).text.starts_with("--")
            });
        return Some(Said::new(
            if is_rule {
                end
            } else {
                1 + usize::from(spaced)
            },
            "",
        ));
    }
    match (token.kind, token.text) {
        (Kind::Sign, text)
            if BULLETS.contains(&text)
                && (spaced || scene.token(1).is(Kind::Word) && !matches!(token.text, "*")) =>
        {
            Some(Said::new(1 + usize::from(spaced), ""))
        }
        (Kind::Sign, text) if spaced && text.bytes().all(|byte| byte == b'#') => {
            Some(Said::new(2, ""))
        }
        (Kind::Sign, text)
            if text.len() >= 3
                && text.bytes().all(|byte| b"-*_=~".contains(&byte))
                && scene.token(1).is(Kind::Break) =>
        {
            Some(Said::new(1, ""))
        }
        _ => None,
    }
}

/// `[words](address)`: the words are spoken, the address is not. `![…](…)` is a picture.
fn link(scene: &Scene<'_>) -> Option<Said> {
    let picture = usize::from(scene.token(0).text == "!");
    if !scene.token(picture).is_sign("[") {
        return None;
    }
    let close = (1..REACH).find(|ahead| scene.token(picture + ahead).is_sign("]"))? + picture;
    let address = scene.token(close + 1).is_sign("(");
    address.then(|| Said::new(1 + picture, ""))
}

fn after_link(scene: &Scene<'_>) -> Option<Said> {
    if !scene.token(1).is_sign("(") {
        return None;
    }
    let is_address = (2..6).any(|ahead| {
        matches!(
            scene.token(ahead).text,
            "://" | ":" | "//" | "." | "/" | "#"
        )
    });
    let close = (2..REACH).find(|ahead| scene.token(*ahead).is_sign(")"))?;
    is_address.then(|| Said::new(close + 1, ""))
}

/// `<b>`, `</p>`, `<br/>`.
fn tag(scene: &Scene<'_>) -> Option<Said> {
    let slash = usize::from(scene.token(1).is_sign("/"));
    let name = scene.token(1 + slash);
    let is_tag = name.is(Kind::Word)
        && matches!(
            &*name.lower,
            "b" | "i"
                | "u"
                | "p"
                | "br"
                | "em"
                | "strong"
                | "span"
                | "div"
                | "a"
                | "ul"
                | "ol"
                | "li"
                | "h"
                | "hr"
                | "img"
                | "font"
                | "table"
                | "tr"
                | "td"
        );
    if !is_tag {
        return None;
    }
    let close = (2..REACH).find(|ahead| scene.token(*ahead).is_sign(">"))?;
    Some(Said::new(close + 1, ""))
}

/// `&nbsp;`, `&amp;`.
fn entity(scene: &Scene<'_>) -> Option<Said> {
    if !scene.token(2).is_sign(";") {
        return None;
    }
    let text = match scene.word(1) {
        "nbsp" => " ",
        "amp" => "và",
        "quot" | "ldquo" | "rdquo" => "”",
        "lt" | "gt" => "",
        _ => return None,
    };
    Some(Said::new(3, text))
}
