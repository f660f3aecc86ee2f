//! The do-not-call list as a file.

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use base::{Locale, Timestamp};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use host::audit::{self, AuditEntry};
use http_kit::{Caller, Csv, Query, Result, Time};
use serde_json::json;

use super::{DoNotCallEntry, ScopeKind, shown};
use crate::{
    file::Delimiter,
    routes::template::{self, Language},
    store::do_not_call::{Search, page},
};

/// Rows that are read from the database at a time.
const PIECE: i64 = 500;

/// Download the do-not-call list
///
/// Every entry that holds, in a form that the import of numbers reads. Cells that a spreadsheet
/// would run as formulas have an apostrophe in front.
#[utoipa::path(
    get, path = "/do-not-call/export.csv", operation_id = "export_do_not_call", tag = "contacts",
    params(Language),
    responses((status = 200, content_type = "text/csv", body = String))
)]
pub(crate) async fn export_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Query(language): Query<Language>,
) -> Result<Response> {
    let (account, user, now) = (caller.account, caller.user, state.handles.clock.now());
    let ids = state.handles.ids.clone();
    let entry = AuditEntry {
        account,
        user: Some(user),
        action: "do_not_call.export",
        subject: "do_not_call".to_owned(),
        detail: json!({}),
    };
    state
        .handles
        .db
        .write(move |tx| {
            let (ids, entry) = (ids.clone(), entry.clone());
            Box::pin(async move { audit::record(tx, &ids, entry, now).await })
        })
        .await?;
    let language = language.or(&caller);
    let mut table = Csv::new(delimiter(language).as_str());
    table.row(heads(language));
    let head = Bytes::from(table.take());
    let search = Search { now, ..Search::default() };
    let rows = stream::try_unfold((i64::MAX, table), move |(below, mut table)| {
        let (state, search) = (Arc::clone(&state), search.clone());
        async move {
            let with = Arc::clone(&state);
            let read = state.handles.db.read(move |tx| {
                Box::pin(async move {
                    let rows = page(tx, account, &search, below, PIECE).await?;
                    let last = rows.last().map(|row| row.id.raw());
                    Ok((last, shown(&with, tx, account, rows).await?))
                })
            });
            let (last, entries) = read.await?;
            let Some(last) = last else { return Ok(None) };
            for entry in entries {
                row(&mut table, entry, language);
            }
            Ok::<_, db::Error>(Some((Bytes::from(table.take()), (last, table))))
        }
    });
    let body = stream::iter([Ok(head)]).chain(rows).inspect_err(|error| {
        tracing::error!(%error, "the file of the do-not-call list broke off");
    });
    Ok(template::download("do-not-call.csv", Body::from_stream(body)))
}

fn row(table: &mut Csv, entry: DoNotCallEntry, language: Locale) {
    let moment = |at: Timestamp| match serde_json::to_value(Time(at)) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    };
    let whom = match entry.scope {
        ScopeKind::Account => whole(language).to_owned(),
        ScopeKind::Campaign | ScopeKind::List => entry.target_name.unwrap_or_default(),
    };
    table.row([
        entry.phone.as_str(),
        &whom,
        &entry.reason,
        entry.by.as_deref().unwrap_or_default(),
        &moment(entry.forbidden_at.0),
        &entry.expires_at.map(|Time(at)| moment(at)).unwrap_or_default(),
    ]);
}

/// What spreadsheets of the language's countries take apart by themselves.
const fn delimiter(language: Locale) -> Delimiter {
    match language {
        Locale::En | Locale::Vi => Delimiter::Comma,
        Locale::Uk | Locale::Ru | Locale::Uz => Delimiter::Semicolon,
    }
}

/// The names of the columns.
pub(super) const fn heads(language: Locale) -> [&'static str; 6] {
    match language {
        Locale::En => ["phone", "not called by", "reason", "by", "since", "until"],
        Locale::Uk => ["телефон", "хто не дзвонить", "причина", "хто додав", "відколи", "до"],
        Locale::Ru => ["телефон", "кто не звонит", "причина", "кто добавил", "с какого", "до"],
        Locale::Uz => [
            "telefon",
            "kim qoʻngʻiroq qilmaydi",
            "sabab",
            "kim qoʻshgan",
            "qachondan",
            "qachongacha",
        ],
        Locale::Vi => ["số điện thoại", "ai không gọi", "lý do", "người thêm", "từ", "đến"],
    }
}

const fn whole(language: Locale) -> &'static str {
    match language {
        Locale::En => "everybody",
        Locale::Uk => "ніхто",
        Locale::Ru => "никто",
        Locale::Uz => "hech kim",
        Locale::Vi => "tất cả",
    }
}
