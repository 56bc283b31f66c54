//! Mail over SMTP (RFC 5321): one connection for one letter, or for the question whether the server is alive.
//!
//! - The address that was checked against the allow-list is the one connected to; the certificate is checked for the name.
//! - Encrypted from the first byte on, or after STARTTLS and then not without: a server that does not offer it gets nothing.
//!   What came before the encryption is never taken for an answer within it.
//! - Until the letter's last line is handed over, whatever happens left nothing behind: a server that has not seen it takes no
//!   letter (RFC 5321, section 4.1.1.4). From then on silence is doubt.
//! - All recipients or none: where one is refused, the letter is not sent to the others.
//! - In a simulation the letter goes to a stand-in on loopback, without encryption, like every call.

mod talk;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use talk::{Broken, Session, Socket};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::TlsConnector;

use super::{Client, Transport, allow, fault, in_time::in_time, simulated::Speaks};
use crate::{
    adapter::{Fault, Request, Response},
    domain::{
        delivery::Reason,
        detail::Detail,
        mail::{MailTls, is_near},
        secret::Secret,
    },
};

/// The header of an answer that says to which command it came.
pub const COMMAND: &str = "smtp-command";

/// What stands there for the letter itself, once its last line is handed over.
pub const LETTER: &str = "LETTER";

/// What stands there for the question whether the server is alive.
pub const NOOP: &str = "NOOP";

/// The header of an answer that says whom it refuses.
pub const RECIPIENT: &str = "smtp-recipient";

/// A connection to a mail server, and what to do there.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// The letter as a call: its body are headers and text, up to the last line. Its address only says where it goes.
    pub request: Request,
    /// Where.
    pub server: Arc<Server>,
    /// Who gets it; `None` where the server is only asked whether it is alive.
    pub envelope: Option<Envelope>,
}

/// Who sends a letter, and who gets it. All are addresses without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who hears of what cannot be delivered.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// A mail server, as a channel reaches it.
pub struct Server {
    /// Its name or address.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// How the connection is encrypted.
    pub(super) tls: MailTls,
    /// Who logs in, and the password.
    pub(super) login: Option<(String, Secret)>,
    /// Whose certificates are believed beside those that the machine believes, in PEM. It is not read before it is wanted: in a
    /// simulation nothing is encrypted, and what a file holds is not known.
    authorities: Option<Secret>,
    /// Made for the first connection.
    config: OnceLock<Arc<ClientConfig>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Server {
    /// A server; `authorities` are certificates in PEM, believed beside those that the machine believes.
    #[must_use]
    pub fn new(
        (host, port, tls): (&str, u16, MailTls),
        login: Option<(String, Secret)>,
        authorities: Option<Secret>,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            tls,
            login,
            authorities,
            config: OnceLock::new(),
        }
    }

    /// The name with the port, as limits per host and the simulated city know it.
    #[must_use]
    pub fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The certificates of its own authority.
    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let none = || Fault::never_left(Reason::Tls, Detail::new("mail-no-certificate"));
        let Some(pem) = &self.authorities else {
            return Ok(Vec::new());
        };
        read_certificates(pem.expose().as_bytes()).ok_or_else(none)
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.roots()?, Arc::clone(&provider));
        let verifier = verifier.map_err(no_tls)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(no_tls)?
            .dangerous() // the word is for every verifier that rustls does not make itself; this is the one of the HTTP client
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

/// Certificates in PEM, one at least.
fn read_certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_slice_iter(pem);
    let read: Vec<_> = read.collect::<Result<_, _>>().ok()?;
    (!read.is_empty()).then_some(read)
}

/// Whether a server's authorities can be read from `pem`: what holds none of them, or something else by the same name, keeps every
/// letter back.
#[must_use]
pub fn holds_certificates(pem: &[u8]) -> bool {
    let mut roots = RootCertStore::empty();
    read_certificates(pem).is_some_and(|all| all.into_iter().all(|one| roots.add(one).is_ok()))
}

/// Where encryption has to begin at once and the other side knows none, it may be the port of servers that want to be asked for it.
fn wrong_port(fault: Fault) -> Fault {
    match fault.detail.as_str() {
        fault::NO_TLS => Fault::never_left(Reason::Tls, Detail::new("mail-no-tls")),
        _ => fault,
    }
}

/// The encrypted connection did not come about.
fn no_tls(problem: impl fmt::Display) -> Fault {
    let problem: String = problem.to_string().chars().take(200).collect();
    let detail = Detail::new("call-problem").with("problem", problem);
    Fault::never_left(Reason::Tls, detail)
}

impl Transport {
    /// Sends a letter, or asks whether the server is alive, until `deadline`.
    ///
    /// # Errors
    /// A [`Fault`], when no whole answer came.
    pub async fn mail(&self, mail: &Mail, deadline: Instant) -> Result<Response, Fault> {
        self.client().mail(mail, deadline).await
    }
}

