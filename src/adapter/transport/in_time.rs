//! Time limits that an answer wins against: what came while this process stood still counts as having come in time.
//!
//! A process that was stopped (a suspended machine, a debugger, a starved container) wakes with its timers run out and its
//! answers unread. To call such a call unanswered would leave a loudspeaker's broadcast in doubt that the device has
//! confirmed.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use tokio::{
    task::yield_now,
    time::{Instant, timeout_at},
};

/// How often sockets and the tasks that read them get a turn after a limit was reached: one finds the bytes, one makes an
/// answer of them, one hands it over.
const TURNS: usize = 3;

/// What `future` gives, or `None` when it gives nothing until `deadline`.
pub(super) async fn in_time<F: Future>(
    deadline: Instant,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    if let Ok(output) = timeout_at(deadline, future.as_mut()).await {
        return Some(output);
    }
    for _ in 0..TURNS {
        yield_now().await;
        let now = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = now {
            return Some(output);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin, time::Duration};

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        task::JoinSet,
    };

    use super::*;

    fn past() -> Instant {
        Instant::now().checked_sub(Duration::from_secs(1)).unwrap()
    }

    #[tokio::test]
    async fn nothing_came() {
        assert_eq!(in_time(past(), pin!(pending::<()>())).await, None);
        assert_eq!(in_time(past(), pin!(async { 1 })).await, Some(1));
    }

    /// The limit is long over when the answer is looked for, and another task has to read it from a socket first.
    #[tokio::test]
    async fn what_came_meanwhile_counts() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(server.local_addr().unwrap()).await;
        let (mut there, _) = server.accept().await.unwrap();
        there.write_all(b"ok").await.unwrap();
        let mut here = client.unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            let mut bytes = [0; 2];
            here.read_exact(&mut bytes).await.unwrap();
            tell.send(bytes).unwrap();
        });
        let answer = in_time(past(), pin!(told)).await;
        assert_eq!(answer.expect("it is there").unwrap(), *b"ok");
    }
}
