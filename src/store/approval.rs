//! Versions and decisions: read, put on record, and made to count, each in one transaction with what follows from it for
//! deliveries.
//!
//! Whoever freezes words and whoever decides wait for each other (`DECISION_LOCK`, `REVISION_HELD`; SQLite has one writer
//! anyway), so that nothing is frozen on the strength of an approval that has just been withdrawn.

/// How often a decision is tried when the database gives it up in favour of another transaction: a person who decides must not
/// have to know of the daemon's work on the same rows.
const TRIES: usize = 5;

/// Does it again, some times, when the database gives it up.
macro_rules! again {
    ($once:expr) => {{
        let mut tries = 1;
        loop {
            match $once.await {
                Err(error) if error.is_given_up() && tries < TRIES => tries += 1,
                done => break done,
            }
        }
    }};
}

mod repeat;
mod retract;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

pub use retract::{Retraction, Taken};

use super::{
    Store, StoreError, World,
    batch::{Line, clean, json},
    journal,
    link::{Cells, Purpose, Tx, execute, rows},
    prepare::insert_contents,
    row::{count, delivery_id, parsed},
    sql,
};
use crate::domain::{
    approval::{ApprovalRules, Decision, Entry, Proposal, Refusal, Standing, Subject, judge},
    message::{Content, ContentHash},
    time::Timestamp,
    version::{Version, VersionHash},
};

/// A decision that somebody wants to put on record, with what it is about.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// The version that is decided about, as it is now.
    pub version: &'a Version,
    /// Its words, to be kept with an approval or a rejection.
    pub contents: &'a [(ContentHash, Arc<Content>)],
    /// Who may decide.
    pub rules: &'a ApprovalRules,
    /// The decision.
    pub proposal: Proposal<'a>,
}

/// Who approves the sample of a simulated city, by how many names an emergency needs.
#[derive(Debug, Clone, Copy)]
pub struct SampleApprovers<'a> {
    /// Their names.
    pub names: &'a [String],
    /// What stands as their office.
    pub role: &'a str,
    /// What stands as their remark.
    pub remark: &'a str,
}

