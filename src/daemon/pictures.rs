//! The pictures of articles: put on record when the version that shows them is seen, and given to what is sent. What was approved is
//! sent, also when the editors' file has changed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use super::Shared;
use crate::{
    adapter::Failure,
    domain::{
        delivery::Reason,
        detail::Detail,
        message::{Content, ContentHash, Message},
        picture::{Picture, PictureHash},
        time::Timestamp,
        workspace::Workspace,
    },
    source::pictures,
    store::{Store, StoreError},
};

/// Puts the pictures that `workspace`, read in `root`, names on record, as far as they are not yet. A file that has changed since
/// the workspace was read is left out: the files are read again because of it.
///
/// # Errors
/// The store's.
pub async fn keep(
    store: &Store,
    root: &Path,
    workspace: &Workspace,
    now: Timestamp,
) -> Result<(), StoreError> {
    let articles = workspace.bulletins.values();
    let articles = articles.filter_map(|bulletin| bulletin.article.as_ref());
    let named: BTreeMap<PictureHash, &Picture> = articles
        .filter_map(|article| article.picture.as_ref())
        .map(|picture| (picture.hash.clone(), picture))
        .collect();
    let hashes = named.keys().cloned().collect();
    for hash in store.missing_pictures(&hashes).await? {
        let Some(picture) = named.get(&hash).copied().cloned() else {
            continue;
        };
        let root = root.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let bytes = pictures::read(&root, &picture);
            (picture, bytes)
        });
        let (picture, bytes) = read
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        match bytes {
            Ok(bytes) => store.keep_picture(picture.format, &bytes, now).await?,
            Err(error) => tracing::warn!(
                picture = picture.file,
                error = &error as &dyn std::error::Error,
                "a picture could not be put on record as it was checked"
            ),
        }
    }
    Ok(())
}

/// Opens the pictures of articles that are about to be frozen to everybody: receivers fetch them by their address.
pub(super) async fn freeze(
    shared: &Shared,
    contents: &[(ContentHash, Arc<Content>)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let pictures = contents.iter().filter_map(|(_, content)| {
        let picture = content.picture.as_ref()?;
        Some(picture.hash.clone())
    });
    let pictures: BTreeSet<PictureHash> = pictures.collect();
    shared.store.freeze_pictures(&pictures, now).await
}

/// Gives a message the bytes of its picture.
pub(super) async fn add(shared: &Shared, message: &mut Message) -> Result<(), Failure> {
    let Some(picture) = &message.content.picture else {
        return Ok(());
    };
    let fail = |detail: Detail| {
        let detail = detail.with("file", &picture.file);
        Failure::retry(Reason::NoPicture, detail.to_string())
    };
    let unread = |error: &StoreError| {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the picture of an article could not be read"
        );
        fail(Detail::new("picture-unread"))
    };
    // Words of an earlier version were frozen before without this node having rendered them.
    let hashes = BTreeSet::from([picture.hash.clone()]);
    let opened = shared
        .store
        .freeze_pictures(&hashes, shared.clock.now())
        .await;
    opened.map_err(|error| unread(&error))?;
    let kept = shared.store.picture(&picture.hash).await;
    let kept = kept.map_err(|error| unread(&error))?;
    let kept = kept.ok_or_else(|| fail(Detail::new("picture-missing")))?;
    message.picture = Some(kept.data);
    Ok(())
}
