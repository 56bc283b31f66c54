//! Articles as an Atom feed (RFC 4287), for websites that pull what they publish and for those who publish by hand. Pure.
//!
//! An article keeps its id through repetitions, edits and corrections. One that was taken back stays for a while as a tombstone
//! (RFC 6721), so that whoever has it already learns that it is gone.

use std::{borrow::Cow, fmt::Write as _};

use crate::domain::time::Timestamp;

/// A feed's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// What makes it this feed and no other.
    pub name: &'a str,
    /// What readers show.
    pub title: &'a str,
    /// Who publishes.
    pub author: &'a str,
    /// Its address.
    pub address: &'a str,
}

/// One article as it is to be read now.
#[derive(Debug, Clone, PartialEq)]
pub struct Article<'a> {
    /// What makes it this article and no other, whatever its words are.
    pub name: String,
    /// The headline.
    pub title: &'a str,
    /// The teaser.
    pub summary: Option<&'a str>,
    /// The body.
    pub html: Cow<'a, str>,
    /// Since when it has these words.
    pub changed: Timestamp,
    /// Where it is shown with its history.
    pub page: String,
    /// Whether these words correct others.
    pub is_correction: bool,
}

/// An article that was taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Gone {
    /// As [`Article::name`].
    pub name: String,
    /// When.
    pub at: Timestamp,
}

/// The feed, newest first.
#[must_use]
pub fn write(head: &Head<'_>, articles: &[Article<'_>], gone: &[Gone]) -> String {
    let changes = articles.iter().map(|article| article.changed);
    let newest = changes.chain(gone.iter().map(|gone| gone.at)).max();
    // A feed in which nothing ever was has not changed since the beginning.
    let changed = newest.unwrap_or(Timestamp::from_micros(0)).to_rfc3339();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    out.push_str("<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" xml:lang=\"vi\">\n");
    element(&mut out, "id", "", &id(head.name));
    element(&mut out, "title", "", head.title);
    element(&mut out, "updated", "", &changed);
    out.push_str("<author>");
    element(&mut out, "name", "", head.author);
    out.push_str("</author>\n");
    let own = escaped(head.address);
    line(
        &mut out,
        format_args!("<link rel=\"self\" type=\"application/atom+xml\" href=\"{own}\"/>"),
    );
    element(&mut out, "generator", "", "loa");
    for article in articles {
        entry(&mut out, article);
    }
    for gone in gone {
        let (name, at) = (id(&gone.name), gone.at.to_rfc3339());
        line(
            &mut out,
            format_args!("<at:deleted-entry ref=\"{name}\" when=\"{at}\"/>"),
        );
    }
    out.push_str("</feed>\n");
    out
}

fn entry(out: &mut String, article: &Article<'_>) {
    out.push_str("<entry>\n");
    element(out, "id", "", &id(&article.name));
    element(out, "title", "", article.title);
    element(out, "updated", "", &article.changed.to_rfc3339());
    let page = escaped(&article.page);
    line(
        out,
        format_args!("<link rel=\"alternate\" type=\"text/html\" href=\"{page}\"/>"),
    );
    if article.is_correction {
        out.push_str("<category term=\"dinh-chinh\" label=\"Đính chính\"/>\n");
    }
    if let Some(summary) = article.summary {
        element(out, "summary", "", summary);
    }
    element(out, "content", " type=\"html\"", &article.html);
    out.push_str("</entry>\n");
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

fn element(out: &mut String, name: &str, attributes: &str, text: &str) {
    let text = escaped(text);
    line(out, format_args!("<{name}{attributes}>{text}</{name}>"));
}

/// The UUID of a name (RFC 9562, version 8): the same for ever.
fn id(name: &str) -> String {
    let hash = blake3::hash(name.as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|at| hash.as_bytes()[at]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    format!("urn:uuid:{}", groups.join("-"))
}

/// A text within XML. What XML cannot hold at all (1.0, 2.2) is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_and_differ() {
        assert_eq!(id("a"), "urn:uuid:17762fdd-d969-8453-925d-65717ac3eea2");
        assert_ne!(id("a"), id("b"));
    }

    #[test]
    fn xml_holds_whatever_a_text_says() {
        assert_eq!(
            escaped("<a href=\"x\">&\u{0}\u{b}\n"),
            "&lt;a href=&quot;x&quot;&gt;&amp;\n"
        );
    }
}
