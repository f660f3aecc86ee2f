//! A workbook that has arrived becomes the file of one of its sheets.

use blob::Blob;
use http_kit::Result;
use tokio::{sync::mpsc, task};

use super::upload::{Arrived, Sink, disk};
use crate::{
    file,
    problems::ContactProblem,
    store::imports::Sheets,
    workbook::{Book, Fault},
};

/// Pieces of a sheet that may wait for the disk.
const WAITING: usize = 4;

/// Writes the rows of a sheet of the workbook under `packed` to `key`: the chosen one, or the first
/// that has any.
pub(crate) async fn unpack(
    state: &crate::State,
    packed: &str,
    key: &str,
    chosen: Option<usize>,
) -> Result<Arrived> {
    let blob = &state.handles.blob;
    let turn = std::sync::Arc::clone(&state.unpacking).acquire_owned().await.map_err(disk)?;
    let (send, mut pieces) = mpsc::channel(WAITING);
    let open = open(blob, packed)?;
    let work = task::spawn_blocking(move || {
        // Held for as long as the memory is, also when nobody waits for the rows any more.
        let _turn = turn;
        let mut book = Book::open(open()?)?;
        let write = |piece| send.blocking_send(piece).map_err(|_| Fault::Stopped);
        let chosen = match chosen {
            Some(sheet) => book.convert(sheet, write).map(|_| sheet)?,
            None => book.convert_first(write)?,
        };
        Ok(Sheets { names: book.sheets(), chosen })
    });
    let mut sink = Sink::create(state, key).await?;
    while let Some(piece) = pieces.recv().await {
        sink.write(piece.into()).await?;
    }
    // A file that broke the reader is as little a workbook as one that it refuses.
    let read: Result<Sheets, Fault> = work.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a workbook broke its reader");
        Err(Fault::NotAWorkbook)
    });
    let book = read.map_err(problem)?;
    let (start, bytes) = sink.finish().await?;
    let format = file::of_table(&start, bytes == start.len() as u64);
    Ok(Arrived { key: key.to_owned(), bytes, start, format, book: Some(book) })
}

/// Opens the file on the thread that reads it.
fn open(
    blob: &Blob,
    key: &str,
) -> Result<impl FnOnce() -> Result<std::fs::File, Fault> + Send + use<>> {
    let path = blob.path(key).map_err(disk)?;
    Ok(move || std::fs::File::open(path).map_err(|_| Fault::NotAWorkbook))
}

/// Why no rows can be read, in words.
pub(crate) fn problem(fault: Fault) -> ContactProblem {
    match fault {
        Fault::OtherKind => ContactProblem::ImportSpreadsheet,
        Fault::Encrypted => ContactProblem::ImportEncrypted,
        Fault::NotAWorkbook | Fault::Stopped => ContactProblem::ImportNotAWorkbook,
        Fault::TooLarge => ContactProblem::ImportWorkbookTooLarge,
        Fault::NoSheet => ContactProblem::ImportNoSheet,
    }
}

/// Looks in a compound file, which may be an old workbook, for what a spreadsheet puts into one
/// when a password protects a new one.
#[derive(Default)]
pub(crate) struct Search {
    tail: Vec<u8>,
    found: bool,
}

impl Search {
    /// Takes in the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        let wanted: Vec<u8> =
            "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.tail.extend_from_slice(piece);
        self.found |= self.tail.windows(wanted.len()).any(|window| window == wanted);
        let kept = self.tail.len().saturating_sub(wanted.len() - 1);
        self.tail.drain(..kept);
    }

    /// What is wrong with the file.
    pub(crate) fn verdict(&self) -> ContactProblem {
        problem(if self.found { Fault::Encrypted } else { Fault::OtherKind })
    }
}
