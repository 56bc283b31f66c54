//! Taking a bulletin back: what is still to go out is called off, and whoever carried it gets the correction, in one
//! transaction.

use std::{collections::BTreeMap, sync::Arc};

use super::{TRIES, Who, lock, record, standing, tell};
use crate::{
    domain::{
        approval::{Decision, Refusal, Subject},
        delivery::State,
        id::{BulletinId, ChannelId},
        message::{Content, ContentHash},
        plan::{PlannedDelivery, air::OnAir},
        policy::Span,
        time::Timestamp,
        version::Version,
    },
    store::{
        Store, StoreError,
        air::{Sending, on_air_alone, put_on_air},
        batch::clean,
        journal,
        link::{Cells as _, Purpose, execute, rows},
        prepare::insert_contents,
        row::{DeliveryRow, delivery},
        sql,
    },
};

/// How long before the transaction a delivery may have changed without having been seen: clocks of nodes differ a little.
const MARGIN: std::time::Duration = std::time::Duration::from_mins(1);

/// What is taken back, by whom and why.
#[derive(Debug, Clone, Copy)]
pub struct Retraction<'a> {
    /// The bulletin.
    pub bulletin: &'a BulletinId,
    /// The version whose correction is published: the one in force, or the last that was.
    pub version: &'a Version,
    /// The words of the correction, where they are not kept yet.
    pub contents: &'a [(ContentHash, Arc<Content>)],
    /// The revision under which the corrections are planned.
    pub revision: &'a str,
    /// Who.
    pub person: &'a str,
    /// The office held.
    pub role: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// What a retraction did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// Deliveries that were called off.
    pub called_off: usize,
    /// Corrections that are on their way.
    pub corrections: Vec<PlannedDelivery>,
}

impl Store {
    /// Takes a bulletin back; once more where some channel that carried it has not got its correction and waits for none.
    /// `correct` says what goes to the channels that carried it, given the last such delivery of each and what is on air in
    /// `span`; nobody else finds a place there meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is on record then. The inner [`Refusal`] says that it was taken back before, and nothing is left to
    /// correct.
    pub async fn retract(
        &self,
        retraction: &Retraction<'_>,
        (now, span): (Timestamp, Span),
        correct: impl Fn(&[DeliveryRow], Vec<OnAir>) -> Sending + Send + Sync,
    ) -> Result<Result<Taken, Refusal>, StoreError> {
        again!(self.retract_once(retraction, (now, span), &correct))
    }

    async fn retract_once(
        &self,
        retraction: &Retraction<'_>,
        (now, span): (Timestamp, Span),
        correct: &(impl Fn(&[DeliveryRow], Vec<OnAir>) -> Sending + Send + Sync),
    ) -> Result<Result<Taken, Refusal>, StoreError> {
        let id = retraction.bulletin;
        // The long look through the log happens before the short time in which nobody else can write.
        let mut reader = self.pools.reader().await?;
        let mut carried = rows!(reader, sql::read::CARRIED, [id.as_str(), i64::MIN], |row| {
            delivery(row)
        })?;
        drop(reader);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        lock(&mut tx).await?;
        let subject = Subject::Bulletin(id.clone());
        let was_retracted = standing(&mut tx, &subject).await?.retracted.is_some();
        let reason = retraction.reason.trim();
        let who = Who {
            decision: Decision::Retracted,
            person: retraction.person,
            role: retraction.role,
            remark: reason,
        };
        record(&mut tx, retraction.version, who, now).await?;
        insert_contents(&mut tx, retraction.contents, now).await?;
        let now_us = now.as_micros();
        let (person, detail) = (clean(retraction.person), clean(reason));
        // Nothing of a bulletin that was taken back before waits but corrections, and those go on.
        let called_off = if was_retracted {
            Vec::new()
        } else {
            rows!(
                tx,
                sql::approval::CALL_OFF,
                [id.as_str(), person.as_ref(), detail.as_ref(), now_us],
                |row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
            )?
        };
        tell(
            &mut tx,
            &called_off,
            &journal::why("retracted", &detail),
            now,
        )
        .await?;
        let statement = sql::approval::STOP_SENDING;
        execute!(tx, statement, Some(id.as_str()), None::<&str>, now_us)?;
        let since = (now - MARGIN).as_micros();
        carried.extend(rows!(
            tx,
            sql::read::CARRIED,
            [id.as_str(), since],
            |row| delivery(row)
        )?);
        // One correction for each channel, whatever it carried how often.
        let by_channel: BTreeMap<ChannelId, DeliveryRow> = carried
            .into_iter()
            .map(|row| (row.channel.clone(), row))
            .collect();
        let waiting = rows!(tx, sql::approval::BEING_CORRECTED, [id.as_str()], |row| {
            Ok(row.text(0)?.to_owned())
        })?;
        let is_open = |row: &DeliveryRow| {
            !is_corrected(row)
                && !waiting
                    .iter()
                    .any(|channel| row.channel.as_str() == channel)
        };
        let carried: Vec<DeliveryRow> = by_channel.into_values().filter(is_open).collect();
        if was_retracted && carried.is_empty() {
            return Ok(Err(Refusal::Retracted));
        }
        let known = on_air_alone(&mut tx, span, now).await?;
        let sending = correct(&carried, known);
        put_on_air(&mut tx, retraction.revision, &sending, now).await?;
        tx.commit().await?;
        self.changed();
        Ok(Ok(Taken {
            called_off: called_off.len(),
            corrections: sending.deliveries,
        }))
    }
}

/// Whether `row`, the last that a channel carried of a bulletin, is its correction, or may be.
fn is_corrected(row: &DeliveryRow) -> bool {
    let may_be = matches!(
        row.state,
        State::Sending | State::Accepted | State::Confirmed | State::Unknown
    );
    row.schedule.is_correction() && may_be
}
