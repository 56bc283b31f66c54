//! What bytes are known by: the hash of all of them.

use std::{fmt, marker::PhantomData};

/// The address of bytes of some sort: BLAKE3, in hexadecimal. Addresses of different sorts are different types, so that none is looked for
/// among the others; `Sort` says no more than that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BytesHash<Sort>(String, PhantomData<Sort>);

impl<Sort> BytesHash<Sort> {
    /// The address of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().to_string(), PhantomData)
    }

    /// Reads an address back; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash =
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(text.to_owned(), PhantomData))
    }

    /// The address as 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its beginning: enough to tell two of a sort apart, and to be read out on the telephone.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl<Sort> fmt::Display for BytesHash<Sort> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
