//! The rows of an import that were not taken, as a file.

use std::{iter, sync::Arc};

use axum::{body::Body, extract::State, response::Response};
use base::{Id, kind};
use bytes::Bytes;
use futures::{TryStreamExt as _, stream};
use http_kit::{Caller, Csv, Path, Query, Result};

use super::{or, template};
use crate::{problems::ContactProblem, rejected, store::imports};

/// Rows that are read from the database at a time.
const PIECE: i64 = 500;

/// Download the rows that an import did not take
///
/// The file's own columns behind the line and the reason. At most 10,000 rows. Cells that a
/// spreadsheet would run as formulas have an apostrophe in front.
#[utoipa::path(
    get, path = "/imports/{id}/rejected.csv", operation_id = "get_rejected", tag = "contacts",
    params(("id" = String, Path, description = "The import."), template::Language),
    responses((status = 200, content_type = "text/csv", body = String))
)]
pub(crate) async fn get_rejected(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Import>>,
    Query(language): Query<template::Language>,
) -> Result<Response> {
    let account = caller.account;
    let language = language.or(&caller);
    let db = state.handles.db.clone();
    let import = db
        .read(move |tx| Box::pin(async move { imports::get(tx, account, id).await }))
        .await
        .map_err(or(ContactProblem::ImportNotFound))?;
    let mut table = Csv::new(import.delimiter.as_str());
    let heads = rejected::heads(language);
    table.row(heads.into_iter().chain(import.columns.iter().map(String::as_str)));
    let head = Bytes::from(table.take());
    let rows = stream::try_unfold((0, table), move |(after, mut table)| {
        let db = db.clone();
        async move {
            let rows = db
                .read(move |tx| {
                    Box::pin(async move { imports::rejected(tx, account, id, after, PIECE).await })
                })
                .await?;
            let Some(last) = rows.last().map(|row| row.line) else { return Ok(None) };
            for row in rows {
                let cells: Vec<String> = serde_json::from_value(row.cells).unwrap_or_default();
                let line = row.line.to_string();
                let front = [line.as_str(), rejected::words(&row.reason, language)];
                table.row(front.into_iter().chain(cells.iter().map(String::as_str)));
            }
            let bytes = Bytes::from(table.take());
            Ok::<_, db::Error>(Some((bytes, (last, table))))
        }
    });
    let body = stream::iter(iter::once(Ok(head))).chain_try(rows);
    Ok(template::download("rejected.csv", Body::from_stream(body)))
}

/// One stream after the other.
trait ChainTry: Sized {
    fn chain_try<S>(self, next: S) -> impl futures::Stream<Item = Result<Bytes, db::Error>> + Send
    where
        S: futures::Stream<Item = Result<Bytes, db::Error>> + Send;
}

impl<F> ChainTry for F
where
    F: futures::Stream<Item = Result<Bytes, db::Error>> + Send,
{
    fn chain_try<S>(self, next: S) -> impl futures::Stream<Item = Result<Bytes, db::Error>> + Send
    where
        S: futures::Stream<Item = Result<Bytes, db::Error>> + Send,
    {
        futures::StreamExt::chain(self, next).map_err(|error| {
            tracing::error!(%error, "the file of rejected rows broke off");
            error
        })
    }
}
