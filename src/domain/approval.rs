//! Approvals: who may say yes to which exact words, how many have to, and what their decisions amount to.
//!
//! A subject (a bulletin, a schedule) has at most one version *in force*: that of its latest complete approval, unless it
//! was withdrawn since. So going back to older words needs approval like any other change, and withdrawing the newest
//! approval never brings back what it replaced.

mod name;

use std::collections::BTreeMap;

pub use name::{fold_name, is_name, may_be_same, may_name, names_two};

use super::{
    bulletin::Priority,
    id::{BulletinId, ScheduleId},
    time::Timestamp,
    version::{Version, VersionHash},
};

/// Digits of a hash that have to be named at least: 48 bits, more than anybody can make collide by trying out spaces.
pub const SHORTEST: usize = 12;

/// What is approved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The words of a bulletin, in every format and for every ward.
    Bulletin(BulletinId),
    /// When and where a schedule sends.
    Schedule(ScheduleId),
}

impl Subject {
    /// The word for its sort, used in JSON and the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bulletin(_) => "bulletin",
            Self::Schedule(_) => "schedule",
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Bulletin(id) => id.as_str(),
            Self::Schedule(id) => id.as_str(),
        }
    }

    /// Reads kind and id back; `None` when they are none.
    #[must_use]
    pub fn parse(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "bulletin" => BulletinId::parse(id).ok().map(Self::Bulletin),
            "schedule" => ScheduleId::parse(id).ok().map(Self::Schedule),
            _ => None,
        }
    }
}

/// What has to be approved before it airs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Required {
    /// Nothing: for tests and trials.
    Off,
    /// Bulletins.
    Bulletins,
    /// Bulletins and schedules.
    Everything,
}

/// What airs instead of an unapproved version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unapproved {
    /// The last approved version, where it still holds; else nothing.
    LastApproved,
    /// Nothing.
    Skip,
}

/// A person who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// The name, as it goes on record.
    pub name: String,
    /// The office held.
    pub role: String,
}

/// `approval` in `loa.yaml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRules {
    /// What has to be approved.
    pub required: Required,
    /// What airs instead.
    pub unapproved: Unapproved,
    /// Who may approve.
    pub approvers: Vec<Approver>,
    /// How many people an emergency bulletin needs; at least two.
    pub emergency: u32,
}

impl Default for ApprovalRules {
    fn default() -> Self {
        Self {
            required: Required::Everything,
            unapproved: Unapproved::LastApproved,
            approvers: Vec::new(),
            emergency: 2,
        }
    }
}

impl ApprovalRules {
    /// The approver called `name`, however it is typed.
    #[must_use]
    pub fn approver(&self, name: &str) -> Option<&Approver> {
        let name = fold_name(name);
        self.approvers
            .iter()
            .find(|approver| fold_name(&approver.name) == name)
    }

    /// How many people have to approve a bulletin of `priority`.
    #[must_use]
    pub fn needed(&self, priority: Priority) -> u32 {
        match priority {
            Priority::Emergency => self.emergency,
            Priority::Normal | Priority::Priority => 1,
        }
    }

    /// Whether `subject` has to be approved.
    #[must_use]
    pub fn apply_to(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Bulletin(_) => self.required >= Required::Bulletins,
            Subject::Schedule(_) => self.required >= Required::Everything,
        }
    }
}

/// A person's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Decision {
    /// Yes to exactly this.
    Approved,
    /// Not yet: back to the editors. The same version may be approved later.
    Returned,
    /// Never: this version cannot be approved any more.
    Rejected,
    /// It has aired and is taken back; only other words can be approved.
    Retracted,
}

impl Decision {
    /// All decisions.
    pub const ALL: [Self; 4] = [
        Self::Approved,
        Self::Returned,
        Self::Rejected,
        Self::Retracted,
    ];

    /// The word used in JSON and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
            Self::Retracted => "retracted",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.as_str() == text)
    }
}

/// A decision on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order of decisions.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// About which version.
    pub version: VersionHash,
    /// How many approvals that version needs.
    pub needed: u32,
    /// What.
    pub decision: Decision,
    /// Who.
    pub person: String,
    /// The office held.
    pub role: String,
    /// Why, or a remark.
    pub remark: String,
}

