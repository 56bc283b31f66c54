//! The frame around every page: the template engine, the words around the content, and the page that says why not.

use std::{error::Error, sync::OnceLock};

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tera::{Context, Kwargs, Tera};

use super::{Pages, assets, query::Query, reader::Reader, refusal::Refusal};
use crate::catalogue::{self, Lang};

/// The templates by name. The ending `.html` makes the engine escape every value.
const TEMPLATES: [(&str, &str); 11] = [
    ("frame.html", include_str!("templates/frame.html")),
    ("today.html", include_str!("templates/today.html")),
    ("today-live.html", include_str!("templates/today-live.html")),
    (
        "today-summary.html",
        include_str!("templates/today-summary.html"),
    ),
    (
        "today-wards.html",
        include_str!("templates/today-wards.html"),
    ),
    ("log.html", include_str!("templates/log.html")),
    ("broadcast.html", include_str!("templates/broadcast.html")),
    ("paste.html", include_str!("templates/paste.html")),
    ("wards.html", include_str!("templates/wards.html")),
    ("refusal.html", include_str!("templates/refusal.html")),
    ("screen.html", include_str!("templates/screen.html")),
];

fn engine() -> &'static Tera {
    static ENGINE: OnceLock<Tera> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Tera::default();
        // `{{ "web.today" | t }}`: the catalogue's words in the page's language.
        engine.register_filter(
            "t",
            |key: &str, _: Kwargs, state: &tera::State| -> tera::TeraResult<String> {
                let lang: Option<String> = state.get("lang")?;
                let lang = lang.and_then(|lang| lang.parse().ok()).unwrap_or_default();
                Ok(catalogue::text(lang, key, &[]))
            },
        );
        engine
            .add_raw_templates(TEMPLATES)
            .expect("the templates are compiled in and rendered by tests");
        engine
    })
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// The first page.
    Today,
    /// The log.
    Log,
    /// Neither.
    Elsewhere,
}

/// What surrounds the content.
#[derive(Serialize)]
struct Frame<'a> {
    title: &'a str,
    site: &'a str,
    simulated: bool,
    place: Place,
    assets: &'a assets::Addresses,
    home: String,
    log: String,
    /// The same page in the other language.
    other: String,
}

#[derive(Serialize)]
struct Sorry {
    heading: String,
    help: String,
    home: String,
}

/// Renders `template` with `view` in it and no frame around it.
pub(super) fn fragment(
    reader: &Reader,
    template: &str,
    view: &impl Serialize,
) -> Result<String, Refusal> {
    let mut context = Context::new();
    context.insert("lang", &reader.lang.to_string());
    context.insert("view", view);
    Ok(engine().render(template, &context)?)
}

fn html(status: StatusCode, body: String) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        body,
    )
        .into_response()
}

impl Pages {
    /// Who reads: in which language, zone and moment.
    pub(super) fn reader(&self, lang: Lang) -> Reader {
        let zone = self.site.workspace.borrow().settings.zone;
        Reader {
            lang,
            zone,
            now: self.site.clock.now(),
        }
    }

    /// Renders a whole page.
    pub(super) fn page(
        &self,
        reader: &Reader,
        uri: &Uri,
        place: Place,
        title: &str,
        template: &str,
        view: &impl Serialize,
    ) -> Result<Response, Refusal> {
        Ok(html(
            StatusCode::OK,
            self.framed(reader, uri, place, title, template, view)?,
        ))
    }

    fn framed(
        &self,
        reader: &Reader,
        uri: &Uri,
        place: Place,
        title: &str,
        template: &str,
        view: &impl Serialize,
    ) -> Result<String, Refusal> {
        let workspace = self.site.workspace.borrow().clone();
        let frame = Frame {
            title,
            site: &workspace.settings.name,
            simulated: self.site.simulated,
            place,
            assets: assets::addresses(),
            home: reader.link("/", &[]),
            log: reader.link("/nhat-ky", &[]),
            other: in_other_language(uri, reader.lang),
        };
        let mut context = Context::new();
        context.insert("lang", &reader.lang.to_string());
        context.insert("frame", &frame);
        context.insert("view", view);
        Ok(engine().render(template, &context)?)
    }

