//! One file per endpoint.

pub(super) mod file;
pub(super) mod kept;
pub(super) mod retention;
pub(super) mod waveform;

use base::{Id, kind};
use http_kit::{Caller, Problem, Result};

use super::{RecordingProblem, Shelf, store, store::RecordingRow};

/// The recording of a call of the caller's account.
async fn find(shelf: &Shelf, caller: &Caller, attempt: Id<kind::Attempt>) -> Result<RecordingRow> {
    let account = caller.account;
    let read = shelf
        .handles
        .db
        .read(move |tx| Box::pin(async move { store::get(tx, account, attempt).await }));
    read.await.map_err(or_missing)
}

/// What is not there becomes a sentence.
fn or_missing(error: db::Error) -> Problem {
    if matches!(error, db::Error::NotFound) {
        RecordingProblem::NotFound.into()
    } else {
        error.into()
    }
}
