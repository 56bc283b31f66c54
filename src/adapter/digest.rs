//! Digest authentication (RFC 7616, and the older RFC 2617 and 2069 that devices in wards speak): a challenge is answered
//! within the attempt in which it came, and what follows in the same attempt carries a proof from the start, so that a
//! sound does not cross a ward's modem twice.
//!
//! The arithmetic is the library's. Challenges are read here, because devices write them in more ways than it takes: any
//! case, spaces around `=`, unknown words among `qop`, letters outside ASCII.

use digest_auth::{Algorithm, AuthContext, Charset, HttpMethod, Qop, WwwAuthenticateHeader};

use super::{Exchange, Request};
use crate::domain::message::Message;

/// The header that proves who calls.
pub(super) const HEADER: &str = "Authorization";

/// The most answers to challenges of one call: another one is given only where the number was too old.
pub(super) const TURNS: usize = 2;

/// What a proof can be made with; the first is meant where nothing is said.
const ALGORITHMS: [&str; 6] = [
    "MD5",
    "MD5-sess",
    "SHA-256",
    "SHA-256-sess",
    "SHA-512-256",
    "SHA-512-256-sess",
];

/// Who calls, and for what: the message makes what the client adds different in every attempt.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
    /// `None` for a question.
    pub(super) message: Option<&'a Message>,
}

impl Caller<'_> {
    /// The request again with the answer to the challenge that the last of `past` came back with; `None` where there is
    /// nothing to answer, or a proof was refused. `turn` counts the answers of this call from 1.
    pub(super) fn answer(&self, past: &[Exchange], turn: usize) -> Option<Request> {
        let (exchange, _) = past.split_last()?;
        let challenge = challenge_of(exchange)?;
        let sent = header_of(&exchange.request);
        let is_same = sent.is_some_and(|sent| sent.contains(&named("nonce", &challenge.nonce)));
        // One that went ahead with an old number is answered once; after that, and with the same number, the proof was wrong.
        if !challenge.stale && (turn > 1 || is_same) {
            return None;
        }
        let mut request = exchange.request.clone();
        request.wait = std::time::Duration::ZERO;
        self.prove(&mut request, challenge, past);
        Some(request)
    }

    /// Lets a request carry a proof by the last challenge of its host in this attempt, if there was one.
    pub(super) fn go_ahead(&self, request: &mut Request, past: &[Exchange]) {
        let host = request.url.host();
        let is_same_host = |exchange: &&Exchange| exchange.request.url.host() == host;
        let mut newest = past.iter().rev().filter(is_same_host);
        if let Some(challenge) = newest.find_map(challenge_of) {
            self.prove(request, challenge, past);
        }
    }

    fn prove(
        &self,
        request: &mut Request,
        mut challenge: WwwAuthenticateHeader,
        past: &[Exchange],
    ) {
        let nonce = named("nonce", &challenge.nonce);
        let mut proofs = past
            .iter()
            .filter_map(|exchange| header_of(&exchange.request));
        let uses = proofs
            .by_ref()
            .filter(|proof| proof.contains(&nonce))
            .count();
        // The next proof has the next number: a receiver takes one that it has seen for a replay.
        challenge.nc = u32::try_from(uses).unwrap_or(u32::MAX - 1);
        // Adapters have no dice. What the client adds only has to differ from proof to proof.
        let salt = format!("{}\0{}\0{uses}", challenge.nonce, target(&request.url));
        let own = match self.message {
            Some(message) => message.nonce(&salt),
            None => blake3::hash(salt.as_bytes()).to_hex()[..32].to_owned(),
        };
        if let Some(proof) = self.proof(request, &mut challenge, own) {
            request.headers.retain(|(name, _)| !is_header(name));
            request.headers.push((HEADER.to_owned(), proof));
        }
    }

    /// The value of the header; `own` is what the client adds to the receiver's number. `None` only for a list of `qop`
    /// without any that is known, and none such is made here.
    fn proof(
        &self,
        request: &Request,
        challenge: &mut WwwAuthenticateHeader,
        own: String,
    ) -> Option<String> {
        let mut context = AuthContext::new_with_method(
            self.user,
            self.password,
            target(&request.url),
            Some(request.body.as_ref()),
            HttpMethod::from(request.method.as_str()),
        );
        context.set_custom_cnonce(own);
        let proof = challenge.respond(&context).ok()?;
        Some(proof.to_header_string())
    }
}

/// Whether a header is the one that proves who calls.
pub(super) fn is_header(name: &str) -> bool {
    name.eq_ignore_ascii_case(HEADER)
}

fn header_of(request: &Request) -> Option<&str> {
    let mut headers = request.headers.iter();
    let (_, value) = headers.find(|(name, _)| is_header(name))?;
    Some(value)
}

/// What follows host and port in an address, which a digest is made over.
pub(super) fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split('#').next().unwrap_or(path)
}

/// A field of a proof as the library writes it.
fn named(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{name}=\"{value}\"")
}

