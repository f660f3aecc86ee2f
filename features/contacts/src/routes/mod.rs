//! The endpoints of contacts, and the shapes that they answer with.

pub(crate) mod contacts;
pub(crate) mod do_not_call;
pub(crate) mod imports;
pub(crate) mod lists;
pub(crate) mod rejected;
pub(crate) mod sources;
pub(crate) mod template;
pub(crate) mod test_load;
pub(crate) mod upload;
pub(crate) mod workbook;

use http_kit::{Problem, Time};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    file::{Delimiter, Encoding},
    mapping::Mapping,
    problems::ContactProblem,
    store::{
        imports::{Counts, ImportRow},
        lists::ListRow,
    },
};

/// A contact list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ContactList {
    pub(crate) id: String,
    /// Unique in the account, whatever the case of its letters.
    pub(crate) name: String,
    /// People in the list.
    pub(crate) contacts: i64,
    /// Their numbers.
    pub(crate) numbers: i64,
    /// Numbers among these that may not be called.
    pub(crate) do_not_call: i64,
    pub(crate) created_at: Time,
    /// When its name or its people last changed.
    pub(crate) updated_at: Time,
    /// The newest import, also while it runs; absent in the list of all lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_import: Option<Import>,
}

impl From<ListRow> for ContactList {
    fn from(row: ListRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            contacts: row.contacts,
            numbers: row.numbers,
            do_not_call: row.do_not_call,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_import: None,
        }
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportState {
    /// The file is arriving.
    Previewing,
    /// Waits for a mapping and for the start; given up after a day.
    Ready,
    /// Rows are being taken.
    Running,
    /// Every row was looked at.
    Done,
    /// Ended by a person; what was committed stays.
    Cancelled,
    /// Ended by a problem; what was committed stays.
    Failed,
}

/// Figures of an import.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct ImportCounts {
    /// Rows looked at.
    pub(crate) rows: i64,
    /// New contacts.
    pub(crate) added: i64,
    /// Known contacts that were brought up to date.
    pub(crate) updated: i64,
    /// Known contacts that were up to date.
    pub(crate) unchanged: i64,
    /// Rows about the same contact as an earlier row of the file.
    pub(crate) duplicates: i64,
    /// Rows that could not be taken.
    pub(crate) rejected: i64,
    /// Rows that were taken, but for a further phone number that could not be read.
    pub(crate) warnings: i64,
    /// Rows in the file of rejected rows: duplicates, rejected and warnings, at most 10,000.
    pub(crate) kept: i64,
}

impl From<Counts> for ImportCounts {
    fn from(counts: Counts) -> Self {
        let Counts { rows, added, updated, unchanged, duplicates, rejected, warnings, kept } =
            counts;
        Self { rows, added, updated, unchanged, duplicates, rejected, warnings, kept }
    }
}

/// Why an import failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ImportProblem {
    /// One of the codes of errors.
    pub(crate) code: String,
}

/// One load of a file into a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Import {
    pub(crate) id: String,
    /// The list.
    pub(crate) list: String,
    pub(crate) state: ImportState,
    /// `csv`, `xlsx`, `sheet` or `feed`.
    pub(crate) source: String,
    /// The file's name on the person's computer, or the name of the source.
    pub(crate) filename: String,
    /// The sheets of a workbook, in their order; none of a text.
    pub(crate) sheets: Vec<String>,
    /// The sheet that is read; the first that has rows, until changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sheet: Option<String>,
    /// Guessed, until changed. Of no meaning for a workbook.
    pub(crate) encoding: Encoding,
    /// Guessed, until changed.
    pub(crate) delimiter: Delimiter,
    /// Guessed, until changed.
    pub(crate) has_header: bool,
    /// The names of the columns, each different; a number where the file gives none.
    pub(crate) columns: Vec<String>,
    /// Up to 20 rows, each with a cell per column; empty once the import has started.
    pub(crate) sample: Vec<Vec<String>>,
    /// Suggested, until started.
    pub(crate) mapping: Mapping,
    /// When the suggested mapping and region were last used, for a file with the same heads; absent
    /// when they are a guess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preset_at: Option<Time>,
    /// The country of numbers without an international prefix, ISO 3166-1; suggested, until
    /// started. Empty when it must be chosen.
    pub(crate) region: String,
    pub(crate) counts: ImportCounts,
    /// Bytes of the file that were taken.
    pub(crate) done: i64,
    /// Bytes of the file.
    pub(crate) total: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<ImportProblem>,
    pub(crate) created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Time>,
}

impl From<ImportRow> for Import {
    fn from(row: ImportRow) -> Self {
        let state = state_of(&row.state);
        let is_open = matches!(state, ImportState::Previewing | ImportState::Ready);
        Self {
            id: row.id.to_string(),
            list: row.list.to_string(),
            state,
            source: row.source,
            filename: row.filename,
            sheets: row.sheets,
            sheet: row.sheet,
            encoding: row.encoding,
            delimiter: row.delimiter,
            has_header: row.has_header,
            columns: row.columns,
            sample: if is_open { row.sample } else { Vec::new() },
            mapping: row.mapping,
            preset_at: row.preset_at.map(Time),
            region: row.region,
            counts: row.counts.into(),
            done: if is_open { 0 } else { row.next_byte },
            total: row.bytes,
            problem: row.problem.map(|code| ImportProblem { code }),
            created_at: row.created_at.into(),
            started_at: row.started_at.map(Time),
            finished_at: row.finished_at.map(Time),
        }
    }
}

fn state_of(stored: &str) -> ImportState {
    match stored {
        "previewing" => ImportState::Previewing,
        "ready" => ImportState::Ready,
        "running" => ImportState::Running,
        "done" => ImportState::Done,
        "cancelled" => ImportState::Cancelled,
        // Also a state of a later version.
        _ => ImportState::Failed,
    }
}

/// 404 with a code of its own in place of the common one.
pub(crate) fn or(problem: ContactProblem) -> impl FnOnce(db::Error) -> Problem {
    move |error| if error == db::Error::NotFound { problem.into() } else { error.into() }
}
