//! The repository's own bulletins: every official form of fraud has one, whole, and none says what nobody has verified.

use std::{collections::BTreeMap, path::Path};

use loa::{
    domain::{bulletin::Format, workspace::Workspace},
    render::Renderer,
};

/// The official classification has so many forms (Cục An toàn thông tin, 2023).
const FORMS: u8 = 24;

fn workspace() -> Workspace {
    let loaded = loa::source::load(Path::new(env!("CARGO_MANIFEST_DIR")));
    loaded.workspace.unwrap()
}

#[test]
fn every_official_form_has_a_whole_bulletin() {
    let workspace = workspace();
    let mut forms: BTreeMap<u8, usize> = BTreeMap::new();
    for bulletin in workspace.bulletins.values() {
        assert!(
            !bulletin.claims.is_empty(),
            "{} claims nothing",
            bulletin.id
        );
        assert!(
            !bulletin.editors.is_empty(),
            "{} has no editor",
            bulletin.id
        );
        let Some(number) = workspace.topics[&bulletin.topic].official else {
            continue;
        };
        *forms.entry(number).or_default() += 1;
        for format in Format::ALL {
            assert!(bulletin.has(format), "{} has no {format:?}", bulletin.id);
        }
        assert!(
            bulletin.correction.is_some(),
            "{} has no correction",
            bulletin.id
        );
    }
    let missing: Vec<u8> = (1..=FORMS)
        .filter(|form| !forms.contains_key(form))
        .collect();
    assert_eq!(missing, [] as [u8; 0]);
}

/// The directive gives no number, address or account, so nothing that goes out may hold one.
#[test]
fn no_words_hold_a_number_a_site_or_an_account() {
    let workspace = workspace();
    let (renderer, problems) = Renderer::new(&workspace);
    assert!(problems.is_empty(), "{problems:?}");
    let mut said = 0;
    for bulletin in workspace.bulletins.values() {
        for format in Format::ALL {
            if !bulletin.has(format) {
                continue;
            }
            for ward in workspace.wards.values() {
                let content = renderer.render(&workspace, bulletin, ward, format).unwrap();
                let words = format!(
                    "{} {} {}",
                    content.title,
                    content.summary.unwrap_or_default(),
                    content.text
                );
                said += 1;
                let place = || format!("{} {format:?} {}", bulletin.id, ward.id);
                let mut digits = 0;
                for c in words.chars() {
                    digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
                    assert!(digits < 5, "{} has a number: {words}", place());
                }
                for mark in ["http", "www.", ".vn", "@"] {
                    assert!(!words.contains(mark), "{} has {mark}: {words}", place());
                }
            }
        }
    }
    assert!(said > 3_000, "only {said} texts were read");
}

/// What is copied to begin with has nothing wrong in it, and is as small as its page says.
#[test]
fn the_smallest_workspace_is_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(root.join("contrib/workspace/."))
        .arg(folder.path())
        .status();
    assert!(copied.unwrap().success());
    let recipes = folder.path().join("channels/recipes");
    std::fs::create_dir(&recipes).unwrap();
    let recipe = root.join("channels/recipes/wordpress.yaml");
    std::fs::copy(recipe, recipes.join("wordpress.yaml")).unwrap();
    let loaded = loa::source::load(folder.path());
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let workspace = loaded.workspace.unwrap();
    let sizes = (
        workspace.wards.len(),
        workspace.channels.len(),
        workspace.bulletins.len(),
        workspace.schedules.len(),
    );
    assert_eq!(sizes, (1, 1, 1, 1));
    let done = crate::support::cli::loa(folder.path(), &["check"]);
    assert_eq!(done.code, 0, "{done:?}");
}
