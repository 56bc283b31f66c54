//! The approver of a simulated city: says yes to whatever the sample holds, so that a newcomer sees broadcasts and not
//! skipped ones, and the journal says who that was. The store refuses it in a real database.

use std::sync::Arc;

use super::live::Live;
use crate::{
    catalogue::{self, Lang},
    domain::{approval::Subject, time::Timestamp},
    store::{Store, StoreError, approval::SampleApprovers},
    version::all_words,
};

/// Approves every version of the workspace that nobody has decided about.
///
/// # Errors
/// [`StoreError::WrongWorld`] outside simulation; others of the store.
pub async fn approve(store: &Store, live: &Live, now: Timestamp) -> Result<(), StoreError> {
    let say = |key| catalogue::text(Lang::Vi, key, &[]);
    let first = say("approval.demo-first");
    let mut names = vec![first.clone(), say("approval.demo-second")];
    // However many an emergency needs, in simulation there are so many.
    names.extend((3..=9).map(|number| format!("{first} {number}")));
    let (role, remark) = (say("approval.demo-role"), say("approval.demo-remark"));
    let by = SampleApprovers {
        names: &names,
        role: &role,
        remark: &remark,
    };
    let workspace = &live.workspace;
    for version in live.versions.iter() {
        let contents = match &version.subject {
            Subject::Schedule(_) => Vec::new(),
            Subject::Bulletin(id) => {
                workspace
                    .bulletins
                    .get(id)
                    .map_or_else(Vec::new, |bulletin| {
                        all_words(workspace, &live.renderer, bulletin)
                            .into_iter()
                            .map(|(_, _, content)| (content.hash(), Arc::new(content)))
                            .collect()
                    })
            }
        };
        store.approve_sample(version, &contents, by, now).await?;
    }
    Ok(())
}
