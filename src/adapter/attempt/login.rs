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

/// What is known of a call that may be a login: nothing, its answer from when somebody made it, or that there is no time for it; and
/// whether its host's pace lets a call go now. Who has to make it has a place at its host before all others wait for it, for an emergency
/// may be among them, and that waits for no place.
pub(super) async fn known(
    logins: &mut InUse<'_>,
    mut going: Outgoing,
    (transport, is_urgent): (&Transport, bool),
    clock_now: impl Fn() -> Timestamp,
    deadline: Instant,
) -> (Outgoing, Option<Result<Response, Fault>>, bool) {
    let url = going.request().url.clone();
    let Some(login) = going.login_mut() else {
        logins.pass();
        return (going, None, false);
    };
    let mut has_place = false;
    let known = loop {
        let (given, waited) = logins.ask(login, &clock_now, deadline).await;
        // A place that passed meanwhile is no place any more.
        has_place &= !waited;
        match given {
            Given::Remembered(answer) => {
                login.is_remembered = true;
                break Some(Ok(answer));
            }
            Given::Late => {
                let late = Detail::new("waited-no-time");
                has_place = false;
                break Some(Err(Fault::never_left(Reason::Waiting, late)));
            }
            Given::Nothing if is_urgent => break None,
            Given::Nothing => (),
        }
        if has_place || transport.turn_now(&url, clock_now()) {
            has_place = true;
            break None;
        }
        logins.pass();
        if let Err(fault) = transport.turn(&url, clock_now(), deadline, false).await {
            break Some(Err(fault));
        }
        has_place = true;
    };
    (going, known, has_place)
}