    /// The answer to a request: the page, or why there is none. What is the daemon's own fault is logged here, once.
    pub(super) fn answer(
        &self,
        uri: &Uri,
        reader: &Reader,
        result: Result<Response, Refusal>,
    ) -> Response {
        let refusal = match result {
            Ok(response) => return response,
            Err(refusal) => refusal,
        };
        if refusal.status().is_server_error() && !matches!(refusal, Refusal::Full) {
            tracing::error!(
                path = uri.path(),
                error = &refusal as &dyn Error,
                "a page could not be shown"
            );
        }
        let word = refusal.word();
        let sorry = Sorry {
            heading: reader.text(&format!("error-{word}"), &[]),
            help: reader.text(&format!("error-{word}-help"), &[]),
            home: reader.link("/", &[]),
        };
        let body = self
            .framed(
                reader,
                uri,
                Place::Elsewhere,
                &sorry.heading,
                "refusal.html",
                &sorry,
            )
            .unwrap_or_else(|_| sorry.heading.clone());
        let mut response = html(refusal.status(), body);
        let headers = response.headers_mut();
        match refusal {
            Refusal::Method => headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD")),
            Refusal::Full | Refusal::Store(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("15"))
            }
            _ => None,
        };
        response
    }

    /// Says why there is no page, in the language of the address as far as it can be read.
    pub(super) fn refuse_plainly(&self, uri: &Uri, refusal: Refusal) -> Response {
        let lang = Query::read(uri).unwrap_or_default().lang();
        self.answer(uri, &self.reader(lang), Err(refusal))
    }
}

/// The same address in the other language; without its parameters when it has some that are not ours to repeat.
fn in_other_language(uri: &Uri, lang: Lang) -> String {
    let kept = uri.query().unwrap_or_default().split('&').filter(|part| {
        !part.is_empty()
            && !part.starts_with("lang=")
            && !part.starts_with("fragment=")
            && part.len() < 200
    });
    let mut parts: Vec<&str> = kept.collect();
    if lang == Lang::Vi {
        parts.push("lang=en");
    }
    let path = if uri.path().starts_with("//") {
        "/"
    } else {
        uri.path()
    };
    if parts.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", parts.join("&"))
    }
}

/// Every address that is none of ours.
pub(super) async fn nowhere(State(pages): State<Pages>, uri: Uri) -> Response {
    pages.refuse_plainly(&uri, Refusal::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_language_is_one_link_away() {
        let other = |uri: &str, lang| in_other_language(&uri.parse().unwrap(), lang);
        assert_eq!(other("/", Lang::Vi), "/?lang=en");
        assert_eq!(
            other("/nhat-ky?phuong=a&lang=en", Lang::En),
            "/nhat-ky?phuong=a"
        );
        assert_eq!(
            other("/?fragment=1&phuong=a", Lang::Vi),
            "/?phuong=a&lang=en"
        );
        assert_eq!(
            other("//evil.example/", Lang::En),
            "/",
            "never a link to another site"
        );
    }

    #[test]
    fn templates_use_words_that_the_catalogue_has() {
        for (name, source) in TEMPLATES {
            for (before, _) in source.split(" | t").zip(source.split(" | t").skip(1)) {
                let key = before
                    .strip_suffix('"')
                    .and_then(|text| text.rsplit('"').next());
                if let Some(key) = key {
                    assert!(
                        catalogue::has(key),
                        "{name} uses {key}, which the catalogue does not have"
                    );
                }
            }
            assert!(
                !source.contains("| safe"),
                "{name} lets something through unescaped"
            );
            assert!(
                !source.contains("style=") && !source.contains("onclick"),
                "{name} has inline style or script"
            );
        }
    }
}
