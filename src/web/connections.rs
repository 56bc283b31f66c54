//! The connections on which pages are asked for: how many there may be, and how long one may take to ask.
//!
//! Whoever opens a connection and says nothing, or half a request, is hung up on; so nobody can use up the daemon's file
//! descriptors from the web's side. Each connection is a task in a set that is waited for here.

use std::{io, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// How long readers who do not hang up are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long nothing is accepted after that failed for want of file descriptors.
const REST: Duration = Duration::from_millis(200);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the head of a request may take, counted from the opening of the connection or the end of the answer before.
    pub head: Duration,
    /// How long the body of what is posted may take after its head.
    pub body: Duration,
    /// How many connections there may be; others wait until one is closed.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            body: Duration::from_secs(10),
            connections: 256,
        }
    }
}

/// Serves `router` until `shutdown`; then lets answers end, for a few seconds.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, router.clone(), limits.head, shutdown.clone()));
                }
                Err(error) if is_of_one_caller(&error) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the pages cannot let a reader in");
                    // Until a connection ends, or for a moment.
                    let _ = tokio::time::timeout(REST, connections.join_next()).await;
                }
            },
        }
    }
    // Nobody is let in any more.
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, rest).await;
    connections.shutdown().await;
    Ok(())
}

/// Whether the error concerns one caller, who hung up before being let in.
fn is_of_one_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

async fn converse(stream: TcpStream, router: Router, head: Duration, shutdown: CancellationToken) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head);
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // How a reader's connection ends is the reader's affair.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
