//! How `loa plan --diff` shows what it found to people.

use serde_json::Value;

use super::{both, compare, shown};
use crate::support::workspace::bulletin;

#[test]
fn what_moves_by_seconds_is_told_by_them() {
    let second = "schedules:\n  sau: { when: { at: [\"05:30\"], days: [mon] }, bulletins: { only: hai }, to: { channels: [loa-hb-1] }, start: { soft: { max_wait: 10m } }, missed: skip }\n";
    let (old, new, path) = both(|folder| folder.write("schedules/sau.yaml", second));
    old.write("schedules/sau.yaml", second);
    new.write(
        "content/bulletins/mot.yaml",
        &bulletin("lời thứ nhất nay dài thêm một chút"),
    );
    let said = compare(&new, &path, &["--channel", "loa-hb-1", "--format", "json"]);
    let moved: Vec<_> = shown(&said)
        .into_iter()
        .filter(|line| line.starts_with("moved"))
        .collect();
    assert_eq!(
        moved,
        ["moved loa-hb-1: sau 25T05:30 hai → sau 25T05:30 hai"]
    );
    let text = compare(&new, &path, &["--channel", "loa-hb-1"]).out;
    let line = text
        .lines()
        .find(|line| line.contains("“Cảnh giác lời thứ hai”"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    let (before, after) = line.split_once(" → ").unwrap();
    let (before, after) = (before.trim(), &after[..8]);
    assert!(
        before.starts_with("05:30:") && after.starts_with("05:30:") && before < after,
        "{line}"
    );
}

/// A ward's name is hidden so that wards can share a line; the city has its line for itself.
#[test]
fn words_of_the_city_are_shown_with_its_name() {
    let (_old, new, path) = both(|new| {
        for id in ["mot", "hai"] {
            let path = format!("content/bulletins/{id}.yaml");
            new.edit(&path, "{{ ward.name }}.\"", "{{ ward.short }}.\"");
        }
    });
    let text = compare(&new, &path, &["--channel", "oa-vinh"]).out;
    assert!(text.contains("[-thành phố -]Vinh"), "{text}");
}

/// What is still planned and kept silent is told with what keeps it so; what nobody plans any more is not.
#[test]
fn what_has_no_place_any_more_says_why() {
    let second = "schedules:\n  sau: { when: { at: [\"05:31\"], days: [mon] }, bulletins: { only: hai }, to: { channels: [loa-hb-1] }, start: hard, missed: skip }\n  trua: { when: { at: [\"11:30\", \"12:00\"], days: [tue] }, bulletins: { only: hai }, to: { kind: loudspeaker }, start: hard, missed: skip }\n  toi: { when: { at: [\"19:00\"], days: [wed] }, bulletins: { only: hai }, to: { channels: [loa-hb-2] }, missed: skip }\n";
    let (old, new, path) = both(|_| ());
    for folder in [&old, &new] {
        let start = "    start: hard\n    deadline: 10m";
        folder.edit("schedules/lich.yaml", "    deadline: 10m", start);
    }
    old.write("schedules/sau.yaml", second);
    let (rest, _) = second.split_once("  toi:").unwrap();
    new.write("schedules/sau.yaml", rest);
    let long = "Bà con nghe rõ rồi làm theo nhé. ".repeat(60);
    let greeting = "Thưa bà con {{ ward.name }}.";
    let words = format!("{greeting} {long}");
    new.edit("content/bulletins/mot.yaml", greeting, &words);
    let rule = "rules:\n  trua:\n    name: Nghỉ trưa\n    source: { document: QĐ 7, date: 2024-03-01 }\n    quiet: [{ from: \"11:45\", until: \"13:30\" }]\n";
    new.write("schedules/policy.yaml", rule);

    let found = compare(&new, &path, &["--format", "json"]).json();
    let found = found.as_array().unwrap();
    let removed: Vec<String> = found
        .iter()
        .filter(|effect| effect["changes"][0] == "removed")
        .map(|effect| {
            let why = &effect["skipped"];
            let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
            let detail = text(&why["detail"]);
            let named = detail
                .split("; ")
                .find(|part| part.contains("rule=") || part.contains("with="));
            format!(
                "{} {} {} {}",
                text(&effect["before"]["due"])[8..16].to_owned(),
                text(&effect["channel"]),
                text(&why["reason"]),
                named.unwrap_or("–")
            )
        })
        .collect();
    assert_eq!(
        removed,
        [
            "25T05:31 loa-hb-1 collision collision with=Cảnh giác lời thứ nhất",
            "26T12:00 loa-hb-1 policy outside-hours rule=Nghỉ trưa",
            "26T12:00 loa-hb-2 policy outside-hours rule=Nghỉ trưa",
            "26T12:00 loa-ll-1 policy outside-hours rule=Nghỉ trưa",
            "27T19:00 loa-hb-2 – –",
        ]
    );
    let others = found
        .iter()
        .filter(|effect| effect["changes"][0] != "removed");
    assert!(others.clone().count() > 0 && others.clone().all(|effect| effect["skipped"].is_null()));

    let text = compare(&new, &path, &[]).out;
    let (_, removed) = text.split_once("── Không phát nữa\n").unwrap();
    let removed: Vec<&str> = removed
        .lines()
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(
        removed.len(),
        3,
        "the wards of one rule share a line, though they are not equally long: {text}"
    );
    assert!(
        removed[0].contains(" · nay bị bỏ, ví dụ: Từ 05:30:00 đến ")
            && removed[0].contains("“Cảnh giác lời thứ nhất”"),
        "{text}"
    );
    assert!(
        removed[1].contains(" · nay bị bỏ, ví dụ: Phát từ 12:00:00 đến ")
            && removed[1].contains("“Nghỉ trưa” cho phép (QĐ 7, 01/03/2024)"),
        "{text}"
    );
    assert!(removed[2].ends_with("(1 kênh loa)"), "{text}");
}
