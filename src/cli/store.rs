//! What is wrong with a database, in the reader's language.

use super::output::Output;
use crate::store::StoreError;

/// The sentence for an error that an operator can mend; `None` where only its own words say more.
pub(super) fn sentence(error: &StoreError, output: &Output) -> Option<String> {
    Some(match error {
        StoreError::Scheme => output.say("cli.database-scheme", &[]),
        StoreError::File { path, source } => output.say(
            "cli.database-file",
            &[("path", &path.display()), ("cause", source)],
        ),
        StoreError::Locked { path } => {
            output.say("cli.database-locked", &[("path", &path.display())])
        }
        StoreError::Gone { path } => output.say("cli.database-gone", &[("path", &path.display())]),
        StoreError::Connect { source } => output.say("cli.database-open", &[("cause", source)]),
        StoreError::Unreachable {
            address,
            obstacle,
            source,
        } => output.say(
            &format!("cli.database-{}", obstacle.as_str()),
            &[("address", address), ("cause", source)],
        ),
        StoreError::Migrate { source } => output.say("cli.database-migrate", &[("cause", source)]),
        StoreError::WrongWorld { expected, .. } => {
            output.say(&format!("cli.database-not-{}", expected.as_str()), &[])
        }
        StoreError::DiskFull { .. } => output.say("cli.database-full", &[]),
        _ => return None,
    })
}
