//! The template of a file of contacts.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use base::Locale;
use http_kit::{Caller, Query, Result};
use serde::Deserialize;
use utoipa::IntoParams;

use super::upload::disk;
use crate::{rejected, workbook};

/// The type of a workbook.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The language of a file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Language {
    /// `en`, `uk`, `ru`, `uz` or `vi`; the caller's when absent or another.
    language: Option<String>,
}

impl Language {
    /// The language asked for, or the caller's.
    pub(crate) fn or(&self, caller: &Caller) -> Locale {
        self.language.as_deref().and_then(|code| code.parse().ok()).unwrap_or(caller.locale)
    }
}

/// Download the template of a contact file
///
/// The names of the columns that an import understands, in UTF-8 with a byte order mark, and no
/// rows: an example that somebody forgets to delete would be called.
#[utoipa::path(
    get, path = "/lists/template.csv", operation_id = "get_template", tag = "contacts",
    params(Language),
    responses((status = 200, content_type = "text/csv", body = String))
)]
pub(crate) async fn get_template(
    caller: Caller,
    Query(language): Query<Language>,
) -> Result<Response> {
    let text = rejected::template(language.or(&caller));
    Ok(download("contacts.csv", text.into()))
}

/// Download the template as a workbook
///
/// The same columns in a sheet (XLSX) whose cells are texts, so that a spreadsheet leaves the zeros
/// in front of numbers alone.
#[utoipa::path(
    get, path = "/lists/template.xlsx", operation_id = "get_workbook_template", tag = "contacts",
    params(Language),
    responses((status = 200, content_type = XLSX, body = Vec<u8>))
)]
pub(crate) async fn get_workbook_template(
    caller: Caller,
    Query(language): Query<Language>,
) -> Result<Response> {
    let (sheet, heads) = rejected::template_heads(language.or(&caller));
    let book = workbook::template::template(sheet, &heads).map_err(disk)?;
    let headers = [
        (header::CONTENT_TYPE, XLSX),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"contacts.xlsx\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, book).into_response())
}

/// A CSV file to be saved under `name`.
pub(crate) fn download(name: &str, body: axum::body::Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}
