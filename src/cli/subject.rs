//! What the commands of approval have in common: which bulletin or schedule is meant, in which version, and where it
//! stands.

use std::{collections::HashMap, sync::Arc};

use anyhow::bail;
use chrono_tz::Tz;
use serde::Serialize;

use super::{
    named::unknown,
    output::{Output, local, rfc3339},
    place::Place,
};
use crate::{
    daemon::pictures,
    domain::{
        approval::{Decision, Entry, Refusal, Required, Standing, Subject, Unapproved},
        id::{BulletinId, ScheduleId},
        message::{Content, ContentHash},
        version::Version,
    },
    render::Renderer,
    store::Store,
    version::{Versions, all_words},
};

/// The workspace's versions, and the database that knows who has approved them.
#[derive(Debug)]
pub(super) struct Desk {
    /// Where.
    pub place: Place,
    /// The database.
    pub store: Store,
    /// The templates.
    pub renderer: Renderer,
    /// What has to be approved.
    pub versions: Versions,
}

impl Desk {
    /// Opens everything.
    ///
    /// # Errors
    /// When nothing has to be approved, or the database cannot be used.
    pub(super) async fn open(place: Place, output: &Output) -> anyhow::Result<Self> {
        wanted(&place, output)?;
        let store = place.desk(output).await?;
        Self::with(place, store).await
    }

    /// Opens everything for a command that only looks: where nothing is on record yet, nothing is made.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub(super) async fn look(place: Place, output: &Output) -> anyhow::Result<Self> {
        wanted(&place, output)?;
        let store = place.reading(output).await?;
        Self::with(place, store).await
    }

    async fn with(place: Place, store: Store) -> anyhow::Result<Self> {
        let (renderer, _) = Renderer::new(&place.workspace);
        let versions = Versions::of(&place.workspace, &renderer);
        let now = place.now(&store).await?;
        store.keep_versions(versions.iter(), now).await?;
        pictures::keep(&store, &place.root, &place.workspace, now).await?;
        Ok(Self {
            place,
            store,
            renderer,
            versions,
        })
    }

    /// The version that `name` means: an id, or `bulletin:ID` or `schedule:ID` where both have it.
    ///
    /// # Errors
    /// When there is no such thing, or two.
    pub(super) fn find(&self, name: &str, output: &Output) -> anyhow::Result<&Version> {
        let (kind, id) = name.split_once(':').unwrap_or(("", name));
        let found: Vec<&Version> = self
            .versions
            .iter()
            .filter(|version| version.subject.id() == id)
            .filter(|version| kind.is_empty() || version.subject.kind() == kind)
            .collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let known = self.versions.iter().map(|version| {
                    let id = version.subject.id();
                    (id, id)
                });
                bail!(unknown(output, "approval.no-subject", name, known))
            }
            _ => bail!(output.say("approval.two-subjects", &[("id", &id)])),
        }
    }

    /// Where a subject stands.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn standing(&self, subject: &Subject) -> anyhow::Result<Standing> {
        let mut standings = self.store.standings(&[subject.clone()].into()).await?;
        Ok(standings.remove(subject).unwrap_or_default())
    }

    /// The decision by which what `version` says was rejected or taken back, if it says that again.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn repeated(
        &self,
        version: &Version,
        standing: &Standing,
    ) -> anyhow::Result<Option<Entry>> {
        if standing.dead.is_empty() {
            return Ok(None);
        }
        let words = match &version.subject {
            Subject::Bulletin(id) => contents(&self.place, &self.renderer, id),
            Subject::Schedule(_) => Vec::new(),
        };
        Ok(self.store.repeated(version, &words).await?)
    }

    /// Says that, with who decided and why.
    pub(super) fn tell_repeated(&self, entry: &Entry, output: &Output) -> String {
        let key = match entry.decision {
            Decision::Rejected => "approval.same-rejected",
            _ => "approval.same-retracted",
        };
        let by = signed(entry, self.place.zone());
        let args: [(&str, &dyn std::fmt::Display); 3] = [
            ("hash", &entry.version.short()),
            ("by", &by),
            ("why", &entry.remark),
        ];
        output.say(key, &args)
    }

    /// What airs while a version does not, or that nothing does, and why what was approved before does not come back.
    pub(super) fn meanwhile(&self, standing: &Standing, output: &Output) -> String {
        let zone = self.place.zone();
        let rules = &self.place.workspace.settings.approval;
        let (key, entry) = match &standing.in_force {
            Some(_) if rules.unapproved == Unapproved::Skip => {
                return output.say("approval.meanwhile-skip", &[]);
            }
            Some(granted) => ("approval.meanwhile-old", granted),
            None => match standing.replaced() {
                Some(replaced) => ("approval.meanwhile-replaced", replaced),
                None => return output.say("approval.meanwhile-nothing", &[]),
            },
        };
        let by = signed(entry, zone);
        let hash = entry.version.short();
        output.say(key, &[("hash", &hash), ("by", &by)])
    }

    /// The words of a version, by address; a schedule has none.
    pub(super) fn contents(&self, subject: &Subject) -> HashMap<ContentHash, Content> {
        let Subject::Bulletin(id) = subject else {
            return HashMap::new();
        };
        contents(&self.place, &self.renderer, id)
            .into_iter()
            .map(|(hash, content)| (hash, Arc::unwrap_or_clone(content)))
            .collect()
    }
}

