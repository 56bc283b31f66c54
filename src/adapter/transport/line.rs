//! Lines: connections that take a sound as it is, byte for byte and without any protocol, as an audio server's own input does.
//!
//! Nobody answers there. So a connection that stands is all that is known of one, and what is wrong afterwards shows as its end.
//! In a simulated city there are none: its stand-ins take the sound by HTTP.

use std::{convert::Infallible, future::pending, net::SocketAddr, pin::pin};

use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::Url;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{Client, address, fault, stream::UNHEARD};
use crate::adapter::Fault;

impl Client {
    /// A connection to where a line leads, within the time for connecting. The address that was checked is the one connected to.
    pub(super) async fn open_line(&self, url: &Url) -> Result<TcpStream, Fault> {
        let connecting = async {
            let addresses = self.addresses(url).await?;
            let socket = TcpStream::connect(&addresses[..]).await;
            let socket = socket.map_err(|error| fault::no_connection(&error))?;
            // Without them a link that has gone is noticed later, and no sooner than that.
            let _ = socket.set_nodelay(true);
            let _ = SockRef::from(&socket).set_tcp_user_timeout(Some(UNHEARD));
            Ok(socket)
        };
        let within = timeout(self.connect_timeout, connecting).await;
        within.unwrap_or_else(|_| Err(fault::late_line()))
    }

    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Fault> {
        let host = address::bare_host(url);
        self.allow.check_before_connecting(&host, false)?;
        let port = url.port().ok_or_else(address::not_an_address)?;
        self.allow.addresses(&host, port).await
    }
}

/// Sends `parts`, and goes on until the connection has ended, which is all that comes of it. Dropping it closes the connection.
pub(super) async fn feed(
    mut socket: TcpStream,
    parts: impl futures_util::Stream<Item = Result<Bytes, Infallible>>,
) -> Fault {
    let (mut reading, mut writing) = socket.split();
    let written = async {
        let mut parts = pin!(parts);
        while let Some(Ok(part)) = parts.next().await {
            if let Err(error) = writing.write_all(&part).await {
                return fault::explain_break(&error);
            }
        }
        // It stays open: whoever closes it decides when its end was heard.
        pending().await
    };
    let closed = async {
        let mut said = [0; 256];
        loop {
            match reading.read(&mut said).await {
                Ok(0) => return fault::closed(),
                Ok(_) => {}
                Err(error) => return fault::explain_break(&error),
            }
        }
    };
    tokio::select! {
        fault = written => fault,
        fault = closed => fault,
    }
}
