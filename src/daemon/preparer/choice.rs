//! Which words a delivery gets: those of the version that is approved, or none.
//!
//! The current version if it is in force; else, as `loa.yaml` says, the last approved one where it still holds: on that day,
//! with its contacts unchanged, on a channel that it was approved for. Everything is looked up before a round and checked
//! again by the transaction that freezes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    catalogue::{self, Lang},
    daemon::{Shared, live::Live},
    domain::{
        approval::{Required, Standing, Subject, Unapproved},
        bulletin::Bulletin,
        calendar,
        contact::Standing as Verified,
        delivery::Reason,
        detail::Detail,
        id::{BulletinId, ScheduleId},
        message::ContentHash,
        version::{BulletinRecord, Record, Slot, Version, VersionHash},
        ward::Ward,
    },
    store::{Approved, StoreError, Unprepared},
    version::{all_words, bulletin_version, contact_record},
};

/// Why a delivery is not sent.
pub(super) type Refused = (Reason, String);

/// What a delivery says.
#[derive(Debug, Clone)]
pub(super) enum Words {
    /// What the workspace renders for it.
    Rendered(Slot),
    /// Words that the store keeps since they were approved.
    Kept(ContentHash),
}

/// What is known about approvals in one round.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    standings: HashMap<Subject, Standing>,
    versions: HashMap<VersionHash, Version>,
    /// Bulletins that were taken back and say other words now, where nothing has to be approved.
    reworded: BTreeSet<BulletinId>,
}

impl Approvals {
    /// Looks up what a batch of deliveries may need.
    pub(super) async fn load(
        shared: &Shared,
        live: &Live,
        unprepared: &[Unprepared],
    ) -> Result<Self, StoreError> {
        let mut subjects = BTreeSet::new();
        for delivery in unprepared {
            subjects.insert(Subject::Bulletin(delivery.bulletin.clone()));
            if !delivery.schedule.is_by_hand() {
                subjects.insert(Subject::Schedule(delivery.schedule.clone()));
            }
        }
        let standings = shared.store.standings(&subjects).await?;
        let mut hashes = BTreeSet::new();
        for (subject, standing) in &standings {
            let current = live.versions.get(subject).map(|version| &version.hash);
            let granted = standing.in_force.as_ref().map(|granted| &granted.version);
            hashes.extend(granted.filter(|granted| Some(*granted) != current).cloned());
            let retracted = standing.retracted.as_ref();
            hashes.extend(retracted.map(|entry| entry.version.clone()));
        }
        let versions = shared.store.versions(&hashes).await?;
        let workspace = &live.workspace;
        let taken_back = standings
            .iter()
            .filter(|(_, standing)| standing.retracted.is_some())
            .filter_map(|(subject, _)| match subject {
                Subject::Bulletin(id) => workspace.bulletins.get(id),
                Subject::Schedule(_) => None,
            })
            .filter(|_| workspace.settings.approval.required == Required::Off);
        let mut reworded = BTreeSet::new();
        for bulletin in taken_back {
            let version = bulletin_version(workspace, &live.renderer, bulletin);
            let words = all_words(workspace, &live.renderer, bulletin);
            let words: Vec<_> = words
                .into_iter()
                .map(|(_, _, content)| (content.hash(), Arc::new(content)))
                .collect();
            if shared.store.repeated(&version, &words).await?.is_none() {
                reworded.insert(bulletin.id.clone());
            }
        }
        Ok(Self {
            standings,
            versions,
            reworded,
        })
    }

    fn standing(&self, subject: &Subject) -> Option<&Standing> {
        self.standings.get(subject)
    }

    fn bulletin_record(&self, hash: &VersionHash) -> Option<&BulletinRecord> {
        match &self.versions.get(hash)?.record {
            Record::Bulletin(record) => Some(record),
            Record::Schedule(_) => None,
        }
    }

