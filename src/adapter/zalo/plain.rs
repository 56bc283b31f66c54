//! Words as an article of the platform has them: plain paragraphs, titles and teasers that are not too long.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::template::percent;

/// The paragraphs of a text in Markdown, without its marks.
pub(super) fn paragraphs(markdown: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut current = String::new();
    // Where lists begin to count, from the outermost.
    let mut lists: Vec<Option<u64>> = Vec::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) => current.push_str(&text),
            Event::SoftBreak => current.push(' '),
            Event::HardBreak => current.push('\n'),
            Event::Start(Tag::List(first)) => {
                finish(&mut current, &mut done);
                lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
            }
            Event::Start(Tag::Item) => {
                finish(&mut current, &mut done);
                match lists.last_mut() {
                    Some(Some(number)) => {
                        current = format!("{number}. ");
                        *number += 1;
                    }
                    _ => current.push_str("- "),
                }
            }
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::BlockQuote(_),
            ) => finish(&mut current, &mut done),
            _ => {}
        }
    }
    finish(&mut current, &mut done);
    done
}

fn finish(current: &mut String, done: &mut Vec<String>) {
    let paragraph = current.trim();
    if !paragraph.is_empty() {
        done.push(paragraph.to_owned());
    }
    current.clear();
}

/// `text` on one line with at most `most` characters, cut between words where it can be.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    let whole = cut.rsplit_once(' ').map_or("", |(words, _)| words);
    // A word that is as long as half of what fits is cut in the middle.
    let kept = if whole.chars().count() * 2 > most {
        whole
    } else {
        &cut
    };
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '.', '-']))
}

/// An address with spaces and letters beyond ASCII percent-encoded: the platform fetches nothing else.
pub(super) fn address(url: &str) -> String {
    percent(url.trim(), |byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lose_their_marks_and_keep_their_words() {
        let text = "# Cảnh giác\n\nBà con **chú ý**:\nkhông chuyển tiền.\n\n1. Gọi `113`\n2. Báo *công an*\n\n- một\n- hai\n\n> trích\n";
        assert_eq!(
            paragraphs(text),
            [
                "Cảnh giác",
                "Bà con chú ý: không chuyển tiền.",
                "1. Gọi 113",
                "2. Báo công an",
                "- một",
                "- hai",
                "trích"
            ]
        );
        assert_eq!(paragraphs(" \n\n"), Vec::<String>::new());
        assert_eq!(
            paragraphs("[Cổng dịch vụ công](https://dichvucong.gov.vn)"),
            ["Cổng dịch vụ công"]
        );
    }

    #[test]
    fn long_lines_end_between_words() {
        assert_eq!(shortened("ngắn  gọn\n", 20), "ngắn gọn");
        assert_eq!(shortened("một hai ba bốn năm", 12), "một hai ba…");
        let long = "x".repeat(30);
        assert_eq!(shortened(&long, 10), format!("{}…", "x".repeat(9)));
        for most in [10, 140, 250] {
            let cut = shortened(&"chữ có dấu, ".repeat(60), most);
            assert!(cut.chars().count() <= most && cut.ends_with('…'), "{cut}");
        }
    }

    #[test]
    fn addresses_are_ascii() {
        assert_eq!(
            address("https://x.example/ảnh bìa.jpg?a=1"),
            "https://x.example/%E1%BA%A3nh%20b%C3%ACa.jpg?a=1"
        );
    }
}
