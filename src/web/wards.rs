//! Wards in forms and lists: by name, as people look for them.

use serde::Serialize;

use crate::domain::{id::WardId, workspace::Workspace};

/// The most wards that a form offers; with more, it asks for the ward's id.
const MOST_WARDS: usize = 450;

/// A ward in a form.
#[derive(Debug, Serialize)]
pub(super) struct WardChoice {
    pub(super) id: String,
    pub(super) name: String,
    chosen: bool,
}

/// The wards that a form offers, by name, and always the chosen one. Empty when there are too many to offer.
pub(super) fn ward_choices(workspace: &Workspace, chosen: Option<&WardId>) -> Vec<WardChoice> {
    if workspace.wards.len() > MOST_WARDS {
        return Vec::new();
    }
    let city = &workspace.settings.city;
    let mut choices: Vec<_> = workspace
        .wards
        .values()
        .chain([city])
        .map(|ward| WardChoice {
            id: ward.id.to_string(),
            name: ward.short.clone(),
            chosen: chosen == Some(&ward.id),
        })
        .collect();
    choices.sort_by_cached_key(|choice| (choice.id == city.id.as_str(), sort_key(&choice.name)));
    if let Some(id) = chosen.filter(|&id| workspace.ward(id).is_none()) {
        choices.push(WardChoice {
            id: id.to_string(),
            name: id.to_string(),
            chosen: true,
        });
    }
    choices
}

/// Names in an order in which people look for them: accents last, and đ next to d.
pub(super) fn sort_key(name: &str) -> (String, String) {
    use unicode_normalization::UnicodeNormalization;
    let lower = name.to_lowercase();
    let is_mark = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let bare = lower
        .nfd()
        .filter(|c| !is_mark(c))
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect();
    (bare, lower)
}