impl Client {
    async fn mail(&self, mail: &Mail, deadline: Instant) -> Result<Response, Fault> {
        let server = &*mail.server;
        self.allow
            .check_before_connecting(&server.host, self.city.is_some())?;
        let soon = deadline.min(Instant::now() + self.connect_timeout);
        let place = self.city.is_some().then(|| server.place());
        let connected = timeout_at(soon, self.reach(server, place.as_deref())).await;
        let connected = connected.unwrap_or_else(|_| Err(fault::late_line()));
        self.settle(place.as_deref(), connected.as_ref().err());
        let (socket, local) = connected?;
        let mut session = Session::new(socket, local, self.answer_cap);
        // Encryption is part of connecting, and has its time; what comes after has what is left of the call's.
        if self.city.is_none() && server.tls == MailTls::Implicit {
            let secured = timeout_at(soon, secure(session, server)).await;
            session = secured
                .unwrap_or_else(|_| Err(fault::late_tls()))
                .map_err(wrong_port)?;
        }
        let may_be_clear = self.city.is_some() || server.tls != MailTls::Starttls;
        if !may_be_clear {
            let greeted = in_time(deadline, pin!(session.ask_for_tls())).await;
            match greeted {
                Some(Ok(None)) => {}
                Some(Ok(Some(refusal))) => return Ok(refusal),
                Some(Err(broken)) => return Err(broken.fault(session.part)),
                None => return Err(Broken::Late.fault(session.part)),
            }
            let secured = timeout_at(deadline, secure(session, server)).await;
            session = secured.unwrap_or_else(|_| Err(fault::late_tls()))?;
        }
        let ended = {
            let talk = pin!(session.talk(mail, server.login.as_ref(), !may_be_clear));
            in_time(deadline, talk).await
        };
        match ended {
            Some(Ok(response)) => {
                session.leave(deadline).await;
                Ok(response)
            }
            Some(Err(broken)) => Err(broken.fault(session.part)),
            None => Err(Broken::Late.fault(session.part)),
        }
    }

    /// Connects to where the server is, or in a simulation to its stand-in (of `place`).
    async fn reach(
        &self,
        server: &Server,
        place: Option<&str>,
    ) -> Result<(Socket, SocketAddr), Fault> {
        let addresses = match (&self.city, place) {
            (Some(city), Some(place)) => {
                let stand_in = city.stand_in(&self.http, place, Speaks::Smtp).await?;
                vec![stand_in.address()]
            }
            _ => self.allow.addresses(&server.host, server.port).await?,
        };
        let mut last = allow::no_address();
        for address in addresses {
            if server.tls == MailTls::None && !is_near(address.ip()) {
                last = Fault::never_left(Reason::Tls, Detail::new("mail-clear"));
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Commands are small, and each is waited for; a socket that cannot do this still works.
                    let _ = stream.set_nodelay(true);
                    let local = stream.local_addr().unwrap_or(address);
                    return Ok((Box::new(stream), local));
                }
                Err(error) => last = fault::no_connection(&error),
            }
        }
        Err(last)
    }
}

/// Encrypts the connection. What has been read and not looked at by then was sent by whoever could change what was not
/// encrypted: it ends the connection.
async fn secure(session: Session, server: &Server) -> Result<Session, Fault> {
    let config = server.config()?;
    let name = match server.host.parse::<IpAddr>() {
        Ok(address) => ServerName::IpAddress(address.into()),
        Err(_) => ServerName::try_from(server.host.clone()).map_err(no_tls)?,
    };
    let (socket, rest) = session.into_parts();
    let socket =
        socket.ok_or_else(|| no_tls("the server spoke before the connection was encrypted"))?;
    let stream = TlsConnector::from(config)
        .connect(name, socket)
        .await
        .map_err(|error| fault::no_tls(&error))?;
    Ok(rest.over(Box::new(stream)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_are_none_are_said_to_be_none() {
        let place = ("smtp.vinh.example", 465, MailTls::Implicit);
        assert_eq!(Server::new(place, None, None).roots(), Ok(Vec::new()));
        let broken = "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n";
        for pem in ["", "mat-khau", broken] {
            let server = Server::new(place, None, Some(Secret::new(pem.to_owned())));
            let fault = server.config().unwrap_err();
            let said = (fault.may_have_left, fault.detail.as_str());
            assert_eq!(said, (false, "mail-no-certificate"), "{pem}");
        }
    }

    #[test]
    fn places_are_written_as_addresses_are() {
        let place = |host| Server::new((host, 25, MailTls::None), None, None).place();
        assert_eq!(place("smtp.vinh.example"), "smtp.vinh.example:25");
        assert_eq!(place("fd00::1"), "[fd00::1]:25");
    }
}
