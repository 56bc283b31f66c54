//! The sounds that go with what is sent: which ones, and their bytes from disk. Nothing is made here.

use std::{collections::HashMap, sync::Arc};

use super::super::{Shared, live::Live};
use crate::{
    adapter::Failure,
    domain::{
        audio::{Audio, Sound},
        delivery::Reason,
        detail::{Detail, cause},
        id::DeliveryId,
        message::Message,
    },
    store::Claimed,
};

/// The sounds that these deliveries were frozen with, as far as their channels want any.
pub(super) async fn sounds(
    shared: &Shared,
    live: &Live,
    claimed: &[Claimed],
) -> HashMap<DeliveryId, Sound> {
    let wanting: Vec<DeliveryId> = claimed
        .iter()
        .filter(|claimed| live.sounding.contains(&claimed.channel))
        .map(|claimed| claimed.id.clone())
        .collect();
    shared.store.sounds(&wanting).await.unwrap_or_else(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the sounds of deliveries could not be read"
        );
        HashMap::new()
    })
}

/// Gives a message the bytes of its sound, from disk. Nothing is made here.
pub(super) async fn add_sound(
    message: &mut Message,
    sound: Option<(Sound, Arc<Live>)>,
) -> Result<(), Failure> {
    let Some((sound, live)) = sound else {
        return Ok(());
    };
    let read = tokio::task::spawn_blocking(move || {
        let data = live.studio.read(&sound.hash, sound.format);
        data.map(|data| Audio { sound, data })
    });
    let audio = read
        .await
        .map_err(|_| Failure::retry(Reason::Defect, Detail::new("panic").to_string()))?
        .map_err(|error| {
            let detail = Detail::new("sound-not-here").with("problem", cause(&error));
            Failure::retry(Reason::NoSound, detail.to_string())
        })?;
    message.audio = Some(audio);
    Ok(())
}