    /// What `delivery` says, and on which approvals it rests.
    pub(super) fn choose(
        &self,
        live: &Live,
        delivery: &Unprepared,
        bulletin: &Bulletin,
        ward: &Ward,
    ) -> Result<(Words, Option<Approved>), Refused> {
        let rules = &live.workspace.settings.approval;
        let subject = Subject::Bulletin(bulletin.id.clone());
        let standing = self.standing(&subject);
        if delivery.schedule.is_correction() {
            return Ok((self.correction(live, delivery, bulletin, ward)?, None));
        }
        // Where nothing has to be approved, other words are enough.
        let is_retracted = standing.is_some_and(|standing| standing.retracted.is_some());
        if is_retracted && !self.reworded.contains(&bulletin.id) {
            return Err(refused("approval.skip-retracted", &[("id", &bulletin.id)]));
        }
        let slot = Slot {
            format: delivery.format,
            correction: false,
        };
        if !rules.apply_to(&subject) {
            return Ok((Words::Rendered(slot), None));
        }
        let Some(current) = live.versions.bulletin(&bulletin.id) else {
            return Err((Reason::Defect, Detail::new("version-missing").to_string()));
        };
        let (words, version, priority) =
            match standing.and_then(|standing| standing.in_force.as_ref()) {
                Some(granted) if granted.version == current.hash => {
                    (Words::Rendered(slot), &current.hash, bulletin.priority)
                }
                Some(granted) if rules.unapproved == Unapproved::LastApproved => {
                    let record = self.bulletin_record(&granted.version).ok_or_else(|| {
                        (Reason::Defect, Detail::new("version-missing").to_string())
                    })?;
                    let kept = Self::kept(live, delivery, current, &granted.version, record)?;
                    (Words::Kept(kept), &granted.version, record.priority())
                }
                granted => {
                    let key = if granted.is_none() && rules.unapproved == Unapproved::LastApproved {
                        "approval.skip-bulletin"
                    } else {
                        "approval.skip-bulletin-only"
                    };
                    let hash = current.hash.short();
                    return Err(refused(key, &[("id", &bulletin.id), ("hash", &hash)]));
                }
            };
        let schedule = self.schedule(live, delivery)?;
        // Who sends by hand says how urgent it is; with enough approvals of these very words it is.
        let priority = if delivery.schedule.is_by_hand() {
            delivery.priority
        } else {
            priority
        };
        let needed = rules.needed(priority);
        let counted = standing.map_or(0, |standing| standing.counted(version).len());
        if counted < needed as usize && delivery.schedule.is_by_hand() {
            let args: [(&str, &dyn std::fmt::Display); 3] = [
                ("id", &bulletin.id),
                ("count", &counted),
                ("needed", &needed),
            ];
            return Err(refused("approval.skip-emergency", &args));
        }
        let approved = Approved {
            bulletin: (bulletin.id.clone(), version.clone()),
            schedule,
            priority,
            needed: if delivery.schedule.is_by_hand() {
                needed
            } else {
                1
            },
        };
        Ok((words, Some(approved)))
    }

    /// The words that were approved last, where they still hold.
    fn kept(
        live: &Live,
        delivery: &Unprepared,
        current: &Version,
        granted: &VersionHash,
        record: &BulletinRecord,
    ) -> Result<ContentHash, Refused> {
        let (id, hash, old) = (&delivery.bulletin, current.hash.short(), granted.short());
        if !record.valid().contains(day(live, delivery)) {
            let args: [(&str, &dyn std::fmt::Display); 3] =
                [("id", id), ("hash", &hash), ("old", &old)];
            return Err(refused("approval.skip-bulletin-old", &args));
        }
        // A number that is no longer known, or no longer verified, must not be heard because it once was approved.
        let day = day(live, delivery);
        let changed = record.contacts.iter().find(|(id, then)| {
            let Some(now) = live.workspace.contacts.get(id.as_str()) else {
                return true;
            };
            let record = contact_record(now);
            record.value != then.value
                || record.verified != then.verified
                || (now.verified.is_some() && now.standing(Some(day)) != Verified::Good)
        });
        if let Some((contact, _)) = changed {
            let args: [(&str, &dyn std::fmt::Display); 3] =
                [("id", id), ("hash", &hash), ("contact", contact)];
            return Err(refused("approval.skip-bulletin-contact", &args));
        }
        let slot = Slot {
            format: delivery.format,
            correction: false,
        };
        record.content(&delivery.ward, slot).ok_or_else(|| {
            refused(
                "approval.skip-bulletin-words",
                &[("id", id), ("hash", &hash)],
            )
        })
    }

