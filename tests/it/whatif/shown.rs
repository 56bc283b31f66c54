//! How `loa plan --diff` shows what it found to people.

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
