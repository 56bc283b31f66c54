//! Whether frozen words may still name the contacts that they name: asked when they are frozen, for the day on which they
//! are due, and again just before they are sent.

use super::live::Live;
use crate::domain::{
    bulletin::{Bulletin, Format, NotContact},
    calendar, contact,
    message::Content,
    time::Timestamp,
    workspace::Workspace,
};

/// Why `content` may not go out at `at`: the contact that does not hold any more, and how. A look into a map for each
/// contact named, and nothing for words that name none; so it can be asked for every single sending.
pub(super) fn lapsed(workspace: &Workspace, content: &Content, at: Timestamp) -> Option<String> {
    if content.contacts.is_empty() {
        return None;
    }
    let day = calendar::local(at, workspace.settings.zone).date();
    let (id, lapse) = contact::lapsed(&content.contacts, &workspace.contacts, day)?;
    Some(format!("{id}: {}", lapse.as_str()))
}

/// What in `content` leads to somebody who is no verified contact. The checks refuse such files; this is the second look,
/// at exactly the words that would go out.
pub(super) fn stray(live: &Live, content: &Content, bulletin: &Bulletin) -> Option<String> {
    let aloud = (content.format == Format::Script).then(|| {
        let read = |text: &str| live.speech.read(text).text;
        let aloud = |exception: &NotContact| NotContact {
            text: read(&exception.text),
            reason: exception.reason.clone(),
        };
        let exceptions: Vec<_> = bulletin.not_contacts.iter().map(aloud).collect();
        (read(&content.text), exceptions)
    });
    let aloud = aloud
        .as_ref()
        .map(|(text, exceptions)| (text.as_str(), exceptions.as_slice()));
    let strays = live.renderer.strays(content, bulletin, aloud);
    let (found, verdict) = strays.first()?;
    Some(format!(
        "{} “{}”: {}",
        found.kind.as_str(),
        found.written,
        verdict.as_str()
    ))
}
