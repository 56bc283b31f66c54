//! Lists of what notices and messages hold: what has to be found, what must not disturb an editor, and what is to be said of finds.

use super::{find, seen};
use crate::{
    contacts::Directory,
    domain::{
        bulletin::Dated,
        contact::{Contact, ContactKind, Verification},
        id::ContactId,
    },
};

/// The rows of a list, with the characters that cannot be seen in it.
fn rows(list: &str) -> Vec<String> {
    let rows = list.lines();
    rows.filter(|row| !row.is_empty() && !row.starts_with("//"))
        .map(unescape)
        .collect()
}

/// `\n` and `\u{200b}` as what they stand for; any other backslash is itself.
fn unescape(row: &str) -> String {
    let mut text = String::new();
    let mut rest = row;
    while let Some((before, behind)) = rest.split_once('\\') {
        text.push_str(before);
        let code = behind
            .strip_prefix("u{")
            .and_then(|code| code.split_once('}'));
        if let Some((code, behind)) = code {
            let code = u32::from_str_radix(code, 16).expect("a number");
            text.push(char::from_u32(code).expect("a character"));
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('n') {
            text.push('\n');
            rest = behind;
        } else {
            text.push('\\');
            rest = behind;
        }
    }
    text + rest
}

#[test]
fn every_disguise_of_the_list_is_caught() {
    let rows = [include_str!("caught.txt"), include_str!("plain.txt")]
        .map(rows)
        .concat();
    assert!(rows.len() > 560, "{}", rows.len());
    let missed: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let (text, wanted) = row.rsplit_once(" => ").expect("what is found");
            let seen = seen(text);
            let is_seen = seen.iter().any(|one| one == wanted);
            (!is_seen).then(|| format!("{text:?} gives {seen:?}, not {wanted}"))
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn nothing_of_the_innocent_list_disturbs() {
    let rows = [include_str!("innocent.txt"), include_str!("quiet.txt")]
        .map(rows)
        .concat();
    assert!(rows.len() > 480, "{}", rows.len());
    let noisy: Vec<String> = rows
        .iter()
        .filter(|text| !seen(text).is_empty())
        .map(|text| format!("{text:?} gives {:?}", seen(text)))
        .collect();
    assert!(noisy.is_empty(), "{}", noisy.join("\n"));
}

/// The contacts that the list of verdicts is about.
fn directory() -> Directory {
    let contact = |id: &str, kind, value: &str, purpose: &str| Contact {
        id: ContactId::parse(id).expect("an id"),
        kind,
        name: "Đầu mối".to_owned(),
        value: Some(value.to_owned()),
        owner: "Cơ quan".to_owned(),
        purpose: purpose.to_owned(),
        source: "Văn bản".to_owned(),
        verified: Some(Verification {
            on: Dated::Year(2024),
            by: "Văn phòng".to_owned(),
            expires: Dated::Year(2025),
        }),
    };
    let page = "Facebook: Công an phường Hưng Bình";
    Directory::new(&[
        contact("truc-ban", ContactKind::Phone, "0238 384 2113", "Trực ban"),
        contact("khan-cap", ContactKind::ShortCode, "113", "Khẩn cấp"),
        contact(
            "tu-van",
            ContactKind::Phone,
            "0911 222 333",
            "Gọi hoặc nhắn Zalo",
        ),
        contact("thue", ContactKind::Site, "thuevinh.gov.vn", "Nộp thuế"),
        contact("vinh", ContactKind::Site, "vinh.gov.vn", "Tin tức"),
        contact("oa", ContactKind::Oa, "Công an thành phố Vinh", "Tin tức"),
        contact("trang", ContactKind::Oa, page, "Tin tức"),
        contact(
            "quy",
            ContactKind::BankAccount,
            "1903 4567 890123",
            "Ủng hộ",
        ),
    ])
}

#[test]
fn a_contact_vouches_for_what_it_was_verified_as_and_for_nothing_else() {
    let directory = directory();
    let rows = rows(include_str!("judged.txt"));
    assert!(rows.len() > 120, "{}", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let (text, wanted) = row.rsplit_once(" => ").expect("what is to be said");
            let judged: Vec<String> = find(text)
                .iter()
                .map(|found| {
                    let verdict = directory.judge(found, &[], None);
                    let kind = found.kind.as_str();
                    format!("{kind} {} {}", found.normalised, verdict.as_str())
                })
                .collect();
            let is_good = |one: &String| one.ends_with(" verified");
            let is_right = match wanted {
                "verified" => !judged.is_empty() && judged.iter().all(is_good),
                "refused" => !judged.iter().all(is_good),
                _ => judged.iter().any(|one| one == wanted),
            };
            (!is_right).then(|| format!("{text:?} gives {judged:?}, not {wanted}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
