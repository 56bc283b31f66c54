//! The pictures of articles, by the address of their bytes: kept when somebody has seen the version that shows them, open to
//! everybody once an article was frozen with them, and never changed.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{
    Store, StoreError,
    batch::json,
    link::{Cells as _, Purpose, execute, rows},
    sql::picture as statement,
};
use crate::domain::{
    picture::{PictureFormat, PictureHash},
    time::Timestamp,
};

/// A picture as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPicture {
    /// What it is packed as.
    pub format: PictureFormat,
    /// Its bytes.
    pub data: Bytes,
}

impl Store {
    /// Those of `hashes` that are not kept.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn missing_pictures(
        &self,
        hashes: &BTreeSet<PictureHash>,
    ) -> Result<BTreeSet<PictureHash>, StoreError> {
        if hashes.is_empty() {
            return Ok(BTreeSet::new());
        }
        let list = list(hashes);
        let mut reader = self.pools.reader().await?;
        let kept = rows!(reader, statement::PICTURES_KEPT, [list], |row| row
            .text(0)
            .map(str::to_owned))?;
        let is_missing = |hash: &&PictureHash| !kept.iter().any(|kept| kept == hash.as_str());
        Ok(hashes.iter().filter(is_missing).cloned().collect())
    }

    /// Keeps a picture under the address of its bytes.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn keep_picture(
        &self,
        format: PictureFormat,
        data: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hash = PictureHash::of(data);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(
            tx,
            statement::PICTURE_INSERT,
            hash.as_str(),
            format.as_str(),
            data,
            now.as_micros()
        )?;
        tx.commit().await
    }

    /// Says that articles were frozen with these pictures: from now on they are open to everybody.
    ///
    /// # Errors
    /// [`StoreError::Query`] or [`StoreError::DiskFull`].
    pub async fn freeze_pictures(
        &self,
        hashes: &BTreeSet<PictureHash>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if hashes.is_empty() {
            return Ok(());
        }
        let list = list(hashes);
        let mut tx = self.pools.begin(Purpose::Write).await?;
        execute!(tx, statement::PICTURES_FROZEN, list, now.as_micros())?;
        tx.commit().await
    }

    /// The bytes of a picture, for whoever sends it.
    ///
    /// # Errors
    /// [`StoreError::Query`], or [`StoreError::Corrupt`] when they are not what their address says.
    pub async fn picture(&self, hash: &PictureHash) -> Result<Option<KeptPicture>, StoreError> {
        self.picture_by(statement::PICTURE, hash).await
    }

    /// The bytes of a picture that everybody may have.
    ///
    /// # Errors
    /// As [`Store::picture`].
    pub async fn frozen_picture(
        &self,
        hash: &PictureHash,
    ) -> Result<Option<KeptPicture>, StoreError> {
        self.picture_by(statement::PICTURE_FROZEN, hash).await
    }

    async fn picture_by(
        &self,
        statement: super::sql::Statement,
        hash: &PictureHash,
    ) -> Result<Option<KeptPicture>, StoreError> {
        let mut reader = self.pools.reader().await?;
        let found = rows!(reader, statement, [hash.as_str()], |row| Ok((
            row.text(0)?.to_owned(),
            Bytes::copy_from_slice(row.bytes(1)?)
        )))?;
        let Some((format, data)) = found.into_iter().next() else {
            return Ok(None);
        };
        let format = PictureFormat::parse(&format).filter(|_| PictureHash::of(&data) == *hash);
        match format {
            Some(format) => Ok(Some(KeptPicture { format, data })),
            None => Err(StoreError::corrupt("picture", "data", hash.as_str())),
        }
    }
}

fn list(hashes: &BTreeSet<PictureHash>) -> String {
    json(&hashes.iter().map(PictureHash::as_str).collect::<Vec<_>>())
}