impl Store {
    /// Where each of `subjects` stands.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn standings(
        &self,
        subjects: &BTreeSet<Subject>,
    ) -> Result<HashMap<Subject, Standing>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Snapshot).await?;
        standings(&mut tx, subjects).await
    }

    /// All decisions about `subject`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn decisions(&self, subject: &Subject) -> Result<Vec<Entry>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Snapshot).await?;
        let one = BTreeSet::from([subject.clone()]);
        Ok(entries(&mut tx, &one)
            .await?
            .remove(subject)
            .unwrap_or_default())
    }

    /// Versions by hash. Those that nobody has decided about are left out.
    ///
    /// # Errors
    /// [`StoreError::Query`], or [`StoreError::Corrupt`] when a record is not what its hash says.
    pub async fn versions(
        &self,
        hashes: &BTreeSet<VersionHash>,
    ) -> Result<HashMap<VersionHash, Version>, StoreError> {
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        let list = json(&hashes.iter().map(VersionHash::as_str).collect::<Vec<_>>());
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, sql::approval::VERSIONS, [list], |row| version(row))?;
        let by_hash = found
            .into_iter()
            .map(|version| (version.hash.clone(), version));
        Ok(by_hash.collect())
    }

    /// The newest versions of `subject` on record, those that nobody has decided about too.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn versions_of(&self, subject: &Subject) -> Result<Vec<Version>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Snapshot).await?;
        versions_of(&mut tx, subject).await
    }

    /// Keeps versions that somebody has seen, whether or not anybody decides about them: who is named as an editor there is
    /// remembered when the name is gone from the file.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn keep_versions<'v>(
        &self,
        versions: impl Iterator<Item = &'v Version> + Clone + Send,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let list = json(
            &versions
                .clone()
                .map(|version| version.hash.as_str())
                .collect::<Vec<_>>(),
        );
        let mut reader = self.pools.reader().await?;
        let known = rows!(reader, sql::approval::KNOWN_VERSIONS, [list], |row| row
            .text(0)
            .map(str::to_owned))?;
        drop(reader);
        let known: BTreeSet<String> = known.into_iter().collect();
        let missing: Vec<&Version> = versions
            .filter(|version| !known.contains(version.hash.as_str()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut tx = self.pools.begin(Purpose::Write).await?;
        for version in missing {
            insert_version(&mut tx, version, now).await?;
        }
        tx.commit().await
    }

    /// Puts a decision on record, if the rules allow it at that moment, and does what follows from it: what was frozen from
    /// a version that is no longer in force is frozen again or skipped, what was skipped for want of this approval is taken
    /// up again. Gives the standing that results.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is on record then. The inner [`Refusal`] says which rule does not allow it.
    pub async fn decide(
        &self,
        verdict: &Verdict<'_>,
        now: Timestamp,
    ) -> Result<Result<Standing, Refusal>, StoreError> {
        again!(self.decide_once(verdict, now))
    }

    async fn decide_once(
        &self,
        verdict: &Verdict<'_>,
        now: Timestamp,
    ) -> Result<Result<Standing, Refusal>, StoreError> {
        let (version, proposal) = (verdict.version, &verdict.proposal);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        lock(&mut tx).await?;
        let before = standing(&mut tx, &version.subject).await?;
        let earlier = versions_of(&mut tx, &version.subject).await?;
        let approver = match judge(verdict.rules, version, &before, &earlier, proposal) {
            Ok(approver) => approver,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_approved = proposal.decision == Decision::Approved;
        if is_approved && !before.allows(&version.hash) {
            let repeated = repeat::repeated(&mut tx, version, verdict.contents, &before).await?;
            if repeated.is_some() {
                return Ok(Err(Refusal::SameWords));
            }
        }
        // What was rejected is recognised by its words.
        if is_approved || proposal.decision == Decision::Rejected {
            insert_contents(&mut tx, verdict.contents, now).await?;
        }
        let who = Who {
            decision: proposal.decision,
            person: &approver.name,
            role: &approver.role,
            remark: proposal.remark.trim(),
        };
        record(&mut tx, version, who, now).await?;
        let after = settle(&mut tx, &version.subject, &before, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(Ok(after))
    }

    /// Approves `version` in a simulated city, where nobody else would. What a person has returned, rejected or retracted
    /// there is left alone, and so is what says the same words again. `false` when there was nothing to do.
    ///
    /// # Errors
    /// [`StoreError::WrongWorld`] in a real database; others of a statement.
    pub async fn approve_sample(
        &self,
        version: &Version,
        contents: &[(ContentHash, Arc<Content>)],
        by: SampleApprovers<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        again!(self.approve_sample_once(version, contents, by, now))
    }

    async fn approve_sample_once(
        &self,
        version: &Version,
        contents: &[(ContentHash, Arc<Content>)],
        by: SampleApprovers<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pools.begin(Purpose::Write).await?;
        let world = rows!(tx, sql::plan::WORLD, [], |row| row
            .text(0)
            .map(World::parse))?;
        if world.first() != Some(&Some(World::Simulated)) {
            return Err(StoreError::WrongWorld {
                expected: World::Simulated,
                found: World::Real,
            });
        }
        lock(&mut tx).await?;
        let before = standing(&mut tx, &version.subject).await?;
        let withdrawn = before
            .last
            .get(&version.hash)
            .is_some_and(|last| last.decision != Decision::Approved);
        if before.allows(&version.hash) || withdrawn {
            return Ok(false);
        }
        let repeated = repeat::repeated(&mut tx, version, contents, &before).await?;
        if repeated.is_some() {
            return Ok(false);
        }
        insert_contents(&mut tx, contents, now).await?;
        for name in by.names.iter().take(version.needed() as usize) {
            let who = Who {
                decision: Decision::Approved,
                person: name,
                role: by.role,
                remark: by.remark,
            };
            record(&mut tx, version, who, now).await?;
        }
        settle(&mut tx, &version.subject, &before, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }
}

/// A decision as it goes on record.
#[derive(Clone, Copy)]
struct Who<'a> {
    decision: Decision,
    person: &'a str,
    role: &'a str,
    remark: &'a str,
}

async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    rows!(*tx, sql::approval::DECISION_LOCK, [], |_row| Ok(())).map(|_| ())
}

/// Puts a version and a decision about it on record, and tells the journal.
async fn record(
    tx: &mut Tx,
    version: &Version,
    who: Who<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    insert_version(tx, version, now).await?;
    let (kind, subject) = (version.subject.kind(), version.subject.id());
    let (hash, now_us) = (version.hash.as_str(), now.as_micros());
    let (person, role, remark) = (clean(who.person), clean(who.role), clean(who.remark));
    execute!(
        *tx,
        sql::approval::APPROVAL_INSERT,
        now_us,
        kind,
        subject,
        hash,
        who.decision.as_str(),
        person.as_ref(),
        role.as_ref(),
        remark.as_ref()
    )?;
    let detail = journal::why(
        &format!("{kind} {subject} {}", version.hash.short()),
        &remark,
    );
    journal::append_one(tx, who.decision.as_str(), None, &person, &detail, now).await?;
    Ok(())
}

async fn insert_version(tx: &mut Tx, version: &Version, now: Timestamp) -> Result<(), StoreError> {
    execute!(
        *tx,
        sql::approval::VERSION_INSERT,
        version.hash.as_str(),
        version.subject.kind(),
        version.subject.id(),
        i64::from(version.needed()),
        version.to_json(),
        now.as_micros()
    )
    .map(|_| ())
}

/// The newest versions of `subject` on record.
async fn versions_of(tx: &mut Tx, subject: &Subject) -> Result<Vec<Version>, StoreError> {
    /// Whoever wants to be forgotten has to write the same words anew so often that everybody notices.
    const NEWEST: i64 = 200;
    let statement = sql::approval::VERSIONS_OF;
    rows!(
        *tx,
        statement,
        [subject.kind(), subject.id(), NEWEST],
        |row| { version(row) }
    )
}

/// A version with its hash before its JSON.
fn version(row: &impl Cells) -> Result<Version, StoreError> {
    let hash = VersionHash::from_store(row.text(0)?.to_owned());
    parsed(
        row.text(1)?,
        |text| Version::from_json(&hash, text).ok_or(()),
        "version",
        "json",
        hash.as_str(),
    )
}

/// Makes the decisions on record count for deliveries.
async fn settle(
    tx: &mut Tx,
    subject: &Subject,
    before: &Standing,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let after = standing(tx, subject).await?;
    let version = |standing: &Standing| {
        standing
            .in_force
            .as_ref()
            .map(|granted| granted.version.clone())
    };
    let (old, new) = (version(before), version(&after));
    if old == new {
        return Ok(after);
    }
    let (bulletin, schedule) = match subject {
        Subject::Bulletin(id) => (Some(id.as_str()), None),
        Subject::Schedule(id) => (None, Some(id.as_str())),
    };
    let now_us = now.as_micros();
    execute!(*tx, sql::approval::UNFREEZE, bulletin, schedule, now_us)?;
    if new.is_some() {
        let statement = sql::approval::REVIVE;
        let back = rows!(*tx, statement, [bulletin, schedule, now_us], |row| row
            .text(0)
            .map(delivery_id))?;
        journal::append(tx, &back, "taken-up", subject.id(), now).await?;
    } else {
        let detail = format!("{} {}", subject.kind(), subject.id());
        let statement = sql::approval::STOP_TRYING;
        let binds = (bulletin, schedule, detail.as_str());
        let ended = rows!(*tx, statement, [binds.0, binds.1, now_us, binds.2], |row| {
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
        })?;
        tell(tx, &ended, &format!("unapproved: {detail}"), now).await?;
        execute!(*tx, sql::approval::STOP_SENDING, bulletin, schedule, now_us)?;
    }
    Ok(after)
}

/// A journal line for each delivery that ended.
async fn tell(
    tx: &mut Tx,
    ended: &[(String, String)],
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lines: Vec<Line<'_>> = ended
        .iter()
        .map(|(id, state)| Line {
            delivery_id: id,
            event: state,
            detail: detail.into(),
        })
        .collect();
    journal::append_lines(tx, &lines, journal::ACTOR, now).await
}

async fn standing(tx: &mut Tx, subject: &Subject) -> Result<Standing, StoreError> {
    let one = BTreeSet::from([subject.clone()]);
    Ok(standings(tx, &one)
        .await?
        .remove(subject)
        .unwrap_or_default())
}

/// Where each of `subjects` stands, as this transaction sees it.
pub(super) async fn standings(
    tx: &mut Tx,
    subjects: &BTreeSet<Subject>,
) -> Result<HashMap<Subject, Standing>, StoreError> {
    let mut all = entries(tx, subjects).await?;
    Ok(subjects
        .iter()
        .map(|subject| {
            let entries = all.remove(subject).unwrap_or_default();
            (subject.clone(), Standing::of(&entries))
        })
        .collect())
}

async fn entries(
    tx: &mut Tx,
    subjects: &BTreeSet<Subject>,
) -> Result<HashMap<Subject, Vec<Entry>>, StoreError> {
    if subjects.is_empty() {
        return Ok(HashMap::new());
    }
    // A bulletin and a schedule may have the same id.
    let ids: BTreeSet<&str> = subjects.iter().map(Subject::id).collect();
    let list = json(&ids.into_iter().collect::<Vec<_>>());
    let found = rows!(*tx, sql::approval::APPROVALS_OF, [list], |row| entry(row))?;
    let mut all: HashMap<Subject, Vec<Entry>> = HashMap::new();
    for (subject, entry) in found {
        all.entry(subject).or_default().push(entry);
    }
    Ok(all)
}

fn entry(row: &impl Cells) -> Result<(Subject, Entry), StoreError> {
    const TABLE: &str = "approval";
    let number = row.integer(0)?;
    let id = number.to_string();
    let kind = row.text(2)?;
    let subject = parsed(
        row.text(3)?,
        |text| Subject::parse(kind, text).ok_or(()),
        TABLE,
        "subject",
        &id,
    )?;
    let decision = parsed(
        row.text(6)?,
        |text| Decision::parse(text).ok_or(()),
        TABLE,
        "decision",
        &id,
    )?;
    Ok((
        subject,
        Entry {
            number,
            at: Timestamp::from_micros(row.integer(1)?),
            version: VersionHash::from_store(row.text(4)?.to_owned()),
            needed: count(row.integer(5)?, "version", "needed", &id)?,
            decision,
            person: row.text(7)?.to_owned(),
            role: row.text(8)?.to_owned(),
            remark: row.text(9)?.to_owned(),
        },
    ))
}
