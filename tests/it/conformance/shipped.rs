//! Everything that is shipped holds, and the README says how much of the table applies to it: `LOA_UPDATE_FIXTURES=1` writes those
//! numbers anew.

use std::{collections::BTreeSet, fs, path::Path};

use super::ground::{SHIPPED, broken, examined, examined_as_checked, folder, told};

#[tokio::test]
async fn everything_that_is_shipped_holds_and_the_readme_says_so() {
    let folder = folder();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut page = fs::read_to_string(&place).unwrap();
    let mut wrong = Vec::new();
    for (row, channel) in SHIPPED {
        let found = examined_as_checked(&folder, channel, |_| true).await;
        if !broken(&found).is_empty() {
            wrong.push(format!("{row}: {:?}\n{}", broken(&found), told(&found)));
        }
        let begin = format!("| `{row}` |");
        let line = page.lines().find(|line| line.starts_with(&begin));
        let line = line.unwrap_or_else(|| panic!("{row} has no row in README.md"));
        let (rest, said) = line.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let badge = found.badge();
        if said == badge {
            continue;
        }
        if std::env::var_os("LOA_UPDATE_FIXTURES").is_some() {
            page = page.replace(line, &format!("{rest} | {badge} |"));
        } else {
            wrong.push(format!("{row}: README says {said}, the kit {badge}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("LOA_UPDATE_FIXTURES").is_some() {
        fs::write(place, page).unwrap();
    }
}

/// Zalo knows no idempotency keys: on a channel that repeats what is in doubt somebody may get it twice.
#[tokio::test]
async fn a_message_that_zalo_may_get_twice_does_not_hold() {
    let folder = folder();
    folder.edit("channels/kit.yaml", "    mode: at-most-once\n", "");
    let found = examined(&folder.load(), "kit-zalo-tin", |one| one.id == "resend").await;
    assert_eq!(broken(&found)["resend"], ["other-key"], "{}", told(&found));
}

#[test]
fn no_shipped_recipe_is_left_out() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("channels/recipes");
    let shipped: BTreeSet<String> = fs::read_dir(recipes)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            format!("recipe: {}", path.file_stem().unwrap().to_str().unwrap())
        })
        .collect();
    let examined: BTreeSet<String> = SHIPPED
        .iter()
        .filter(|(row, _)| row.starts_with("recipe: "))
        .map(|(row, _)| (*row).to_owned())
        .collect();
    assert_eq!(examined, shipped);
}