    /// The version of its schedule that sends `delivery`.
    fn schedule(
        &self,
        live: &Live,
        delivery: &Unprepared,
    ) -> Result<Option<(ScheduleId, VersionHash)>, Refused> {
        let rules = &live.workspace.settings.approval;
        let id = &delivery.schedule;
        let subject = Subject::Schedule(id.clone());
        if id.is_by_hand() || !rules.apply_to(&subject) {
            return Ok(None);
        }
        // Planned by a schedule that is gone: the next plan says so too.
        let current = live
            .versions
            .schedule(id)
            .ok_or((Reason::Superseded, String::new()))?;
        let hash = current.hash.short();
        let granted = self
            .standing(&subject)
            .and_then(|standing| standing.in_force.as_ref());
        match granted {
            Some(granted) if granted.version == current.hash => {
                Ok(Some((id.clone(), granted.version.clone())))
            }
            Some(granted) if rules.unapproved == Unapproved::LastApproved => {
                let then = self.versions.get(&granted.version).map(|then| &then.record);
                let agree = match (then, &current.record) {
                    (Some(Record::Schedule(then)), Record::Schedule(now)) => {
                        let channel = delivery.channel.as_str();
                        then.agrees(now, channel, delivery.scheduled, day(live, delivery))
                    }
                    _ => false,
                };
                if agree {
                    Ok(Some((id.clone(), granted.version.clone())))
                } else {
                    let key = "approval.skip-schedule-target";
                    Err(refused(key, &[("id", id), ("hash", &hash)]))
                }
            }
            _ => Err(refused(
                "approval.skip-schedule",
                &[("id", id), ("hash", &hash)],
            )),
        }
    }

    /// The words of a correction: those of the version that was taken back, which were approved with it.
    fn correction(
        &self,
        live: &Live,
        delivery: &Unprepared,
        bulletin: &Bulletin,
        ward: &Ward,
    ) -> Result<Words, Refused> {
        let slot = Slot {
            format: delivery.format,
            correction: true,
        };
        let missing = || {
            let args: [(&str, &dyn std::fmt::Display); 1] = [("id", &bulletin.id)];
            let sentence = catalogue::text(Lang::Vi, "approval.no-correction", &args);
            (Reason::Unrenderable, sentence)
        };
        let subject = Subject::Bulletin(delivery.bulletin.clone());
        let retracted = self
            .standing(&subject)
            .and_then(|standing| standing.retracted.as_ref());
        let record = retracted.and_then(|entry| self.bulletin_record(&entry.version));
        match record {
            Some(record) => record
                .content(&delivery.ward, slot)
                .map(Words::Kept)
                .ok_or_else(missing),
            // Other words have been approved in the meantime; the correction of these says nothing wrong.
            None => crate::version::words(&live.workspace, &live.renderer, bulletin, ward, slot)
                .map(|_| Words::Rendered(slot))
                .ok_or_else(missing),
        }
    }
}

/// The day on which `delivery` is due, where its schedule is read.
fn day(live: &Live, delivery: &Unprepared) -> chrono::NaiveDate {
    let schedule = live.workspace.schedules.get(&delivery.schedule);
    let zone = schedule.map_or(live.workspace.settings.zone, |schedule| schedule.zone);
    calendar::local(delivery.due, zone).date()
}

/// The reason on record, for staff to read: Vietnamese, like everything that is kept.
fn refused(key: &str, args: &[(&str, &dyn std::fmt::Display)]) -> Refused {
    (Reason::Unapproved, catalogue::text(Lang::Vi, key, args))
}
