//! What is a number by its form alone and counts nothing: bank cards, papers with a series, the numbers of dossiers.

use super::{
    Said,
    telephone::{in_groups, mixed},
    word::is_letters,
};
use crate::speech::{lexicon, number::one_by_one, scene::Scene, token::Kind};

pub(super) fn apply(scene: &Scene<'_>) -> Option<Said> {
    let is_rest = matches!(scene.back(1).text, "/" | "-" | "." | ",")
        && matches!(scene.back(2).kind, Kind::Number | Kind::Word);
    if scene.is_glued() || is_rest {
        return None;
    }
    card(scene)
        .or_else(|| series(scene))
        .or_else(|| dossier(scene))
}

/// `9704 2292 0123 4567`: four groups of four digits, and no other way to write so many.
fn card(scene: &Scene<'_>) -> Option<Said> {
    const GROUPS: usize = 4;
    let is_group = |group: usize| {
        let token = scene.token(2 * group);
        token.is(Kind::Number) && token.text.len() == 4
    };
    let is_parted = |group: usize| matches!(scene.token(2 * group + 1).text, " " | "-" | "\u{a0}");
    let is_card = (0..GROUPS).all(is_group) && (0..GROUPS - 1).all(is_parted);
    is_card.then(|| {
        let groups = (0..GROUPS).map(|group| one_by_one(scene.token(2 * group).text));
        Said::new(2 * GROUPS - 1, groups.collect::<Vec<_>>().join(", "))
    })
}

/// `số BM 123456`, `sê-ri CK 0123456`: the letters of a series and a number of which every digit counts.
fn series(scene: &Scene<'_>) -> Option<Said> {
    let (letters, number) = (scene.token(0), scene.token(2));
    let is_series = is_letters(letters)
        && letters.text.chars().count() <= 2
        && scene.token(1).is(Kind::Space)
        && number.is(Kind::Number)
        && (5..=9).contains(&number.text.len())
        && (matches!(scene.previous(), "số" | "seri" | "ri" | "phôi" | "bìa")
            || scene.follows("số :"))
        && super::abbreviation::builtin(scene).is_none();
    let letters = lexicon::spell(letters.text).filter(|_| is_series)?;
    Some(Said::new(
        3,
        format!("{letters} {}", in_groups(number.text)),
    ))
}

/// `H41.22-240312-0005`: groups of digits, a letter among them, and dots or hyphens between.
fn dossier(scene: &Scene<'_>) -> Option<Said> {
    /// Fewer digits may be anything.
    const LEAST: usize = 10;
    let mut at = 0;
    let mut digits = 0;
    let mut signs = 0;
    while at < 24 {
        let token = scene.token(at);
        match token.kind {
            Kind::Number => digits += token.text.len(),
            Kind::Word if is_letters(token) && token.text.len() == 1 => {}
            Kind::Sign
                if matches!(token.text, "." | "-")
                    && matches!(scene.token(at + 1).kind, Kind::Number | Kind::Word) =>
            {
                signs += 1;
            }
            _ => break,
        }
        at += 1;
    }
    let ends =
        !matches!(scene.token(at).kind, Kind::Word | Kind::Number) && !scene.token(at).is_sign("/");
    if digits < LEAST || signs < 2 || !ends {
        return None;
    }
    mixed(scene).filter(|said| said.tokens == at)
}
