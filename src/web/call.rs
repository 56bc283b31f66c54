//! A call of a page: what every page takes from it before anything of its own.

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
    response::Response,
};
use serde::Serialize;

use super::{Pages, frame::Place, query::Query, reader::Reader, refusal::Refusal};

/// A call of a page whose address could be read.
pub(super) struct Call {
    pub(super) pages: Pages,
    pub(super) reader: Reader,
    pub(super) query: Query,
    uri: Uri,
}

impl FromRequestParts<Pages> for Call {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Response> {
        let uri = parts.uri.clone();
        match Query::read(&uri) {
            Ok(query) => Ok(Self {
                pages: pages.clone(),
                reader: pages.reader(query.lang()),
                query,
                uri,
            }),
            Err(refusal) => Err(pages.refuse_plainly(&uri, refusal)),
        }
    }
}

impl Call {
    /// The whole page.
    pub(super) fn page(
        &self,
        place: Place,
        title: &str,
        template: &str,
        view: &impl Serialize,
    ) -> Result<Response, Refusal> {
        let Self {
            pages, reader, uri, ..
        } = self;
        pages.page(reader, uri, place, title, template, view)
    }

    /// What came of it, or the page that says why not.
    pub(super) fn answer(&self, result: Result<Response, Refusal>) -> Response {
        self.pages.answer(&self.uri, &self.reader, result)
    }
}
