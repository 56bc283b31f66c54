//! Markdown as text that is read as it is: without its marks, with the address beside what leads there.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// What a list's items and a quotation's lines are moved in by.
const INDENT: &str = "  ";

/// A text under way.
#[derive(Default)]
struct Text {
    done: String,
    /// What begins each further line, from the outermost.
    indents: Vec<&'static str>,
    /// Where lists begin to count, from the outermost.
    lists: Vec<Option<u64>>,
    /// The addresses of links, and where their words begin, from the outermost: a picture may be one's words.
    links: Vec<(String, usize)>,
}

/// `markdown` in paragraphs, its items in lines.
pub(super) fn readable(markdown: &str) -> String {
    let mut text = Text::default();
    for event in Parser::new(markdown) {
        text.take(event);
    }
    text.done.trim().to_owned()
}

impl Text {
    fn take(&mut self, event: Event<'_>) {
        match event {
            // Raw HTML is shown and not obeyed, as on the page.
            Event::Text(words)
            | Event::Code(words)
            | Event::Html(words)
            | Event::InlineHtml(words) => self.say(&words),
            Event::SoftBreak | Event::HardBreak => self.line(),
            Event::Rule => {
                self.paragraph();
                self.done.push_str("---");
                self.paragraph();
            }
            Event::Start(tag) => self.begin(tag),
            Event::End(tag) => self.end(tag),
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.paragraph();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.line();
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.done.extend([number.to_string().as_str(), ". "]);
                        *number += 1;
                    }
                    _ => self.done.push_str("- "),
                }
                self.indents.push(INDENT);
            }
            Tag::BlockQuote(_) => {
                self.paragraph();
                self.done.push_str("> ");
                self.indents.push("> ");
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                // A line that ends in the words takes the blanks before them away.
                let from = self.done.trim_end_matches(' ').len();
                self.links.push((dest_url.into_string(), from));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph if !self.lists.is_empty() => self.line(),
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                self.paragraph();
            }
            TagEnd::Item => {
                self.indents.pop();
                self.line();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.paragraph();
                }
            }
            TagEnd::BlockQuote(_) => {
                self.indents.pop();
                self.paragraph();
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some((address, from)) = self.links.pop() {
                    let words = self.done.get(from..).map_or(&*self.done, str::trim);
                    // What is written as its own address stands there already.
                    let is_said = words == address || format!("mailto:{words}") == address;
                    if words.is_empty() {
                        self.done.push_str(&address);
                    } else if !is_said && !address.is_empty() {
                        self.done.extend([" (", &address, ")"]);
                    }
                }
            }
            _ => {}
        }
    }

    /// Words, which may be of several lines in code.
    fn say(&mut self, words: &str) {
        for (number, line) in words.split('\n').enumerate() {
            if number > 0 {
                self.line();
            }
            self.done.push_str(line);
        }
    }

    /// A new line, unless one has just begun.
    fn line(&mut self) {
        self.tidy();
        if !self.done.is_empty() && !self.done.ends_with('\n') {
            self.done.push('\n');
        }
        self.done.extend(self.indents.iter().copied());
    }

    /// A new paragraph, unless one has just begun.
    fn paragraph(&mut self) {
        self.tidy();
        while !self.done.is_empty() && !self.done.ends_with("\n\n") {
            self.done.push('\n');
        }
        self.done.extend(self.indents.iter().copied());
    }

    /// Takes away what was begun and got no words.
    fn tidy(&mut self) {
        let begun = self.done.rfind('\n').map_or(0, |at| at + 1);
        let line = &self.done[begun..];
        if line.trim_matches([' ', '>']).is_empty() {
            self.done.truncate(begun);
        }
        let kept = self.done.trim_end_matches(' ').len();
        self.done.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (markdown, expected) in [
            (
                "Bà con **chú ý**,\n*đừng* gọi `113`.",
                "Bà con chú ý,\nđừng gọi 113.",
            ),
            ("# Cảnh giác\n\nMột.\n\nHai.", "Cảnh giác\n\nMột.\n\nHai."),
            (
                "Xem [Cổng dịch vụ công](https://dichvucong.gov.vn).",
                "Xem Cổng dịch vụ công (https://dichvucong.gov.vn).",
            ),
            (
                "<https://vinh.example/a?b=1&c=2>",
                "https://vinh.example/a?b=1&c=2",
            ),
            ("<tin@vinh.example>", "tin@vinh.example"),
            (
                "[https://vinh.example](https://vinh.example)",
                "https://vinh.example",
            ),
            ("[](https://vinh.example)", "https://vinh.example"),
            ("![Thẻ ngành giả](the.jpg)", "Thẻ ngành giả (the.jpg)"),
            (
                "[![Thẻ](the.jpg)](https://x.vn)",
                "Thẻ (the.jpg) (https://x.vn)",
            ),
            ("Xem  [\nổng](https://x.vn)", "Xem\nổng (https://x.vn)"),
            (
                "Cần làm:\n\n1. Gọi **113**\n2. Báo công an\n   ngay\n\nHết.",
                "Cần làm:\n\n1. Gọi 113\n2. Báo công an\n  ngay\n\nHết.",
            ),
            ("- một\n  - hai\n- ba", "- một\n  - hai\n- ba"),
            ("- một\n\n- hai", "- một\n- hai"),
            (
                "> trích **một**\n> hai\n\nHết.",
                "> trích một\n> hai\n\nHết.",
            ),
            ("Chào <b>bà con</b>", "Chào <b>bà con</b>"),
            ("<div>\nmột\n</div>\n\nHai.", "<div>\nmột\n</div>\n\nHai."),
            ("một\n\n---\n\nhai", "một\n\n---\n\nhai"),
            ("```\nmã\nhai\n```\n\nHết.", "mã\nhai\n\nHết."),
            ("2 \\* 3 = 6", "2 * 3 = 6"),
            (" \n\n", ""),
        ] {
            assert_eq!(readable(markdown), expected, "{markdown:?}");
        }
    }
}