/// The first challenge of a refusal that can be answered; the receiver prefers the earlier ones (RFC 7616, 3.7).
fn challenge_of(exchange: &Exchange) -> Option<WwwAuthenticateHeader> {
    let answer = exchange.result.as_ref().ok()?;
    if answer.status != 401 {
        return None;
    }
    first_known(&answer.headers.get("www-authenticate")?)
}

fn first_known(header: &str) -> Option<WwwAuthenticateHeader> {
    challenges(header).into_iter().find_map(read)
}

/// A challenge; `None` where it is not one of these, or asks for what is not known here.
fn read(challenge: &str) -> Option<WwwAuthenticateHeader> {
    let (scheme, rest) = challenge.split_once(char::is_whitespace)?;
    if !scheme.eq_ignore_ascii_case("digest") {
        return None;
    }
    let fields = fields(rest);
    let field = |wanted: &str| {
        let mut fields = fields.iter();
        let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(value.as_str())
    };
    let is_true = |name: &str| field(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let wanted = field("algorithm").unwrap_or(ALGORITHMS[0]);
    let known = ALGORITHMS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(wanted))?;
    let algorithm: Algorithm = known.parse().ok()?;
    let qop = match field("qop") {
        None => None,
        Some(offered) => {
            let has = |wanted: &str| {
                let mut offered = offered.split(|c: char| c == ',' || c.is_whitespace());
                offered.any(|one| one.eq_ignore_ascii_case(wanted))
            };
            if has("auth") {
                Some(vec![Qop::AUTH])
            } else if has("auth-int") {
                Some(vec![Qop::AUTH_INT])
            } else {
                return None;
            }
        }
    };
    Some(WwwAuthenticateHeader {
        domain: None,
        realm: field("realm").unwrap_or_default().to_owned(),
        nonce: field("nonce")?.to_owned(),
        opaque: field("opaque").map(str::to_owned),
        stale: is_true("stale"),
        algorithm,
        qop,
        userhash: is_true("userhash"),
        charset: Charset::UTF8,
        nc: 0,
    })
}

/// The fields of a challenge: `name=word` and `name="any text"`, with commas in between.
fn fields(text: &str) -> Vec<(&str, String)> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace());
        let after = after.trim_start();
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut letters = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
                    letter => value.push(letter),
                }
            }
            rest = &quoted[end..];
        } else {
            let end = after.find(',').unwrap_or(after.len());
            value.push_str(after[..end].trim_end());
            rest = &after[end..];
        }
        fields.push((name, value));
    }
    fields
}

