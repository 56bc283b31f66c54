//! Rules for what is heard: nobody can hear it again, look back, or touch it.

use std::collections::{BTreeMap, HashSet};

use super::{About, Finding, text};
use crate::{
    domain::{
        bulletin::Priority,
        lint::{Limits, Rule},
    },
    speech::Speech,
};

/// How many words at the beginning may hold the greeting, and at the end the sign-off.
const EDGE: usize = 40;

/// Words that greet.
const GREETINGS: [&str; 11] = [
    "kính thưa",
    "thưa bà con",
    "thưa quý",
    "thưa các",
    "thưa toàn thể",
    "xin chào",
    "kính chào",
    "chào bà con",
    "chào quý",
    "mời bà con",
    "kính mời",
];

/// Words that sign off.
const FAREWELLS: [&str; 9] = [
    "cảm ơn",
    "cám ơn",
    "trân trọng",
    "hẹn gặp lại",
    "kính chào",
    "xin chào",
    "chúc bà con",
    "kính chúc",
    "kết thúc",
];

/// Words that only make sense where something can be touched or seen.
const ON_SCREEN: [&str; 23] = [
    "nhấn vào đây",
    "bấm vào đây",
    "nhấp vào đây",
    "ấn vào đây",
    "kích vào đây",
    "chạm vào đây",
    "click",
    "xem tại đây",
    "đăng ký tại đây",
    "truy cập tại đây",
    "tải tại đây",
    "tra cứu tại đây",
    "link dưới",
    "link bên dưới",
    "link sau",
    "đường dẫn dưới",
    "đường dẫn bên dưới",
    "đường dẫn sau",
    "mã qr dưới",
    "mã qr bên",
    "hình dưới",
    "ảnh dưới",
    "hình bên",
];

/// Words after which a warning may name what is not to be touched.
const WARNING: [&str; 3] = ["không", "đừng", "chớ"];

/// The sentences of a part that were judged already: its words for one ward are nearly those for the next.
#[derive(Debug, Default)]
pub struct Judged(HashSet<String>);

/// Judges a script as it is read, turns of a dialogue in one. What is urgent needs no greeting. Of a sentence that was
/// judged already nothing is said again.
#[must_use]
pub fn judge_script(
    words: &str,
    priority: Priority,
    limits: &Limits,
    speech: &Speech,
    judged: &mut Judged,
) -> Vec<Finding> {
    let mut found = aloud(words, limits, speech, judged);
    if priority != Priority::Emergency {
        let says = |edge: &str, known: &[&str]| {
            let edge = edge.to_lowercase();
            known.iter().any(|words| edge.contains(words))
        };
        let all: Vec<&str> = words.split_whitespace().collect();
        if !says(&all[..all.len().min(EDGE)].join(" "), &GREETINGS) {
            found.push(Finding::new(Rule::NoGreeting, About::Beginning));
        }
        if !says(&all[all.len().saturating_sub(EDGE)..].join(" "), &FAREWELLS) {
            found.push(Finding::new(Rule::NoSignOff, About::End));
        }
    }
    found.extend(once_said(words));
    found
}

/// Judges the words that take a bulletin back; they may be read as well. Of a sentence that was judged already nothing is
/// said again.
#[must_use]
pub fn judge_correction(
    words: &str,
    limits: &Limits,
    speech: &Speech,
    judged: &mut Judged,
) -> Vec<Finding> {
    aloud(words, limits, speech, judged)
}

/// What holds for everything that is read aloud. A sentence is as long as it is spoken: ten digits are ten syllables.
fn aloud(words: &str, limits: &Limits, speech: &Speech, judged: &mut Judged) -> Vec<Finding> {
    let mut found = Vec::new();
    for sentence in text::sentences(words, &speech.line_ends(words)) {
        if judged.0.contains(sentence) {
            continue;
        }
        judged.0.insert(sentence.to_owned());
        let about = About::Words(sentence.to_owned());
        let count = speech.syllables(sentence);
        found.extend(Finding::over(
            Rule::SentenceTooLong,
            about,
            count,
            limits.sentence_syllables,
        ));
        found.extend(on_screen(sentence));
    }
    found.extend(
        text::shout(words)
            .map(|words| Finding::new(Rule::Shouting, About::Words(words.to_owned()))),
    );
    found
}

/// Words of a sentence that only make sense where something can be touched.
pub(super) fn on_screen(sentence: &str) -> Option<Finding> {
    let lower = sentence.to_lowercase();
    let (at, phrase) = ON_SCREEN
        .iter()
        .filter_map(|phrase| Some((lower.find(phrase)?, *phrase)))
        .min()?;
    // Warnings name what is not to be touched.
    if WARNING.iter().any(|word| lower[..at].contains(word)) {
        return None;
    }
    // As it stands in the sentence, whose letters may be capitals of other lengths.
    let words = if lower.len() == sentence.len() {
        sentence.get(at..at + phrase.len()).unwrap_or(sentence)
    } else {
        sentence
    };
    Some(Finding::new(
        Rule::ClickHere,
        About::Words(words.to_owned()),
    ))
}

