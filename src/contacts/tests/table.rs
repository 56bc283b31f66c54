//! Two lists of what notices and messages hold: what has to be found, and what must not disturb an editor.

use super::seen;

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
    assert!(rows.len() > 450, "{}", rows.len());
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
    assert!(rows.len() > 340, "{}", rows.len());
    let noisy: Vec<String> = rows
        .iter()
        .filter(|text| !seen(text).is_empty())
        .map(|text| format!("{text:?} gives {:?}", seen(text)))
        .collect();
    assert!(noisy.is_empty(), "{}", noisy.join("\n"));
}