/// What the decisions on a subject amount to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The version that may air, with the decision that made it so last.
    pub in_force: Option<Entry>,
    /// Approvals of versions that still count, version by version; those of the one in force too.
    pub approvals: BTreeMap<VersionHash, Vec<Entry>>,
    /// The last decision on each version that is not in force and has one.
    pub last: BTreeMap<VersionHash, Entry>,
    /// Versions that can never be approved again, each with the decision that made it so.
    pub dead: BTreeMap<VersionHash, Entry>,
    /// That it was taken back, while no other version has been approved since.
    pub retracted: Option<Entry>,
}

impl Standing {
    /// What `entries`, in their order, amount to.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut standing = Self::default();
        for entry in entries {
            standing.take(entry);
        }
        standing
    }

    fn take(&mut self, entry: &Entry) {
        let version = &entry.version;
        let is_in_force = self
            .in_force
            .as_ref()
            .is_some_and(|granted| granted.version == *version);
        self.last.insert(version.clone(), entry.clone());
        match entry.decision {
            Decision::Approved if self.dead.contains_key(version) => {}
            Decision::Approved => {
                if !is_in_force && self.was_complete(version) {
                    // It was replaced since; going back to it begins anew.
                    self.approvals.remove(version);
                }
                let approvals = self.approvals.entry(version.clone()).or_default();
                if !approvals
                    .iter()
                    .any(|before| may_be_same(&before.person, &entry.person))
                {
                    approvals.push(entry.clone());
                }
                if approvals.len() >= entry.needed.max(1) as usize {
                    self.in_force = Some(entry.clone());
                    self.retracted = None;
                }
            }
            Decision::Returned | Decision::Rejected => {
                self.approvals.remove(version);
                if is_in_force {
                    self.in_force = None;
                }
                if entry.decision == Decision::Rejected {
                    self.dead.insert(version.clone(), entry.clone());
                }
            }
            Decision::Retracted => {
                let granted = self.in_force.take().map(|granted| granted.version);
                let dead = granted.into_iter().chain([version.clone()]);
                self.dead.extend(dead.map(|hash| (hash, entry.clone())));
                self.approvals.clear();
                self.retracted = Some(entry.clone());
            }
        }
    }

    /// The version that was in force last before another took its place, while nothing is in force: it was replaced for a reason, and
    /// does not come back by itself.
    #[must_use]
    pub fn replaced(&self) -> Option<&Entry> {
        let complete =
            |version: &&VersionHash| self.in_force.is_none() && self.was_complete(version);
        let versions = self.approvals.keys().filter(complete);
        let last = versions.filter_map(|version| self.approvals[version].last());
        last.max_by_key(|entry| entry.number)
    }

    fn was_complete(&self, version: &VersionHash) -> bool {
        self.approvals.get(version).is_some_and(|approvals| {
            approvals
                .first()
                .is_some_and(|first| approvals.len() >= first.needed.max(1) as usize)
        })
    }

    /// Whether `version` may air.
    #[must_use]
    pub fn allows(&self, version: &VersionHash) -> bool {
        self.in_force
            .as_ref()
            .is_some_and(|granted| granted.version == *version)
    }

    /// Whether `version` may air where `needed` people have to have approved it.
    #[must_use]
    pub fn allows_with(&self, version: &VersionHash, needed: u32) -> bool {
        self.allows(version) && self.counted(version).len() >= needed as usize
    }

    /// The approvals of `version` that count towards what it needs.
    #[must_use]
    pub fn counted(&self, version: &VersionHash) -> &[Entry] {
        if !self.allows(version) && self.was_complete(version) {
            return &[];
        }
        self.approvals.get(version).map_or(&[], Vec::as_slice)
    }
}

/// A decision that somebody wants to put on record.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// What.
    pub decision: Decision,
    /// Who, as typed.
    pub person: &'a str,
    /// The hash that was seen, or at least [`SHORTEST`] digits of its beginning.
    pub seen: &'a str,
    /// Why, or a remark.
    pub remark: &'a str,
}

