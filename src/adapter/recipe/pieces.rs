//! Files in pieces: one request after another with a part of the bytes each, within the attempt.

use std::ops::Range;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    RecipeAdapter, RecipeProblem, RecipeProblemKind, Scene,
    judge::{Answer, Condition, Take, take_all},
    parts::{Rule, read_takes},
    replay::{Halt, Manner},
    text::Reading,
    write::Call,
};
use crate::{
    adapter::{Exchange, Failure, course::Course},
    domain::{
        delivery::Reason,
        detail::Detail,
        recipe::{self, MOST_PIECES},
    },
};

/// How a file is cut up, read.
#[derive(Debug)]
pub(super) struct Pieces {
    /// The bytes of each piece but the last.
    bytes: usize,
    /// What counts as taken of all but the last.
    pub(super) accepted: Condition,
    /// What is taken from the answer to each.
    pub(super) take: Vec<(String, Take)>,
}

/// Which part of a file goes out now.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// From 0.
    index: usize,
    count: usize,
    range: Range<usize>,
    total: usize,
}

impl Piece {
    /// One as it could be.
    pub(super) fn sample() -> Self {
        Self {
            index: 0,
            count: 1,
            range: 0..0,
            total: 0,
        }
    }

    /// The bytes of this piece; they are not copied.
    pub(super) fn of(&self, file: &Bytes) -> Bytes {
        let end = self.range.end.min(file.len());
        file.slice(self.range.start.min(end)..end)
    }

    fn is_last(&self) -> bool {
        self.index + 1 == self.count
    }

    /// `piece` as templates see it. `to` is the last byte itself, as in `Content-Range`.
    pub(super) fn describe(&self) -> Value {
        serde_json::json!({
            "index": self.index,
            "number": self.index + 1,
            "count": self.count,
            "from": self.range.start,
            "to": self.range.end.saturating_sub(1),
            "bytes": self.range.len(),
            "total": self.total,
            "last": self.is_last(),
        })
    }
}

impl Pieces {
    pub(super) fn read(reading: &mut Reading, path: &str, pieces: &recipe::Pieces) -> Self {
        let path = format!("{path}.pieces");
        Self {
            bytes: usize::try_from(pieces.bytes).unwrap_or(usize::MAX).max(1),
            accepted: Condition::read_success(
                reading,
                &format!("{path}.accepted"),
                &pieces.accepted,
            ),
            take: read_takes(reading, &format!("{path}.take"), &pieces.take),
        }
    }

    /// The piece of that index of a file; `None` where the file has too many.
    fn piece(&self, index: usize, total: usize) -> Option<Piece> {
        let count = total.div_ceil(self.bytes).max(1);
        let start = index.saturating_mul(self.bytes).min(total);
        (count <= MOST_PIECES).then(|| Piece {
            index,
            count,
            range: start..start.saturating_add(self.bytes).min(total),
            total,
        })
    }
}

impl RecipeAdapter {
    /// The exchange of a call that may be made in pieces: that of the last, or of one that got no answer; and what was taken from the
    /// answer to each. `own` are the rules of the call. One that is not taken ends it as the call's own answer would.
    pub(super) fn sent<'d>(
        &self,
        call: &Call,
        scene: &Scene<'_>,
        done: &mut Course<'d>,
        manner: &Manner<'_>,
        own: &[Rule],
    ) -> Result<(&'d Exchange, Vec<Value>), Halt> {
        let Some(pieces) = call.pieces() else {
            return Ok((self.call(call, scene, done, manner)?, Vec::new()));
        };
        let total = call.file(scene)?.len();
        let mut taken = Vec::new();
        let mut index = 0;
        loop {
            let too_many = || RecipeProblem {
                path: call.path().to_owned(),
                kind: RecipeProblemKind::TooManyPieces(total),
            };
            let piece = pieces.piece(index, total).ok_or_else(too_many)?;
            let is_last = piece.is_last();
            scene.begin_piece(is_last);
            let scene = scene.of_piece(piece);
            // Each is a call of its own to whoever heeds the key, and the last stands for the whole.
            let key = manner.key.filter(|_| !is_last);
            let key = key.map(|key| format!("{key}.{}", index + 1));
            let manner = &Manner {
                key: key.as_deref().or(manner.key),
                address: manner.address,
                wait: manner.wait,
                is_private: manner.is_private,
                login: manner.login.clone(),
            };
            let exchange = self.call(call, &scene, done, manner)?;
            let Ok(response) = &exchange.result else {
                return Ok((exchange, taken));
            };
            let answer = Answer::new(response);
            let mismatch = if is_last {
                None
            } else {
                pieces.accepted.mismatch(&answer, &scene)?
            };
            let refused = match mismatch {
                Some(mismatch) => Some(self.refused(exchange, &answer, &scene, own, mismatch)?),
                None if is_last => None,
                None => self.overruled(&pieces.accepted, &answer, &scene, own)?,
            };
            if let Some(failure) = refused {
                let failure = if manner.has_effect() {
                    failure
                } else {
                    failure.without_effect()
                };
                return Err(self.failed(call, exchange, failure, &scene));
            }
            match take_all(&pieces.take, &answer) {
                Ok(mut one) => {
                    one.insert("number".to_owned(), (index + 1).into());
                    taken.push(Value::Object(one));
                }
                // The last one's answer is judged by the call itself first.
                Err(_) if is_last && !response.is_success() => {}
                Err(place) => {
                    let detail = Detail::new("call-no-field").with("pointer", place);
                    return Err(Halt::Failed(if manner.has_effect() {
                        Failure::unknown(Reason::Unexpected, detail)
                    } else {
                        Failure::retry(Reason::Unexpected, detail)
                    }));
                }
            }
            if is_last {
                return Ok((exchange, taken));
            }
            index += 1;
        }
    }
}

/// What the pieces' answers gave, among what a step gave.
pub(super) fn with_pieces(
    mut taken: Map<String, Value>,
    call: &Call,
    pieces: Vec<Value>,
) -> Map<String, Value> {
    if call.pieces().is_some_and(|known| !known.take.is_empty()) {
        taken.insert("pieces".to_owned(), Value::Array(pieces));
    }
    taken
}
