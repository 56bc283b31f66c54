//! What stopped a command, in the reader's language. Every error that an operator can meet has its sentence here; what is left
//! is a defect of the program, and says so.

use std::{error::Error, io};

use super::{
    Findings, log,
    output::{NotAnInstant, Output},
};
use crate::{
    adapter::transport::TransportError,
    config::SecretError,
    simulator::{CityError, RecordError},
    store::StoreError,
};

/// The sentence for what stopped a command.
pub(super) fn sentence(error: &anyhow::Error, output: &Output) -> String {
    if let Some(NotAnInstant(text)) = error.downcast_ref() {
        return output.say("cli.bad-instant", &[("text", text)]);
    }
    if let Some(error) = error.downcast_ref() {
        return of_store(error, output);
    }
    if let Some(error) = error.downcast_ref::<SecretError>() {
        let told = log::said(&error.told().to_string(), output);
        return told.unwrap_or_else(|| error.to_string());
    }
    if let Some(error) = error.downcast_ref() {
        return of_city(error, output);
    }
    if let Some(TransportError::NotLoopback(address)) = error.downcast_ref() {
        return output.say("cli.city-elsewhere", &[("address", address)]);
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return output.cause(error);
    }
    // A sentence of the catalogue has nothing behind it; an error of the program's own is told with all that it knows.
    let is_said = error.is::<Findings>() || error.is::<String>();
    if is_said {
        return error.to_string();
    }
    output.say("cli.defect", &[("cause", &format!("{error:#}"))])
}

fn of_city(error: &CityError, output: &Output) -> String {
    match error {
        CityError::NotLoopback { address } => {
            output.say("cli.city-elsewhere", &[("address", address)])
        }
        CityError::Bind { address, source } => {
            let cause = output.cause(source);
            output.say("cli.city-taken", &[("address", address), ("cause", &cause)])
        }
        CityError::Record(RecordError::Io { path, source }) => {
            output.file(path, source).to_string()
        }
        CityError::Record(RecordError::InUse { path }) => {
            output.say("cli.city-record-taken", &[("path", &path.display())])
        }
        CityError::Record(RecordError::Corrupt { path, line, .. }) => output.say(
            "cli.city-record-bad",
            &[("path", &path.display()), ("line", line)],
        ),
        CityError::InvalidHost { .. }
        | CityError::InvalidFault { .. }
        | CityError::Full
        | CityError::Stopped => output.say("cli.defect", &[("cause", error)]),
    }
}

/// The sentence for an error of the store.
fn of_store(error: &StoreError, output: &Output) -> String {
    let unnamed = String::new();
    let name = output.database.get().unwrap_or(&unnamed);
    if let Some((defect, cause)) = error.defect() {
        return output.say(
            &format!("cli.database-{}", defect.as_str()),
            &[("name", name), ("cause", cause)],
        );
    }
    match error {
        StoreError::Scheme => output.say("cli.database-scheme", &[]),
        StoreError::Unescaped => output.say("cli.database-unescaped", &[]),
        StoreError::Address { source } => output.say("cli.database-address", &[("cause", source)]),
        StoreError::Empty => output.say("cli.empty-database", &[("name", name)]),
        StoreError::File { path, source } => output.say(
            "cli.database-file",
            &[("path", &path.display()), ("cause", &output.cause(source))],
        ),
        StoreError::Locked { path } => {
            output.say("cli.database-locked", &[("path", &path.display())])
        }
        StoreError::Gone { path } => output.say("cli.database-gone", &[("path", &path.display())]),
        StoreError::Unreachable {
            address,
            obstacle,
            source,
        } => output.say(
            &format!("cli.database-{}", obstacle.as_str()),
            &[("address", address), ("cause", source)],
        ),
        StoreError::Migrate { source } => {
            output.say("cli.database-migrate", &[("name", name), ("cause", source)])
        }
        StoreError::WrongWorld { expected, .. } => {
            output.say(&format!("cli.database-not-{}", expected.as_str()), &[])
        }
        StoreError::Connect { .. }
        | StoreError::DiskFull { .. }
        | StoreError::Query { .. }
        | StoreError::Cell { .. }
        | StoreError::Corrupt { .. } => output.say(
            "cli.database-senseless",
            &[("name", name), ("cause", &chain(error))],
        ),
    }
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