/// Why a decision is not taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Refusal {
    /// The name is not among the approvers.
    NotApprover,
    /// The person wrote this version, or is named as the editor of one on record that says the same.
    IsEditor,
    /// Nobody is named as having written this version, so nobody can be told apart from its editors.
    NoEditors,
    /// A reason is wanted.
    NoReason,
    /// Too few digits of the hash.
    ShortHash,
    /// Another version than the one that was seen.
    Stale,
    /// The same person has approved it already.
    Twice,
    /// It is in force already.
    InForce,
    /// It was rejected or taken back, and needs other words.
    Dead,
    /// It says what a version said that was rejected or taken back.
    SameWords,
    /// It was taken back already.
    Retracted,
}

impl Refusal {
    /// All refusals.
    pub const ALL: [Self; 11] = [
        Self::NotApprover,
        Self::IsEditor,
        Self::NoEditors,
        Self::NoReason,
        Self::ShortHash,
        Self::Stale,
        Self::Twice,
        Self::InForce,
        Self::Dead,
        Self::SameWords,
        Self::Retracted,
    ];

    /// The word used in JSON; the sentence is `approval.refused-…` in the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApprover => "not-approver",
            Self::IsEditor => "is-editor",
            Self::NoEditors => "no-editors",
            Self::NoReason => "no-reason",
            Self::ShortHash => "short-hash",
            Self::Stale => "stale",
            Self::Twice => "twice",
            Self::InForce => "in-force",
            Self::Dead => "dead",
            Self::SameWords => "same-words",
            Self::Retracted => "retracted",
        }
    }
}

/// Whether `proposal` about `version` may be taken down. Gives the approver as `loa.yaml` spells the name. `earlier` are the
/// versions of the same subject on record: whoever takes the own name out of `editors` has still written those words.
///
/// # Errors
/// [`Refusal`], the first that holds.
pub fn judge<'r>(
    rules: &'r ApprovalRules,
    version: &Version,
    standing: &Standing,
    earlier: &[Version],
    proposal: &Proposal<'_>,
) -> Result<&'r Approver, Refusal> {
    let approver = rules
        .approver(proposal.person)
        .ok_or(Refusal::NotApprover)?;
    names_version(version, proposal.seen)?;
    if proposal.decision != Decision::Approved && proposal.remark.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    if standing.dead.contains_key(&version.hash) {
        return Err(Refusal::Dead);
    }
    if proposal.decision == Decision::Approved {
        let editors = version.editors();
        if editors.is_empty() {
            return Err(Refusal::NoEditors);
        }
        if writers(version, earlier).any(|editor| may_name(editor, &approver.name)) {
            return Err(Refusal::IsEditor);
        }
        let counted = standing.counted(&version.hash);
        // Words that are in force may be approved by more people: an emergency wants them, whoever wrote them for what.
        let enough = version.needed().max(rules.needed(Priority::Emergency));
        let can_be_urgent = matches!(version.subject, Subject::Bulletin(_));
        let is_again = counted
            .iter()
            .any(|entry| may_be_same(&entry.person, &approver.name));
        let is_enough = is_again || !can_be_urgent || counted.len() >= enough as usize;
        if standing.allows(&version.hash) && is_enough {
            return Err(Refusal::InForce);
        }
        if is_again {
            return Err(Refusal::Twice);
        }
    }
    Ok(approver)
}

/// Who has written what `version` says: its editors, and those of the versions among `earlier` that say the same.
pub fn writers<'v>(version: &'v Version, earlier: &'v [Version]) -> impl Iterator<Item = &'v str> {
    let same = earlier.iter().filter(|known| known.says_the_same(version));
    std::iter::once(version)
        .chain(same)
        .flat_map(Version::editors)
        .map(String::as_str)
}

/// Whether `seen` names `version`.
///
/// # Errors
/// [`Refusal::ShortHash`] or [`Refusal::Stale`].
pub fn names_version(version: &Version, seen: &str) -> Result<(), Refusal> {
    let seen = seen.trim().to_ascii_lowercase();
    if seen.len() < SHORTEST {
        return Err(Refusal::ShortHash);
    }
    if version.hash.as_str().starts_with(&seen) {
        Ok(())
    } else {
        Err(Refusal::Stale)
    }
}

#[cfg(test)]
mod tests;
