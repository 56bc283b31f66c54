//! What an attempt knows of a login before it makes it, and in which order it waits: for its host first, and for others' logins after that.

use tokio::time::Instant;

use super::Outgoing;
use crate::{
    adapter::{
        Fault, Response,
        transport::{
            Transport,
            logins::{Given, InUse},
        },
    },
    domain::{delivery::Reason, detail::Detail, time::Timestamp},
};

/// What is known of a call before it is made.
pub(super) enum Known {
    /// Nothing: it has to be made. `has_place`: its host's pace lets it go now.
    Call { has_place: bool },
    /// Its answer, from when somebody made it. `has_place`: its host's pace would have let it go now.
    Remembered { answer: Response, has_place: bool },
    /// That it cannot be made in time.
    Lost(Fault),
}

/// What is known of a call that may be a login. Who has to make it has a place at its host before all others wait for it, for an emergency
/// may be among them, and that waits for no place.
pub(super) async fn known(
    logins: &mut InUse<'_>,
    mut going: Outgoing,
    (transport, is_urgent): (&Transport, bool),
    clock_now: impl Fn() -> Timestamp,
    deadline: Instant,
) -> (Outgoing, Known) {
    let url = going.request().url.clone();
    let Some(login) = going.login_mut() else {
        logins.pass();
        return (going, Known::Call { has_place: false });
    };
    let mut has_place = false;
    let known = loop {
        let (given, waited) = logins.ask(login, &clock_now, deadline).await;
        // A place that passed meanwhile is no place any more.
        has_place &= !waited;
        match given {
            Given::Remembered(answer) => {
                login.is_remembered = true;
                break Known::Remembered { answer, has_place };
            }
            Given::Late => {
                let late = Detail::new("waited-no-time");
                break Known::Lost(Fault::never_left(Reason::Waiting, late));
            }
            Given::Nothing if is_urgent => break Known::Call { has_place: false },
            Given::Nothing => (),
        }
        if has_place || transport.turn_now(&url, clock_now()) {
            break Known::Call { has_place: true };
        }
        logins.pass();
        if let Err(fault) = transport.turn(&url, clock_now(), deadline, false).await {
            break Known::Lost(fault);
        }
        has_place = true;
    };
    (going, known)
}
