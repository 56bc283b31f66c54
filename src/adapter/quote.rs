//! What a record may hold of what receivers say: nothing that they were told in confidence.

use std::borrow::Cow;

use crate::domain::secret::Secret;

/// `text` with every secret in it replaced. Secrets of fewer than four letters stay: they would black out ordinary words.
#[must_use]
pub fn redact<'t>(text: &'t str, secrets: &[Secret]) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets
        .iter()
        .map(Secret::expose)
        .filter(|secret| secret.len() >= 4)
    {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, "***"));
        }
    }
    text
}

/// What a receiver says of itself, as a record may hold it: without `secrets`, and at most `most` characters.
#[must_use]
pub fn quote(said: &str, secrets: &[Secret], most: usize) -> String {
    // Redacted before it is cut: half a secret is still half a secret.
    redact(said.trim(), secrets).chars().take(most).collect()
}