fn wanted(place: &Place, output: &Output) -> anyhow::Result<()> {
    if place.workspace.settings.approval.required == Required::Off {
        bail!(output.say("approval.nothing-required", &[]));
    }
    Ok(())
}

/// Everything that every ward gets of a bulletin.
pub(super) fn contents(
    place: &Place,
    renderer: &Renderer,
    id: &BulletinId,
) -> Vec<(ContentHash, Arc<Content>)> {
    let Some(bulletin) = place.workspace.bulletins.get(id) else {
        return Vec::new();
    };
    let words = all_words(&place.workspace, renderer, bulletin);
    let mut all: HashMap<ContentHash, Arc<Content>> = HashMap::new();
    for (_, _, content) in words {
        all.entry(content.hash())
            .or_insert_with(|| Arc::new(content));
    }
    all.into_iter().collect()
}

/// What people call a subject: the bulletin's title, the schedule's id.
pub(super) fn title<'w>(place: &'w Place, subject: &'w Subject) -> &'w str {
    match subject {
        Subject::Bulletin(id) => place
            .workspace
            .bulletins
            .get(id)
            .map_or(id.as_str(), |bulletin| bulletin.title.as_str()),
        Subject::Schedule(id) => ScheduleId::as_str(id),
    }
}

/// A decision in JSON.
#[derive(Debug, Serialize)]
pub(super) struct EntryRow<'a> {
    version: &'a str,
    decision: &'static str,
    person: &'a str,
    role: &'a str,
    remark: &'a str,
    at: String,
}

impl<'a> EntryRow<'a> {
    /// The decision, with its instant in the installation's zone.
    pub(super) fn of(entry: &'a Entry, zone: Tz) -> Self {
        Self {
            version: entry.version.as_str(),
            decision: entry.decision.as_str(),
            person: &entry.person,
            role: &entry.role,
            remark: &entry.remark,
            at: rfc3339(entry.at, zone),
        }
    }
}

/// A decision for people: who, what office, when.
pub(super) fn signed(entry: &Entry, zone: Tz) -> String {
    format!(
        "{}, {}, {}",
        entry.person,
        entry.role,
        local(entry.at, zone)
    )
}

/// Why a decision is not taken down, in the reader's language, with how to go on.
pub(super) fn refusal(
    output: &Output,
    place: &Place,
    refusal: Refusal,
    id: &str,
    name: &str,
) -> String {
    let approvers = &place.workspace.settings.approval.approvers;
    let names: Vec<&str> = approvers
        .iter()
        .map(|approver| approver.name.as_str())
        .collect();
    let key = format!("approval.refused-{}", refusal.as_str());
    let args: [(&str, &dyn std::fmt::Display); 3] =
        [("id", &id), ("name", &name), ("names", &names.join("; "))];
    output.say(&key, &args)
}
