//! The style sheet, the scripts and the icon, compiled in. Their addresses carry a hash of what is in them, so that
//! browsers keep them for a year and fetch them anew on the day they change.

use std::sync::OnceLock;

use axum::{
    extract::{Path, State},
    http::{Uri, header},
    response::{IntoResponse, Response},
};

use super::{Pages, query::Query, refusal::Refusal};

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "style.css",
        kind: "text/css; charset=utf-8",
        body: include_str!("assets/style.css"),
    },
    Asset {
        name: "live.js",
        kind: "text/javascript; charset=utf-8",
        body: include_str!("assets/live.js"),
    },
    Asset {
        name: "copy.js",
        kind: "text/javascript; charset=utf-8",
        body: include_str!("assets/copy.js"),
    },
    Asset {
        name: "icon.svg",
        kind: "image/svg+xml",
        body: include_str!("assets/icon.svg"),
    },
];

/// The addresses of the files, as templates use them.
#[derive(Debug, serde::Serialize)]
pub(super) struct Addresses {
    style: String,
    script: String,
    copy: String,
    icon: String,
}

/// The addresses of the files.
pub(super) fn addresses() -> &'static Addresses {
    static ADDRESSES: OnceLock<Addresses> = OnceLock::new();
    ADDRESSES.get_or_init(|| {
        let [style, script, copy, icon] =
            ASSETS.map(|asset| format!("/tai-san/{}?v={}", asset.name, version(asset.body)));
        Addresses {
            style,
            script,
            copy,
            icon,
        }
    })
}

pub(super) fn version(body: &str) -> String {
    blake3::hash(body.as_bytes()).to_hex()[..12].to_owned()
}

/// `GET /tai-san/{name}`.
pub(super) async fn asset(
    State(pages): State<Pages>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return pages.refuse_plainly(&uri, Refusal::NotFound);
    };
    // An old page may ask for an old version; what it gets must not stay under that name.
    let current =
        Query::read(&uri).is_ok_and(|query| query.value("v") == Some(version(asset.body).as_str()));
    let caching = if current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [
            (header::CONTENT_TYPE, asset.kind),
            (header::CACHE_CONTROL, caching),
        ],
        asset.body,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_small_and_ask_nobody_else() {
        let size: usize = ASSETS.iter().map(|asset| asset.body.len()).sum();
        assert!(
            size <= 12 * 1024,
            "{size} bytes of assets are too many for a slow network"
        );
        for asset in ASSETS {
            let foreign = asset.body.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !foreign.contains("http:") && !foreign.contains("https:"),
                "{} names another site",
                asset.name
            );
        }
    }
}
