//! Rules for what is read: on a page, in a chat, on a counter screen.

use super::{About, Finding, spoken::on_screen, text};
use crate::domain::lint::{Limits, Rule};

/// Judges an article's body.
#[must_use]
pub fn judge_article(words: &str) -> Vec<Finding> {
    shouting(words).into_iter().collect()
}

/// Judges an article's summary.
#[must_use]
pub fn judge_summary(words: &str, limits: &Limits) -> Vec<Finding> {
    length(Rule::SummaryTooLong, words, limits.summary_characters)
}

/// Judges a chat message.
#[must_use]
pub fn judge_message(words: &str, limits: &Limits) -> Vec<Finding> {
    length(Rule::MessageTooLong, words, limits.message_characters)
}

/// Judges the words on a counter screen, which nobody can touch.
#[must_use]
pub fn judge_sign(words: &str, limits: &Limits) -> Vec<Finding> {
    let mut found = length(Rule::SignTooLong, words, limits.sign_characters);
    let sentences = text::sentences(words, &text::line_ends(words));
    found.extend(sentences.into_iter().filter_map(on_screen));
    found
}

/// Judges a headline.
#[must_use]
pub fn judge_title(words: &str, limits: &Limits) -> Vec<Finding> {
    length(Rule::TitleTooLong, words, limits.title_characters)
}

fn length(rule: Rule, words: &str, limit: usize) -> Vec<Finding> {
    let count = words.chars().count();
    let mut found: Vec<Finding> = Finding::over(rule, About::Whole, count, limit)
        .into_iter()
        .collect();
    found.extend(shouting(words));
    found
}

fn shouting(words: &str) -> Option<Finding> {
    let words = text::shout(words)?;
    Some(Finding::new(Rule::Shouting, About::Words(words.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        let limits = Limits {
            title_characters: 5,
            sign_characters: 5,
            message_characters: 5,
            summary_characters: 5,
            ..Limits::default()
        };
        for (rule, judge) in [
            (
                Rule::TitleTooLong,
                judge_title as fn(&str, &Limits) -> Vec<Finding>,
            ),
            (Rule::SignTooLong, judge_sign),
            (Rule::MessageTooLong, judge_message),
            (Rule::SummaryTooLong, judge_summary),
        ] {
            assert_eq!(judge("ữữữữữ", &limits), []);
            let found = judge("ữữữữữữ", &limits);
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].rule, found[0].count, found[0].limit),
                (rule, 6, 5)
            );
        }
    }

    #[test]
    fn a_sign_cannot_be_touched_and_a_message_can() {
        let limits = Limits::default();
        assert_eq!(judge_sign("Bấm vào đây.", &limits)[0].rule, Rule::ClickHere);
        assert_eq!(judge_message("Bấm vào đây.", &limits), []);
        assert_eq!(
            judge_article("# CẢNH BÁO LỪA ĐẢO\n\nBà con nhớ.")[0].rule,
            Rule::Shouting
        );
    }
}