/// A header's challenges: a part after a comma that begins with a word and a space begins another one (RFC 9110, 11.6.1).
fn challenges(header: &str) -> Vec<&str> {
    let mut begins = vec![0];
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in header.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                let rest = &header[at + 1..];
                let begin = at + 1 + (rest.len() - rest.trim_start().len());
                let word = header[begin..]
                    .split([' ', ',', '='])
                    .next()
                    .unwrap_or_default();
                if !word.is_empty() && header[begin + word.len()..].starts_with(' ') {
                    begins.push(begin);
                }
            }
            _ => {}
        }
    }
    let ends = begins.iter().skip(1).copied().chain([header.len()]);
    begins
        .iter()
        .zip(ends)
        .map(|(begin, end)| header[*begin..end].trim_end_matches([' ', ',']))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::adapter::{Hidden, Response};

    fn request(url: &str) -> Request {
        Request {
            method: "GET".to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            wait: Duration::ZERO,
            hidden: Hidden::default(),
            login: None,
        }
    }

    fn caller<'a>(user: &'a str, password: &'a str) -> Caller<'a> {
        Caller {
            user,
            password,
            message: None,
        }
    }

    fn field<'p>(proof: &'p str, name: &str) -> &'p str {
        let mut parts = proof.trim_start_matches("Digest ").split(", ");
        let part = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        part.unwrap_or_default().trim_matches('"')
    }

    /// RFC 7616, 3.9.1; RFC 2617, 3.5; and the example of RFC 2069 as its errata has it.
    #[test]
    fn the_examples_of_the_standards() {
        let (realm, url) = (
            "http-auth@example.org",
            "http://www.example.org/dir/index.html",
        );
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let newer = |algorithm: &str| {
            format!(
                "Digest realm=\"{realm}\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let older = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let older_with = |qop: &str| {
            format!(
                "Digest realm=\"testrealm@host.com\",{qop} nonce=\"{older}\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""
            )
        };
        for (challenge, password, own, expected) in [
            (
                newer("MD5"),
                "Circle of Life",
                own,
                "8ca523f5e9506fed4657c9700eebdbec",
            ),
            (
                newer("SHA-256"),
                "Circle of Life",
                own,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            (
                older_with(" qop=\"auth,auth-int\","),
                "Circle Of Life",
                "0a4f113b",
                "6629fae49393a05397450978507c4ef1",
            ),
            (
                older_with(""),
                "CircleOfLife",
                "",
                "1949323746fe6a43ef61f9606e7febea",
            ),
        ] {
            let mut read = first_known(&challenge).unwrap();
            let proof = caller("Mufasa", password)
                .proof(&request(url), &mut read, own.to_owned())
                .unwrap();
            assert_eq!(field(&proof, "response"), expected, "{challenge}");
            assert_eq!(field(&proof, "uri"), "/dir/index.html");
            assert_eq!(field(&proof, "username"), "Mufasa");
        }
    }

    fn refused(request: Request, challenge: &str) -> Exchange {
        let header = ("www-authenticate", challenge);
        let headers = [(
            header.0.parse().unwrap(),
            http::HeaderValue::from_bytes(header.1.as_bytes()).unwrap(),
        )];
        let answer = Response {
            status: 401,
            headers: headers.into_iter().collect(),
            ..Response::default()
        };
        Exchange {
            request,
            result: Ok(answer),
        }
    }

    #[test]
    fn a_proof_goes_ahead_with_the_next_number_and_only_to_the_host_that_asked() {
        let who = caller("loa", "mat-khau");
        let challenge = r#"Digest realm="r", nonce="n-1", qop="auth""#;
        let first = refused(request("http://a/list"), challenge);
        let second = who.answer(std::slice::from_ref(&first), 1).unwrap();
        assert_eq!(field(header_of(&second).unwrap(), "nc"), "00000001");
        let answered = Exchange {
            request: second,
            result: Ok(Response {
                status: 200,
                ..Response::default()
            }),
        };
        let past = [first, answered];
        let mut third = request("http://a/upload");
        who.go_ahead(&mut third, &past);
        let proof = header_of(&third).unwrap();
        assert_eq!(
            (field(proof, "nc"), field(proof, "uri")),
            ("00000002", "/upload")
        );
        assert_ne!(
            field(proof, "cnonce"),
            field(header_of(&past[1].request).unwrap(), "cnonce")
        );
        let mut elsewhere = request("http://b/upload");
        who.go_ahead(&mut elsewhere, &past);
        assert_eq!(header_of(&elsewhere), None);
        // The number that went ahead was too old, whether or not the receiver says so.
        for (again, is_answered) in [
            (r#"Digest realm="r", nonce="n-2", qop="auth""#, true),
            (
                r#"Digest realm="r", nonce="n-1", qop="auth", stale=TRUE"#,
                true,
            ),
            (challenge, false),
        ] {
            let past = [past.as_slice(), &[refused(third.clone(), again)]].concat();
            assert_eq!(who.answer(&past, 1).is_some(), is_answered, "{again}");
            let is_stale = again.contains("stale");
            assert_eq!(who.answer(&past, 2).is_some(), is_stale, "{again}");
        }
    }

    #[test]
    fn challenges_are_told_apart() {
        let header = r#"Basic realm="a, Digest b", Digest realm="x", qop="auth, auth-int", nonce="1", Bearer"#;
        assert_eq!(
            challenges(header),
            [
                r#"Basic realm="a, Digest b""#,
                r#"Digest realm="x", qop="auth, auth-int", nonce="1", Bearer"#
            ]
        );
        let both = r#"Digest realm="r", nonce="n", algorithm=SHA-999, Digest realm="r", nonce="n", algorithm=MD5"#;
        assert_eq!(challenges(both).len(), 2);
        assert!(first_known(both).is_some(), "the second can be answered");
        assert!(first_known("Basic realm=\"x\"").is_none());
        assert!(first_known("").is_none());
    }

    /// What devices write, among it what has no business in a header.
    #[test]
    fn challenges_are_read_however_they_are_written() {
        for (challenge, expected) in [
            (
                r#"digest Realm = "Loa phường \"1\"" , NONCE="a\\b" ,qop=auth"#,
                ("Loa phường \"1\"", "a\\b", Some(vec![Qop::AUTH])),
            ),
            (
                r#"DIGEST nonce=abc, qop="auth-int, x", algorithm="md5-SESS""#,
                ("", "abc", Some(vec![Qop::AUTH_INT])),
            ),
            (
                r#"Digest realm="đường", nonce="số=1, 2""#,
                ("đường", "số=1, 2", None),
            ),
            (r#"Digest realm="mở, nonce="x"#, ("mở, nonce=", "", None)),
        ] {
            match read(challenge) {
                Some(read) => assert_eq!(
                    (read.realm.as_str(), read.nonce.as_str(), read.qop),
                    expected,
                    "{challenge}"
                ),
                None => assert!(expected.1.is_empty(), "{challenge}"),
            }
        }
        for none in [
            "Digest",
            "Digest =",
            "Digest realm=\"x\"",
            "Digest nonce=\"\\",
            "Digest nonce=a, qop=\"x\"",
            "Digest nonce=a, algorithm=SHA-1",
            "ĐỐ nonce=a",
        ] {
            let is_none = read(none).is_none_or(|read| read.nonce.is_empty());
            assert!(is_none, "{none}");
        }
    }

    #[test]
    fn what_a_digest_is_made_over() {
        for (url, expected) in [
            ("http://a", "/"),
            ("http://a:80/b?c=d#e", "/b?c=d"),
            ("https://a/b/c", "/b/c"),
        ] {
            assert_eq!(target(url), expected);
        }
    }
}
