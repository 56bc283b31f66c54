//! The client's errors as faults: what certainly never left, and everything else.
//!
//! "Never left" is said only where the client says that it failed while connecting, which includes names and TLS
//! handshakes, or before it began. Everything after, and everything unclear, may have left. No text of an error's
//! address is kept.

use std::{error::Error, io};

use super::allow::{self, Denied};
use crate::{adapter::Fault, domain::delivery::Reason};

/// An error from before the answer's head was complete.
pub(super) fn explain(error: reqwest::Error, https: bool) -> Fault {
    let error = error.without_url();
    let detail = innermost(&error);
    if find::<Denied>(&error).is_some() {
        return allow::denied();
    }
    if error.is_builder() {
        return Fault::never_left(Reason::Unwritable, detail);
    }
    if error.is_connect() {
        return Fault::never_left(connect_reason(&error, https), detail);
    }
    if error.is_timeout() {
        return Fault::may_have_left(Reason::Timeout, "no answer in time");
    }
    Fault::may_have_left(Reason::Reset, detail)
}

/// An error from within the answer's body.
pub(super) fn explain_body(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    if error.is_timeout() {
        return Fault::may_have_left(Reason::Timeout, "the answer did not end in time");
    }
    Fault::may_have_left(Reason::Cut, innermost(&error))
}

fn connect_reason(error: &reqwest::Error, https: bool) -> Reason {
    if error.is_dns() {
        return Reason::NoAddress;
    }
    if error.is_timeout() {
        return Reason::NoConnection;
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Reason::Refused,
        Some(
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::AddrInUse
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TimedOut,
        ) => Reason::NoConnection,
        // What else can go wrong after the connection stands and before the request is the handshake.
        _ if https => Reason::Tls,
        _ => Reason::NoConnection,
    }
}

/// The error and its causes, outermost first.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        (*error).source()
    })
}

/// The first error of a type among the causes.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The words of the innermost cause: those of the operating system, or of the library that met the trouble.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let last = causes(error).last().unwrap_or(error);
    last.to_string().chars().take(200).collect()
}
