//! The client's errors as faults: what certainly never left, and everything else.
//!
//! "Never left" is said only where the client says that it failed while connecting, which includes names and TLS
//! handshakes, or before it began. Everything after, and everything unclear, may have left. No text of an error's
//! address is kept.

use std::{error::Error, io};

use rustls::CertificateError;

use super::allow::{self, Denied};
use crate::{
    adapter::Fault,
    domain::{delivery::Reason, detail::Detail},
};

/// No answer began in time.
pub(super) fn late() -> Fault {
    Fault::may_have_left(Reason::Timeout, Detail::new("call-timeout"))
}

/// An answer began, and did not end in time.
pub(super) fn late_body() -> Fault {
    Fault::may_have_left(Reason::Timeout, Detail::new("call-timeout-body"))
}

/// An error from before the answer's head was complete.
pub(super) fn explain(error: reqwest::Error, https: bool) -> Fault {
    let error = error.without_url();
    let detail = met(&error);
    if find::<Denied>(&error).is_some() {
        return allow::denied();
    }
    if error.is_builder() {
        return Fault::never_left(Reason::Unwritable, detail);
    }
    if error.is_connect() {
        let detail = unsafe_line(&error).unwrap_or(detail);
        return Fault::never_left(connect_reason(&error, https), detail);
    }
    match find::<hyper::Error>(&error) {
        Some(error) if error.is_parse_too_large() => {
            Fault::may_have_left(Reason::TooLarge, Detail::new("call-head-too-large"))
        }
        Some(error) if error.is_parse() => {
            Fault::may_have_left(Reason::Unreadable, Detail::new("call-no-http"))
        }
        _ => Fault::may_have_left(Reason::Reset, detail),
    }
}

/// Why an encrypted connection did not come about, where the error is about that: a certificate that is not believed, another side
/// that does not encrypt, or whatever else. These are for different people to mend.
fn unsafe_line(error: &(dyn Error + 'static)) -> Option<Detail> {
    let met = causes(error).find_map(of_tls)?;
    Some(match met {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Detail::new("tls-expired"),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Detail::new("tls-other-name")
            }
            _ => problem_of("tls-untrusted", met),
        },
        // What came first was no message of TLS at all: a greeting or an answer in clear text.
        rustls::Error::InvalidMessage(_) => Detail::new(NO_TLS),
        _ => problem_of("call-problem", met),
    })
}

/// The error itself, or what an error of input and output holds: that one gives its cause's causes for its own, and not the cause.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    of_tls(error.downcast_ref::<io::Error>()?.get_ref()?)
}

/// The code for another side that does not encrypt.
pub(super) const NO_TLS: &str = "tls-none";

/// An encrypted connection that did not come about, for whoever encrypts without the HTTP client.
pub(super) fn no_tls(error: &(dyn Error + 'static)) -> Fault {
    let detail = unsafe_line(error).unwrap_or_else(|| met(error));
    Fault::never_left(Reason::Tls, detail)
}

/// The other side says nothing to the offer to encrypt.
pub(super) fn late_tls() -> Fault {
    Fault::never_left(Reason::Tls, Detail::new("tls-silent"))
}

/// A code with the words of an error.
fn problem_of(code: &str, problem: &dyn Error) -> Detail {
    let problem: String = problem.to_string().chars().take(200).collect();
    Detail::new(code).with("problem", problem)
}

/// An error from within the answer's body.
pub(super) fn explain_body(error: reqwest::Error) -> Fault {
    let error = error.without_url();
    let kind = find::<io::Error>(&error).map(io::Error::kind);
    if let Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) = kind {
        return Fault::may_have_left(Reason::Unreadable, Detail::new("call-no-body"));
    }
    if kind == Some(io::ErrorKind::TimedOut) {
        return late_body();
    }
    Fault::may_have_left(Reason::Cut, met(&error))
}

fn connect_reason(error: &reqwest::Error, https: bool) -> Reason {
    if error.is_dns() {
        return Reason::NoAddress;
    }
    if error.is_timeout() {
        return Reason::NoConnection;
    }
    let kind = find::<io::Error>(error).map(io::Error::kind);
    match kind.and_then(reason_of) {
        Some(reason) => reason,
        // What else can go wrong after the connection stands and before the request is the handshake.
        None if https => Reason::Tls,
        None => Reason::NoConnection,
    }
}

/// Why there is no connection, where the operating system says so.
fn reason_of(kind: io::ErrorKind) -> Option<Reason> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Reason::Refused),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::AddrInUse
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::TimedOut => Some(Reason::NoConnection),
        _ => None,
    }
}

/// No connection came about, for whoever connects without the HTTP client.
pub(super) fn no_connection(error: &io::Error) -> Fault {
    let reason = reason_of(error.kind()).unwrap_or(Reason::NoConnection);
    Fault::never_left(reason, met(error))
}

/// No connection came about in time.
pub(super) fn late_line() -> Fault {
    Fault::never_left(Reason::NoConnection, Detail::new("call-no-connection"))
}

/// How an open line broke.
pub(super) fn explain_break(error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::TimedOut {
        return late_body();
    }
    Fault::may_have_left(Reason::Cut, met(error))
}

/// The other side closed what has no end of its own.
pub(super) fn closed() -> Fault {
    Fault::may_have_left(Reason::Cut, Detail::new("call-closed"))
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

/// What the call met: a code for what happens every day, else the words of the innermost cause: those of the operating
/// system, or of the library that met the trouble.
pub(super) fn met(error: &(dyn Error + 'static)) -> Detail {
    let is_incomplete =
        find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message);
    let code = match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "call-reset",
        Some(io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof) => "call-closed",
        Some(io::ErrorKind::ConnectionRefused) => "call-refused",
        Some(io::ErrorKind::HostUnreachable) => "call-no-host",
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => "call-no-network",
        Some(io::ErrorKind::TimedOut) => "call-no-connection",
        _ if is_incomplete => "call-closed",
        _ => {
            return problem_of("call-problem", causes(error).last().unwrap_or(error));
        }
    };
    Detail::new(code)
}
