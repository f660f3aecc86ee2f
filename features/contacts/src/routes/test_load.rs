//! Test load: asks a source once, with settings that need not be saved, and imports nothing.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_kit::{Caller, Fields, Json, Path, Result, present};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{or, sources};
use crate::{
    contact,
    file::{self, Row},
    mapping::Mapping,
    phone::Region,
    problems::ContactProblem,
    reason::Reason,
    source::{
        Loaded, Settings,
        fault::SourceFault,
        feed,
        load::{Loader, Sink, Stop, Trace},
    },
    store::lists,
};

/// Rows that are shown.
const SHOWN_ROWS: usize = 10;

/// What is to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestWish {
    settings: Settings,
    /// Absent takes the one that `source` keeps, for the same host only.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    secret: Option<Option<String>>,
    /// The source that these settings are to become, when it is there already.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    source: Option<Id<kind::ContactSource>>,
}

/// A header as it was sent, its secret masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentHeader {
    name: String,
    value: String,
}

/// A list within the answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundArray {
    /// Empty when the answer itself is the list.
    path: String,
    rows: i64,
}

/// A row as an import would read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestRow {
    /// Its number in the answer.
    line: i64,
    id: String,
    name: String,
    /// In international form.
    phones: Vec<String>,
    /// The numbers as the source writes them.
    written: String,
    zone: Option<String>,
    variables: std::collections::BTreeMap<String, String>,
    /// Why the row would not be taken, in the caller's language.
    problem: Option<String>,
}

/// What became of a test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestLoad {
    /// Why there would be no rows; absent when there would.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<SourceFault>,
    /// The address that was asked.
    url: String,
    headers: Vec<SentHeader>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    took_ms: i64,
    /// Bytes of the answer, unpacked.
    bytes: i64,
    /// The first 64 KiB of the answer.
    raw: String,
    /// Rows in the answer.
    rows: i64,
    /// Whether further pages follow.
    more: bool,
    /// The first 10 rows.
    sample: Vec<TestRow>,
    /// Among all rows of the answer, those that an import would not take.
    refused: i64,
    /// Lists in the answer, the longest first.
    arrays: Vec<FoundArray>,
    /// Keys of the first elements, or the columns of the sheet.
    keys: Vec<String>,
    /// Which column holds what, for a sheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<Mapping>,
    /// The address of the service account, to share the sheet with.
    #[serde(skip_serializing_if = "Option::is_none")]
    robot: Option<String>,
    /// To be given when the source is saved: these settings worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
}

/// Test a source
///
/// Asks once with these settings, saved or not, and shows what an import would make of the answer.
/// Nothing is imported.
#[utoipa::path(
    post, path = "/lists/{id}/sources/test", operation_id = "test_source", tag = "contacts",
    params(("id" = String, Path, description = "The list.")),
    request_body = TestWish,
    responses((status = 200, body = TestLoad))
)]
pub(crate) async fn test_source(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(list): Path<Id<kind::ContactList>>,
    Json(mut wish): Json<TestWish>,
) -> Result<Json<TestLoad>> {
    let handles = &state.handles;
    let account = caller.account;
    let there = handles.db.read(move |tx| Box::pin(lists::get(tx, account, list)));
    there.await.map_err(or(ContactProblem::ListNotFound))?;
    let kept = match wish.source {
        Some(id) => Some(sources::find(&state, account, id).await?),
        None => None,
    };
    let mut fields = Fields::new();
    wish.settings.tidy();
    wish.settings.check(&mut fields);
    let secret =
        sources::secret(&state, &wish.settings, wish.secret.take(), kept.as_ref(), &mut fields);
    fields.finish()?;
    let mut settings = wish.settings;
    sources::note_robot(&mut settings, &secret);
    let begun = handles.clock.now();
    let (mut sink, mut trace) = (Sink::new(None), Trace::default());
    let loader =
        Loader { handles, google: &state.google, settings: &settings, secret: &secret, test: true };
    let loaded = loader.load(&mut sink, &mut trace).await;
    let took_ms = handles.clock.now().since(begun).as_millis() as i64;
    let mut told = tell(&settings, trace, took_ms);
    match loaded {
        Ok(loaded) => {
            show(&mut told, &loaded, &settings, &caller);
            if let Settings::Sheet(sheet) = &mut settings {
                sheet.mapping.clone_from(&loaded.mapping);
                told.mapping = Some(loaded.mapping);
            }
            if told.rows > 0 {
                let print = sources::fingerprint(&settings, &secret);
                let sealed = handles.secrets.seal(&sources::proof_context(account), &print);
                told.proof = Some(URL_SAFE_NO_PAD.encode(sealed));
            }
        }
        Err(Stop::Source(fault)) => told.fault = Some(fault),
        Err(Stop::Disk(why)) => return Err(super::upload::disk(why)),
    }
    Ok(Json(told))
}

