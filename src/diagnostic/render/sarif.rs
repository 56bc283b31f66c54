//! Diagnostics as SARIF 2.1.0 (OASIS, docs.oasis-open.org/sarif/sarif/v2.1.0), which code scanners and editors read.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{help, message, sentence, word};
use crate::{
    catalogue::{self, Lang},
    diagnostic::{Code, Diagnostic, Place, Severity},
};

/// One SARIF log with one run. `path` turns a path of the workspace into one of the repository.
#[must_use]
pub fn to_sarif(diagnostics: &[Diagnostic], lang: Lang, path: impl Fn(&str) -> String) -> String {
    let location = |place: &Place| {
        json!({ "physicalLocation": {
            "artifactLocation": artifact(&path(place.file.path())),
            "region": region(place),
        }})
    };
    let result = |found: &Diagnostic| {
        let mut text = message(found, lang);
        if let Some(help) = help(found, lang) {
            let _ = write!(text, ". {}: {help}", word(lang, "help"));
        }
        let related = found.notes.iter().map(|note| {
            let mut related = location(&note.at);
            related["message"] = json!({ "text": sentence(&note.phrase, lang) });
            related
        });
        json!({
            "ruleId": found.code.as_str(),
            "ruleIndex": Code::ALL.iter().position(|code| *code == found.code),
            "level": found.severity.as_str(),
            "message": { "text": text },
            "locations": [location(&found.at)],
            "relatedLocations": related.collect::<Vec<_>>(),
            "partialFingerprints": { "place/v1": fingerprint(found) },
        })
    };
    let language = match lang {
        Lang::Vi => "vi",
        Lang::En => "en",
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "loa",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "language": language,
                "rules": Code::ALL.iter().map(|code| rule(*code, lang)).collect::<Vec<_>>(),
            }},
            "language": language,
            "columnKind": "unicodeCodePoints",
            // Whoever reads it knows where the repository is.
            "originalUriBaseIds": { (ROOT): { "description": { "text": SRCROOT_IS } } },
            "results": diagnostics.iter().map(result).collect::<Vec<_>>(),
        }],
    })
    .to_string()
}

fn rule(code: Code, lang: Lang) -> Value {
    let id = code.as_str();
    let level = match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let about = general(lang, &format!("diagnostic.{id}"));
    let mut rule = json!({
        "id": id,
        "name": format!("{code:?}"),
        "shortDescription": { "text": about },
        "fullDescription": { "text": about },
        "defaultConfiguration": { "level": level },
    });
    let help = format!("diagnostic.{id}-help");
    let help = if catalogue::has(&help) {
        general(lang, &help)
    } else {
        about
    };
    rule["help"] = json!({ "text": help });
    rule
}

/// A sentence of the catalogue without the particulars of one case.
fn general(lang: Lang, key: &str) -> String {
    let mut sentence = catalogue::text(lang, key, &[]);
    for name in ["count", "limit"] {
        sentence = sentence.replace(&format!("{{{name}}}"), "n");
    }
    let mut general = String::with_capacity(sentence.len());
    let mut rest = sentence.as_str();
    while let Some(open) = rest.find('{') {
        let name = rest[open + 1..].split('}').next().unwrap_or("");
        let is_place =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        general.push_str(&rest[..open]);
        if is_place {
            general.push('…');
            rest = &rest[open + name.len() + 2..];
        } else {
            general.push('{');
            rest = &rest[open + 1..];
        }
    }
    general.push_str(rest);
    general
}

/// Lines and columns count from 1, and the end is excluded. What is wrong with a file as a whole points at its first line.
fn region(place: &Place) -> Value {
    let (from, to) = (place.position(), place.end_position());
    if place.file.text().is_empty() {
        return json!({ "startLine": 1 });
    }
    json!({
        "startLine": from.line,
        "startColumn": from.column,
        "endLine": to.line,
        "endColumn": to.column,
    })
}

/// The same for the same mistake on a line that has moved.
fn fingerprint(found: &Diagnostic) -> String {
    let file = &found.at.file;
    let line = &file.text()[file.line(found.at.position().line)];
    let parts = [found.code.as_str(), file.path(), line.trim()];
    blake3::hash(parts.join("\n").as_bytes()).to_hex()[..32].to_owned()
}

/// What paths of the repository are relative to.
const ROOT: &str = "%SRCROOT%";

/// What that is; for programs, so in one language.
const SRCROOT_IS: &str = "The root of the repository, in which the check was started";

/// Where a file is: relative to the repository, or by itself where it lies elsewhere, because a relative reference may not
/// begin with a slash (3.4.4).
fn artifact(path: &str) -> Value {
    if path.starts_with('/') {
        json!({ "uri": format!("file://{}", uri(path)) })
    } else {
        json!({ "uri": uri(path), "uriBaseId": ROOT })
    }
}

/// A path as a relative URI reference (RFC 3986): everything but unreserved characters and slashes is escaped.
fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;

    #[test]
    fn every_rule_says_what_it_is_without_particulars() {
        for lang in [Lang::Vi, Lang::En] {
            for code in Code::ALL {
                let rule = rule(*code, lang);
                for text in ["shortDescription", "help"].map(|part| rule[part]["text"].as_str()) {
                    let text = text.unwrap();
                    assert!(!text.is_empty() && !text.contains("[diagnostic"), "{rule}");
                    for placeholder in ["{count}", "{limit}", "{key}", "{names}", "{id}", "{text}"]
                    {
                        assert!(!text.contains(placeholder), "{rule}");
                    }
                }
            }
        }
        // Braces that editors are to write stay.
        let help = general(Lang::En, "diagnostic.L067-help");
        assert!(help.contains("{{ ward.name }}"), "{help}");
    }

    #[test]
    fn paths_and_places_are_those_of_the_standard() {
        assert_eq!(uri("thư mục/a b.yaml"), "th%C6%B0%20m%E1%BB%A5c/a%20b.yaml");
        assert_eq!(
            artifact("vinh/loa.yaml"),
            json!({ "uri": "vinh/loa.yaml", "uriBaseId": "%SRCROOT%" })
        );
        assert_eq!(
            artifact("/srv/phường/loa.yaml"),
            json!({ "uri": "file:///srv/ph%C6%B0%E1%BB%9Dng/loa.yaml" })
        );
        let file = SourceFile::new("a.yaml", "Bà: con\nx");
        assert_eq!(
            region(&Place::new(&file, 0..3)),
            json!({ "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 3 })
        );
        assert_eq!(region(&Place::absent("b.yaml")), json!({ "startLine": 1 }));
    }

    #[test]
    fn a_mistake_keeps_its_fingerprint_when_its_line_moves() {
        let at = |text: &str, start: usize, end: usize| {
            let file = SourceFile::new("a.yaml", text);
            fingerprint(&Diagnostic::new(
                Code::UnknownKey,
                Place::new(&file, start..end),
            ))
        };
        assert_eq!(at("tile: x\n", 0, 4), at("# a\n  tile: x\n", 6, 10));
        assert_ne!(at("tile: x\n", 0, 4), at("tile: y\n", 0, 4));
    }
}
