//! How a recipe's requests prove who is calling.

use base64::{Engine, engine::general_purpose::STANDARD};
use digest_auth::{AuthContext, HttpMethod};

use super::{
    RecipeProblem, Scene,
    scene::nonce,
    text::{Reading, Text},
};
use crate::{
    adapter::{Exchange, Request},
    domain::recipe,
};

const HEADER: &str = "Authorization";

/// How requests prove who is calling, read.
#[derive(Debug)]
pub(super) enum Auth {
    Basic { user: Text, password: Text },
    Bearer(Text),
    Digest { user: Text, password: Text },
}

impl Auth {
    pub(super) fn read(reading: &mut Reading, auth: &recipe::Auth) -> Self {
        let mut text = |path: &str, text: &str| reading.text(&format!("auth.{path}"), text);
        match auth {
            recipe::Auth::Basic { user, password } => Self::Basic {
                user: text("basic.user", user),
                password: text("basic.password", password),
            },
            recipe::Auth::Bearer(token) => Self::Bearer(text("bearer", token)),
            recipe::Auth::Digest { user, password } => Self::Digest {
                user: text("digest.user", user),
                password: text("digest.password", password),
            },
        }
    }

    /// Every text in it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &Text> {
        let (one, other) = match self {
            Self::Basic { user, password } | Self::Digest { user, password } => {
                (user, Some(password))
            }
            Self::Bearer(token) => (token, None),
        };
        std::iter::once(one).chain(other)
    }

    /// What a request carries from the start, as the value of `Authorization`.
    pub(super) fn value(&self, scene: &Scene<'_>) -> Result<Option<String>, RecipeProblem> {
        Ok(match self {
            Self::Basic { user, password } => {
                let pair = format!("{}:{}", scene.text(user)?, scene.text(password)?);
                Some(format!("Basic {}", STANDARD.encode(pair)))
            }
            Self::Bearer(token) => Some(format!("Bearer {}", scene.text(token)?)),
            Self::Digest { .. } => None,
        })
    }

    /// The same request with the answer to a challenge; `None` where there is nothing to answer. `turn` counts the answers of
    /// this call from 1: after the first, only a challenge that says that its number was too old is answered again.
    pub(super) fn answer(
        &self,
        exchange: &Exchange,
        scene: &Scene<'_>,
        turn: usize,
    ) -> Result<Option<Request>, RecipeProblem> {
        let Self::Digest { user, password } = self else {
            return Ok(None);
        };
        let request = &exchange.request;
        let is_own = turn == 1 && request.headers.iter().any(|(name, _)| is_header(name));
        let challenge = match &exchange.result {
            Ok(answer) if answer.status == 401 && !is_own => answer.headers.get("www-authenticate"),
            _ => None,
        };
        let Some(mut prompt) = challenge.as_deref().and_then(first_known) else {
            return Ok(None);
        };
        if turn > 1 && !prompt.stale {
            return Ok(None);
        }
        let target = target(&request.url);
        let (user, password) = (scene.text(user)?, scene.text(password)?);
        let mut context = AuthContext::new_with_method(
            user.as_ref(),
            password.as_ref(),
            target,
            Some(request.body.as_ref()),
            HttpMethod::from(request.method.as_str()),
        );
        // Adapters have no dice. What the client adds only has to differ from call to call.
        let salt = format!("{}\0{target}\0{turn}", prompt.nonce);
        let own = scene.message().map_or_else(
            || blake3::hash(salt.as_bytes()).to_hex()[..32].to_owned(),
            |message| nonce(message, &salt),
        );
        context.set_custom_cnonce(own);
        let Ok(answer) = prompt.respond(&context) else {
            return Ok(None);
        };
        let mut request = request.clone();
        request.headers.retain(|(name, _)| !is_header(name));
        let value = answer.to_header_string();
        request.headers.push((HEADER.to_owned(), value));
        Ok(Some(request))
    }
}

pub(super) fn is_header(name: &str) -> bool {
    name.eq_ignore_ascii_case(HEADER)
}

/// What follows host and port in an address, which a digest is made over.
pub(super) fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    path.split('#').next().unwrap_or(path)
}

/// The first challenge of a `WWW-Authenticate` that can be answered; the receiver prefers the earlier ones (RFC 7616, 3.7).
fn first_known(header: &str) -> Option<digest_auth::WwwAuthenticateHeader> {
    challenges(header)
        .into_iter()
        .filter(|challenge| {
            let scheme = challenge.split_whitespace().next();
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest"))
        })
        .find_map(|challenge| digest_auth::parse(challenge).ok())
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
    use super::*;

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
