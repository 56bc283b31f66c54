//! What every request has to pass, and what every answer carries.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::{Pages, refusal::Refusal};

/// The longest path and query, in bytes.
const LONGEST: usize = 2_048;

/// Nothing but our own files, and no frame around them.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(header::HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        header::HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Refuses what is not for us, and adds the headers that keep a page to itself.
pub(super) async fn guard(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let response = match check(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => pages.refuse_plainly(request.uri(), refusal),
    };
    kept_to_itself(response)
}

/// Adds these headers alone: for what may be asked for by any name.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    kept_to_itself(next.run(request).await)
}

fn kept_to_itself(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn check(request: &Request) -> Result<(), Refusal> {
    if !names_us(request) {
        return Err(Refusal::Host);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    if length(request.uri()) > LONGEST {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

fn length(uri: &Uri) -> usize {
    uri.path_and_query().map_or(0, |text| text.as_str().len())
}

/// Whether every host that the request names is this machine: a foreign site whose name was made to point here
/// ("DNS rebinding") sends its own name.
fn names_us(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let one = hosts.next().is_none();
    let target = request.uri().authority();
    one && host.is_some_and(is_local) && target.is_none_or(|authority| is_local(authority.as_str()))
}

fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let bare = !host.contains('@');
    bare && matches!(
        authority.host().to_ascii_lowercase().as_str(),
        "localhost" | "127.0.0.1" | "[::1]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_us() {
        for good in [
            "localhost",
            "localhost:8080",
            "LOCALHOST:1",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "loa.example",
            "localhost.example",
            "127.0.0.1.nip.io",
            "127.0.0.2",
            "user@localhost",
            "::1",
            "localhost ",
            "0.0.0.0",
            "[::1",
        ] {
            assert!(!is_local(bad), "{bad}");
        }
    }
}
