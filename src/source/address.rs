//! Host names and web addresses as they stand in files.

/// Whether `url` is a complete http or https address; template parts in it count as text.
pub(super) fn is_web_address(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("v6", rest.strip_prefix(':'))
        }
        Some(_) => return false,
        None => host
            .split_once(':')
            .map_or((host, None), |(name, port)| (name, Some(port))),
    };
    matches!(scheme, "http" | "https")
        && (is_host(name) || name.parse::<std::net::Ipv4Addr>().is_ok())
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// The host of a complete web address, without brackets; `None` where part of it is a template.
pub(super) fn host(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => host.split(':').next()?,
    };
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

/// Whether an address has a password, before the host or among the parameters.
pub(super) fn has_password(url: &str) -> bool {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let authority = address
        .split_once("://")
        .map_or("", |(_, rest)| rest.split(['/', '#']).next().unwrap_or(""));
    // The last `@`: a password may hold one itself.
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.split_once(':')
        .is_some_and(|(_, password)| !password.is_empty())
        || query.split('&').any(|pair| {
            pair.split_once('=')
                .is_some_and(|(key, _)| key.eq_ignore_ascii_case("password"))
        })
}

/// Whether the address of a database has a password, also one whose `/`, `?` or `#` ends it before its time: then an `@` comes
/// after what looks like the host, which has something after a colon.
pub(super) fn is_database_with_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (start, rest) = rest.split_at(end);
    let begins = start
        .split_once(':')
        .is_some_and(|(_, password)| !password.is_empty());
    has_password(url) || (begins && rest.contains('@'))
}

/// Whether it is a host name: labels of letters, digits and hyphens with dots between them (RFC 1123). The last label
/// of a name is never a number alone, so `10.0.0` is a mistyped address.
pub(super) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.split('.').all(is_label)
        && !text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "http://10.1.4.3",
            "https://a.example:8443/x?y=z",
            "http://localhost/",
            "http://[::1]:80/",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "",
            "10.1.4.3",
            "ftp://a",
            "http://",
            "http:///x",
            "http://a b",
            "http://a:99999",
            "http://10.1.4",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
        for (url, expected) in [
            ("http://10.1.4.3:80/x", Some("10.1.4.3")),
            ("https://u:p@a.example/?b", Some("a.example")),
            ("http://[::1]:80/", Some("::1")),
            ("https://{{ with.host }}/", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
        for (url, found) in [
            ("postgres://loa:hunter2@db/loa", true),
            ("postgres://loa:p@ss@db/loa", true),
            ("postgres://loa@db/loa", false),
            ("postgres:///loa?host=/run&password=x", true),
            ("postgres://db/a:b@c", false),
            ("sqlite:.loa/loa.db", false),
        ] {
            assert_eq!(has_password(url), found, "{url}");
            assert_eq!(is_database_with_password(url), found, "{url}");
        }
        for cut in [
            "postgres://loa:p/w@db/loa",
            "postgres://loa:1?w@db",
            "postgres://loa:1#w@db",
        ] {
            assert!(is_database_with_password(cut), "{cut}");
        }
        assert!(!is_database_with_password("postgres://db:5432/loa?user=a"));
    }
}
