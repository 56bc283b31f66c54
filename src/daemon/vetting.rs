//! Whether frozen words may still name the contacts that they name: asked when they are frozen, for the day on which they
//! are due, and again just before they are sent.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono_tz::Tz;

use super::{Shared, live::Live};
use crate::domain::{
    bulletin::Bulletin,
    calendar,
    contact::{self, Contact},
    detail::Detail,
    id::ContactId,
    message::Content,
    time::Timestamp,
};

/// The contacts of files that were refused for other reasons; `None` while the files are those in force.
///
/// Whoever takes a verification back wants it to hold at once. Bulletins that still name the contact make the files bad
/// then, and the workspace in force stays; but what it says of that contact is known to be wrong.
pub(super) type Latest = Option<Arc<BTreeMap<ContactId, Contact>>>;

/// How long before its deadline a delivery with a contact that does not hold is given up: enough to say so before anything
/// else finds it late.
pub(super) const LAST_WORD: Duration = Duration::from_secs(1);

/// What is said of a delivery that is held until a contact is verified again, instead of what ends it. `is_begun` where its
/// first attempt has: then it gets no other words, and a contact with another number can only become what it was.
pub(super) fn held(lapse: &Detail, deadline: Timestamp, zone: Tz, is_begun: bool) -> Detail {
    let until = calendar::local(deadline, zone).format("%H:%M %d/%m/%Y");
    let held = if is_begun && lapse.code() == "contact-changed" {
        "kept-contact-changed".to_owned()
    } else {
        format!("held-{}", lapse.code())
    };
    let held = Detail::new(&held);
    let arguments = lapse.arguments();
    let held = arguments.fold(held, |held, (name, value)| held.with(name, value));
    held.with("until", until)
}

/// Why `content` may not go out at `at`: the contact that does not hold any more, and how. A look into a map for each
/// contact named, and nothing for words that name none; so it can be asked for every single sending.
pub(super) fn lapsed(shared: &Shared, content: &Content, at: Timestamp) -> Option<Detail> {
    if content.contacts.is_empty() {
        return None;
    }
    let live = shared.live.borrow().clone();
    let latest = shared.latest.borrow().clone();
    lapsed_in(&live, &latest, content, at)
}

/// [`lapsed`] by a workspace and the contacts of refused files: neither may say that one does not hold.
pub(super) fn lapsed_in(
    live: &Live,
    latest: &Latest,
    content: &Content,
    at: Timestamp,
) -> Option<Detail> {
    let day = calendar::local(at, live.workspace.settings.zone).date();
    let named = &content.contacts;
    let (id, lapse) = contact::lapsed(named, &live.workspace.contacts, day)
        .or_else(|| contact::lapsed(named, latest.as_deref()?, day))?;
    let code = format!("contact-{}", lapse.as_str());
    Some(Detail::new(&code).with("contact", id))
}

/// What in `content` leads to somebody who is no verified contact. The checks refuse such files; this is the second look,
/// at exactly the words that would go out.
pub(super) fn stray(live: &Live, content: &Content, bulletin: &Bulletin) -> Option<Detail> {
    let found = live.renderer.stray(content, bulletin)?;
    Some(Detail::new("contact-stray").with("written", found.written))
}
