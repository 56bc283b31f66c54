//! Mail: who it is from, who gets it, and by which server it goes out.

use std::net::IpAddr;

use super::secret::SecretRef;

/// The longest part before the `@`, and the longest address, in bytes (RFC 5321, section 4.5.3.1).
const LONGEST_LOCAL: usize = 64;
const LONGEST_ADDRESS: usize = 254;

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// From its first byte on (RFC 8314).
    Implicit,
    /// After the greeting, or not at all (RFC 3207).
    Starttls,
    /// Never. What is sent can be read on the way, a password too.
    None,
}

impl MailTls {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Implicit, Self::Starttls, Self::None];

    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Starttls => "starttls",
            Self::None => "none",
        }
    }

    /// The port that servers have for it.
    #[must_use]
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::Starttls => 587,
            Self::None => 25,
        }
    }
}

/// How a channel sends mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailConfig {
    /// The server's name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// Whose certificates are believed beside those that the machine believes: a PEM file. It is read as secrets are, and is none.
    pub ca: Option<SecretRef>,
    /// Who logs in, and the password; `None` where the server takes mail from this machine without.
    pub login: Option<(String, SecretRef)>,
    /// Who sends it.
    pub from: Mailbox,
    /// Who gets it, one at least.
    pub to: Vec<Mailbox>,
    /// Who gets the answers, where that is not the sender.
    pub reply_to: Option<Mailbox>,
}

/// An address, with the name that people read where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Whose it is.
    pub name: Option<String>,
    /// `truc-ban@vinh.example`.
    pub address: String,
}

impl Mailbox {
    /// Reads `truc-ban@vinh.example` or `Trực ban <truc-ban@vinh.example>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => {
                let (name, address) = rest.split_once('<')?;
                let name = name.trim();
                let quoted = name
                    .strip_prefix('"')
                    .and_then(|name| name.strip_suffix('"'));
                (quoted.unwrap_or(name).trim(), address)
            }
            None => ("", text),
        };
        let odd = |c: char| c.is_control() || matches!(c, '<' | '>' | '"' | '\\');
        if !is_address(address) || name.contains(odd) {
            return None;
        }
        Some(Self {
            name: (!name.is_empty()).then(|| name.to_owned()),
            address: address.to_owned(),
        })
    }

    /// What stands after the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// Whether it is an address as every server takes them: letters, digits and the signs of RFC 5322's atoms with single dots
/// before the `@`, a host name of two labels at least behind it. Neither quoted parts nor letters outside ASCII: few servers
/// know what to do with them.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_sign);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    text.len() <= LONGEST_ADDRESS
        && local.len() <= LONGEST_LOCAL
        && local.split('.').all(is_atom)
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !domain.rsplit('.').next().is_some_and(is_number)
}

/// Whether an address is this machine or one of a network of its own (RFC 1918, RFC 4193, RFC 3927): as near as a password may
/// go in clear text.
#[must_use]
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The same for a server as a file names it, before anybody is asked where its name leads: a name may lead anywhere tomorrow,
/// `localhost` cannot.
#[must_use]
pub fn is_near_by_name(server: &str) -> bool {
    server
        .parse()
        .map_or(server.eq_ignore_ascii_case("localhost"), is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_names() {
        for (text, name, address) in [
            ("a@vinh.example", None, "a@vinh.example"),
            (
                "  Hệ thống loa  <loa@vinh.example> ",
                Some("Hệ thống loa"),
                "loa@vinh.example",
            ),
            (
                "\"Trực ban, ca 1\" <truc-ban+1@vinh.nghean.gov.vn>",
                Some("Trực ban, ca 1"),
                "truc-ban+1@vinh.nghean.gov.vn",
            ),
            ("<a.b@c.example>", None, "a.b@c.example"),
        ] {
            let read = Mailbox::parse(text).unwrap();
            assert_eq!((read.name.as_deref(), &*read.address), (name, address));
        }
        let long = format!("{}@vinh.example", "a".repeat(65));
        let wide = format!("a@{}example", "vinh.".repeat(60));
        for bad in [
            "",
            "truc-ban",
            "@vinh.example",
            "a@",
            "a@vinh",
            "a@10.1.4.3",
            "a@@vinh.example",
            "a b@vinh.example",
            "a@vinh.example\r\nRCPT TO:<b@vinh.example>",
            "a@vinh.example>",
            "A <a@vinh.example",
            "A <b <a@vinh.example>",
            "A\r\nBcc: b@vinh.example <a@vinh.example>",
            "a..b@vinh.example",
            ".a@vinh.example",
            "\"a b\"@vinh.example",
            "đ@vinh.example",
            "a@tòa.example",
            "a@-vinh.example",
            "a@vinh..example",
            "a@vinh.example, b@vinh.example",
            &long,
            &wide,
        ] {
            assert_eq!(Mailbox::parse(bad), None, "{bad:?}");
        }
        assert_eq!(
            Mailbox::parse("loa@vinh.example").unwrap().domain(),
            "vinh.example"
        );
    }

    #[test]
    fn how_near_clear_text_stays() {
        for (server, near) in [
            ("127.0.0.1", true),
            ("10.1.4.3", true),
            ("172.16.0.1", true),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("fe80::1", true),
            ("::ffff:10.1.4.3", true),
            ("localhost", true),
            ("LOCALHOST", true),
            ("172.32.0.1", false),
            ("100.64.0.1", false),
            ("203.0.113.7", false),
            ("2001:db8::1", false),
            ("::ffff:203.0.113.7", false),
            ("mail.noi-bo", false),
            ("smtp.vinh.example", false),
        ] {
            assert_eq!(is_near_by_name(server), near, "{server}");
        }
    }
}
