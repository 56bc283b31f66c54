//! The bytes of one connection's part of a stream, each piece not much before it is heard.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{Piece, begin, sleep_until};

/// How much of the sound is sent before it is heard, so that a short delay on the way is not heard.
const AHEAD: Duration = Duration::from_millis(500);

/// How long a server is given to say whether it takes a stream before any of it is sent. One that refuses what is already on its
/// way breaks the connection, and its reason is lost.
const LISTENING: Duration = Duration::from_secs(2);

/// What is left to send on one connection.
pub(super) struct Parts {
    pub(super) head: Bytes,
    pub(super) data: Bytes,
    pub(super) pieces: Arc<[Piece]>,
    pub(super) first: usize,
    pub(super) is_paced: bool,
    /// Cancelled when the server has taken the stream.
    pub(super) taken: CancellationToken,
}

impl Parts {
    /// The bytes, each part not much before it is heard.
    pub(super) fn stream(
        self,
        handed_on: watch::Sender<usize>,
    ) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        let (offset, _) = begin(&self.pieces, self.first);
        let state = (self, handed_on, None::<Instant>, None::<usize>);
        unfold(state, move |(parts, handed_on, since, at)| async move {
            // The head goes out before the first piece.
            let Some(at) = at else {
                if parts.is_paced {
                    let patience = Instant::now() + LISTENING;
                    // One that says nothing before it has heard something gets it.
                    let _ = timeout_at(patience, parts.taken.cancelled()).await;
                }
                let since = Instant::now();
                let (head, first) = (parts.head.clone(), parts.first);
                let next = (parts, handed_on, Some(since), Some(first));
                return Some((Ok(head), next));
            };
            let since = since.unwrap_or_else(Instant::now);
            let piece = *parts.pieces.get(at)?;
            let (begins, from) = begin(&parts.pieces, at);
            if parts.is_paced {
                let begins = begins.saturating_sub(offset);
                sleep_until(since + begins.saturating_sub(AHEAD)).await;
            }
            let bytes = parts.data.slice(from..piece.end);
            handed_on.send_replace(at + 1);
            let next = (parts, handed_on, Some(since), Some(at + 1));
            Some((Ok(bytes), next))
        })
    }
}