/// Telephone numbers that are said only once.
fn once_said(words: &str) -> impl Iterator<Item = Finding> {
    let mut times: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for number in text::numbers(words) {
        let said = times.entry(number.digits).or_insert((0, &words[number.at]));
        said.0 += 1;
    }
    times
        .into_values()
        .filter(|(times, _)| *times == 1)
        .map(|(_, number)| Finding::new(Rule::NumberNotRepeated, About::Words(number.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(words: &str) -> Vec<(Rule, About)> {
        judge_script(
            words,
            Priority::Normal,
            &Limits::default(),
            &Speech::default(),
            &mut Judged::default(),
        )
        .into_iter()
        .map(|finding| (finding.rule, finding.about))
        .collect()
    }

    fn correction(words: &str, limits: &Limits) -> Vec<Finding> {
        let judged = &mut Judged::default();
        judge_correction(words, limits, &Speech::default(), judged)
    }

    fn about(words: &str) -> About {
        About::Words(words.to_owned())
    }

    #[test]
    fn a_good_script_is_good() {
        assert_eq!(
            script(
                "Kính thưa bà con phường A!\nCó người lạ đòi tiền, gọi 113.\nĐừng bấm vào đường link lạ, không nhấn vào đây.\n\
                 Xin nhắc lại, gọi 113.\nTrân trọng cảm ơn bà con."
            ),
            []
        );
    }

    #[test]
    fn every_rule_for_ears_finds_its_slip() {
        let long = format!("{}nghe.", "bà con ".repeat(15));
        assert_eq!(
            script(&format!("Kính thưa bà con!\n{long}\nCảm ơn.")),
            [(Rule::SentenceTooLong, about(&long))]
        );
        assert_eq!(
            script("Có lừa đảo."),
            [
                (Rule::NoGreeting, About::Beginning),
                (Rule::NoSignOff, About::End)
            ]
        );
        assert_eq!(
            script("Kính thưa bà con! Hãy Nhấn Vào Đây. Gọi 0238 384 0000. DỪNG LẠI NGAY. Cảm ơn."),
            [
                (Rule::ClickHere, about("Nhấn Vào Đây")),
                (Rule::Shouting, about("DỪNG LẠI NGAY")),
                (Rule::NumberNotRepeated, about("0238 384 0000")),
            ]
        );
        let found = judge_script(
            "Vỡ đê!",
            Priority::Emergency,
            &Limits::default(),
            &Speech::default(),
            &mut Judged::default(),
        );
        assert_eq!(found, []);
        let found = correction("Xem tại đây.", &Limits::default());
        assert_eq!(found[0].rule, Rule::ClickHere);
    }

    #[test]
    fn a_sentence_may_be_exactly_as_long_as_the_limit() {
        let limits = Limits {
            sentence_syllables: 4,
            ..Limits::default()
        };
        assert_eq!(correction("một hai ba bốn.", &limits), []);
        let found = correction("một hai ba bốn năm.", &limits);
        assert_eq!((found[0].count, found[0].limit), (5, 4));
    }

    #[test]
    fn sentences_are_as_long_as_they_are_spoken() {
        let limits = Limits {
            sentence_syllables: 0,
            ..Limits::default()
        };
        for (words, count) in [
            ("gọi 0238 384 0000 ngay", 13),
            ("phạt 1.500.000 đồng", 7),
            ("UBND phường A", 6),
            ("Kính thưa bà con – phường A!", 6),
        ] {
            let found = correction(words, &limits);
            assert_eq!(found[0].count, count, "{words}");
        }
        // Items without a full stop are sentences of their own.
        let found = judge_correction(
            "- Không chuyển tiền\n- Không đọc mã",
            &limits,
            &Speech::default(),
            &mut Judged::default(),
        );
        assert_eq!([found[0].count, found[1].count], [3, 3]);
    }

    #[test]
    fn a_sentence_is_judged_once() {
        let (limits, speech) = (Limits::default(), Speech::default());
        let mut judged = Judged::default();
        let mut found = |words: &str| {
            let found = judge_correction(words, &limits, &speech, &mut judged);
            found.into_iter().map(|finding| finding.about).collect()
        };
        let first: Vec<About> = found("Phường A! Xem tại đây.");
        assert_eq!(first, [about("Xem tại đây")]);
        let second: Vec<About> = found("Phường B! Xem tại đây. Xin bấm vào đây.");
        assert_eq!(second, [about("bấm vào đây")]);
    }
}
