//! Words that were rejected or taken back, however the file around them was edited since.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{standing, version};
use crate::{
    domain::{
        approval::{Entry, Standing},
        message::{Content, ContentHash},
        version::{BulletinRecord, Record, Version, VersionHash},
    },
    store::{
        Store, StoreError,
        batch::json,
        deliver::content,
        link::{Purpose, Tx, rows},
        sql,
    },
};

impl Store {
    /// The decision by which what `version` says was rejected or taken back, if it says that again. `contents` are its words.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::Corrupt`].
    pub async fn repeated(
        &self,
        version: &Version,
        contents: &[(ContentHash, Arc<Content>)],
    ) -> Result<Option<Entry>, StoreError> {
        let mut tx = self.pools.begin(Purpose::Snapshot).await?;
        let standing = standing(&mut tx, &version.subject).await?;
        repeated(&mut tx, version, contents, &standing).await
    }
}

/// The same in a transaction, where it is known where the subject stands. What is in force repeats nothing: somebody has said yes
/// to it. Words that are not on record any more are told apart by their addresses alone.
pub(super) async fn repeated(
    tx: &mut Tx,
    version: &Version,
    contents: &[(ContentHash, Arc<Content>)],
    standing: &Standing,
) -> Result<Option<Entry>, StoreError> {
    if let Some(entry) = standing.dead.get(&version.hash) {
        return Ok(Some(entry.clone()));
    }
    let Record::Bulletin(record) = &version.record else {
        return Ok(None);
    };
    if standing.dead.is_empty() || standing.allows(&version.hash) {
        return Ok(None);
    }
    let mut wordings: HashMap<ContentHash, String> = contents
        .iter()
        .map(|(hash, content)| (hash.clone(), content.wording()))
        .collect();
    for dead in dead(tx, standing).await? {
        let Record::Bulletin(then) = &dead.record else {
            continue;
        };
        if says(tx, record, then, &mut wordings).await? {
            return Ok(standing.dead.get(&dead.hash).cloned());
        }
    }
    Ok(None)
}

/// The versions that can never be approved again.
async fn dead(tx: &mut Tx, standing: &Standing) -> Result<Vec<Version>, StoreError> {
    let hashes: Vec<&str> = standing.dead.keys().map(VersionHash::as_str).collect();
    let list = json(&hashes);
    rows!(*tx, sql::approval::VERSIONS, [list], |row| version(row))
}

/// Whether `record` says what `then` said.
async fn says(
    tx: &mut Tx,
    record: &BulletinRecord,
    then: &BulletinRecord,
    wordings: &mut HashMap<ContentHash, String>,
) -> Result<bool, StoreError> {
    let Some(pairs) = record.differing(then) else {
        return Ok(false);
    };
    let missing: BTreeSet<&str> = pairs
        .iter()
        .map(|(_, other)| other)
        .filter(|hash| !wordings.contains_key(*hash))
        .map(ContentHash::as_str)
        .collect();
    if !missing.is_empty() {
        let list = json(&missing.into_iter().collect::<Vec<_>>());
        let found = rows!(*tx, sql::deliver::CONTENTS, [list], |row| content(row))?;
        let found = found.into_iter();
        wordings.extend(found.map(|(hash, content)| (hash, content.wording())));
    }
    let is_same = |(one, other): &(ContentHash, ContentHash)| {
        let known = wordings.get(one).zip(wordings.get(other));
        known.is_some_and(|(one, other)| one == other)
    };
    Ok(pairs.iter().all(is_same))
}
