//! A device's door: its own listener on its own loopback address, which a fault can really close.
//!
//! While a door is closed, a socket that is bound and does not listen keeps the address, so that nobody else gets it and
//! callers are refused by the operating system itself.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{misbehave, pause, registry::Registry, smtp, wire::Wire};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long a door rests when the operating system cannot give it another connection.
pub(super) const REST: Duration = Duration::from_millis(50);

/// An order to open or close a door, and where to say that it is done.
#[derive(Debug)]
pub(super) struct DoorOrder {
    /// Whether callers are to be let in.
    pub(super) open: bool,
    /// Told when it is so.
    pub(super) done: oneshot::Sender<io::Result<()>>,
}

/// A door and what stands behind it.
#[derive(Debug)]
pub(super) enum Door {
    /// Callers are let in.
    Open(TcpListener),
    /// Callers are refused; the socket, where there is one, keeps the address.
    Closed(Option<TcpSocket>),
}

/// Takes an address without listening on it.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?; // connections that ended a moment ago do not keep a door from opening again
    socket.bind(address)?;
    Ok(socket)
}

/// Listens at an address.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    bind(address)?.listen(BACKLOG)
}

impl Door {
    /// Makes a door at `address`, open or not. Also says where it really is, for port 0.
    pub(super) fn new(address: SocketAddr, open: bool) -> io::Result<(Self, SocketAddr)> {
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        let door = if open {
            Self::Open(socket.listen(BACKLOG)?)
        } else {
            Self::Closed(Some(socket))
        };
        Ok((door, address))
    }

    /// Opens a closed door. It stays closed when that does not work.
    fn open(self, address: SocketAddr) -> (Self, io::Result<()>) {
        let opened = match self {
            Self::Closed(Some(socket)) => socket.listen(BACKLOG),
            Self::Closed(None) => listen(address),
            Self::Open(listener) => Ok(listener),
        };
        match opened {
            Ok(listener) => (Self::Open(listener), Ok(())),
            Err(error) => (Self::Closed(None), Err(error)),
        }
    }

    /// Closes a door. Connections that were waiting to be let in are reset.
    fn close(self, address: SocketAddr) -> Self {
        match self {
            Self::Open(listener) => {
                drop(listener);
                Self::Closed(bind(address).ok())
            }
            closed @ Self::Closed(_) => closed,
        }
    }

    /// Waits for the next caller; for ever while closed.
    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
            Self::Closed(_) => std::future::pending().await,
        }
    }
}

/// Serves one device until the city stops.
pub(super) async fn serve(
    registry: Arc<Registry>,
    (host, is_mail): (Arc<str>, bool),
    (mut door, address): (Door, SocketAddr),
    mut orders: mpsc::UnboundedReceiver<DoorOrder>,
) {
    let mut connections = JoinSet::new();
    let mut idle = CancellationToken::new();
    loop {
        tokio::select! {
            () = registry.stopped() => break,
            order = orders.recv() => {
                let Some(order) = order else { break };
                let done = if order.open {
                    let opened;
                    (door, opened) = door.open(address);
                    opened
                } else {
                    door = door.close(address);
                    idle.cancel();
                    idle = CancellationToken::new();
                    Ok(())
                };
                // whoever gave the order may have gone; it is carried out all the same
                let _ = order.done.send(done);
            }
            accepted = door.accept() => match accepted {
                Ok(stream) => {
                    let (registry, host) = (Arc::clone(&registry), Arc::clone(&host));
                    if is_mail {
                        connections.spawn(smtp::converse(registry, host, stream, idle.clone()));
                    } else {
                        connections.spawn(converse(registry, host, stream, idle.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(host = &*host, error = &error as &dyn std::error::Error, "a simulated device cannot let callers in");
                    pause(REST).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(host = &*host, error = &error as &dyn std::error::Error, "a simulated connection died");
                }
            }
        }
    }
    connections.shutdown().await;
}

/// Serves one connection: request after request until one side has had enough, or the door closes between two requests.
async fn converse(
    registry: Arc<Registry>,
    host: Arc<str>,
    stream: TcpStream,
    idle: CancellationToken,
) {
    let mut wire = Wire::new(stream);
    loop {
        tokio::select! {
            () = idle.cancelled() => return,
            begun = wire.begins() => if !begun { return },
        }
        let request = match wire.read().await {
            Ok(request) => request,
            Err(error) => return wire.refuse(&error).await,
        };
        let (answer, fault) = registry.receive(&host, &request);
        match misbehave::send(wire, answer, fault, &request).await {
            Some(same) => wire = same,
            None => return,
        }
    }
}