fn tell(settings: &Settings, trace: Trace, took_ms: i64) -> TestLoad {
    let sent = match settings {
        Settings::Feed(feed) => feed::masked(&feed.auth),
        Settings::Sheet(_) => Vec::new(),
    };
    let robot = match settings {
        Settings::Feed(_) => None,
        Settings::Sheet(sheet) => sheet.robot.clone(),
    };
    let arrays = trace.arrays.into_iter();
    TestLoad {
        fault: None,
        url: trace.url,
        headers: sent.into_iter().map(|(name, value)| SentHeader { name, value }).collect(),
        status: trace.status,
        content_type: trace.content_type,
        took_ms,
        bytes: trace.bytes as i64,
        raw: trace.raw,
        rows: 0,
        more: trace.more,
        sample: Vec::new(),
        refused: 0,
        arrays: arrays.map(|(path, rows)| FoundArray { path, rows: rows as i64 }).collect(),
        keys: trace.keys,
        mapping: None,
        robot,
        proof: None,
    }
}

/// Reads the rows as an import would.
fn show(told: &mut TestLoad, loaded: &Loaded, settings: &Settings, caller: &Caller) {
    let Some(region) = Region::of(settings.region()) else { return };
    let Ok(places) = loaded.mapping.places(&loaded.columns) else { return };
    let body = &loaded.start[(loaded.data_byte as usize).min(loaded.start.len())..];
    let is_whole = loaded.bytes == loaded.start.len() as u64;
    let rows = file::cut(body, loaded.format, loaded.data_line, usize::MAX, is_whole).rows;
    // Beyond the part that is looked at, rows are counted as they were read.
    told.rows = (rows.len() as i64).max(loaded.rows as i64);
    told.more |= !is_whole;
    let strict = matches!(settings, Settings::Feed(_));
    for (at, row) in rows.iter().enumerate() {
        let read = contact::read_from(row, &places, region, strict);
        told.refused += i64::from(read.is_err());
        if at < SHOWN_ROWS {
            told.sample.push(shown(row, &places, read, caller));
        }
    }
}

fn shown(
    row: &Row,
    places: &crate::mapping::Places,
    read: std::result::Result<contact::Candidate, Reason>,
    caller: &Caller,
) -> TestRow {
    let cell = |at: Option<usize>| at.and_then(|at| row.cells.get(at)).cloned().unwrap_or_default();
    let written: Vec<String> = places.phone.iter().map(|at| cell(Some(*at))).collect();
    let variables = places.variables.iter();
    let variables = variables
        .map(|(at, key)| (key.clone(), cell(Some(*at))))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let (phones, problem) = match read {
        Ok(contact) => {
            let phones = contact.phones.iter().map(|phone| phone.number.as_str().to_owned());
            (phones.collect(), None)
        }
        Err(reason) => (Vec::new(), Some(reason.sentence(caller.locale).to_owned())),
    };
    TestRow {
        line: row.line as i64,
        id: cell(places.id),
        name: cell(places.name),
        phones,
        written: written.join(" "),
        zone: Some(cell(places.zone)).filter(|zone| !zone.is_empty()),
        variables,
        problem,
    }
}
