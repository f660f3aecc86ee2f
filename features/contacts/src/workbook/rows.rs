//! A sheet as the file that an import takes.

use std::io::Read;

use quick_xml::events::BytesStart;

use super::{
    Fault,
    part::{Part, Piece, attribute},
    strings::Strings,
    styles::Styles,
    value::{self, Kind, Text},
};
use crate::{LARGEST_FILE, contact::LONGEST_VALUE, file::MOST_COLUMNS};

/// Rows that a spreadsheet has at most.
const MOST_ROWS: u64 = 1_048_576;
/// Bytes of a piece.
const PIECE: usize = 256 * 1024;

/// Writes the rows of a sheet; see [`super::Book::convert`].
pub(super) fn convert<R: Read>(
    part: &mut Part<R>,
    strings: &Strings,
    styles: &Styles,
    write: impl FnMut(Vec<u8>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let mut file = File { write, piece: Vec::new(), bytes: 0, line: 0, rows: 0 };
    let mut row = Row::default();
    let mut is_sheet = false;
    loop {
        match part.next()? {
            Piece::Start(tag) => match tag.local_name().as_ref() {
                b"worksheet" => is_sheet = true,
                b"row" => row.begin(&tag)?,
                b"c" => row.cell(&tag),
                name => row.text.enter(name),
            },
            Piece::End(tag) => match tag.local_name().as_ref() {
                b"c" => row.end_cell(strings, styles),
                b"row" => file.row(&mut row)?,
                b"sheetData" => break,
                name => row.text.leave(name),
            },
            Piece::Text(more) => row.text.push(&more),
            Piece::Other => {}
            Piece::Eof if is_sheet => break,
            Piece::Eof => return Err(Fault::NotAWorkbook),
        }
    }
    file.end()
}

/// The row that goes by.
#[derive(Default)]
struct Row {
    /// From 1.
    number: u64,
    cells: Vec<String>,
    /// The place of the next cell that does not say its own.
    column: usize,
    kind: Option<Kind>,
    style: usize,
    text: Text,
}

impl Row {
    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        let told = attribute(tag, "r").and_then(|r| r.trim().parse().ok());
        let number = told.unwrap_or(self.number + 1);
        if number <= self.number {
            return Err(Fault::NotAWorkbook);
        }
        if number > MOST_ROWS {
            return Err(Fault::TooLarge);
        }
        self.number = number;
        self.column = 0;
        self.cells.clear();
        Ok(())
    }

    fn cell(&mut self, tag: &BytesStart<'_>) {
        (self.kind, self.style) = (Some(Kind::of(b"n")), 0);
        self.text.clear();
        // There are millions of cells: they are looked at once, and nothing is made of them.
        let mut all = tag.attributes();
        all.with_checks(false);
        for one in all.flatten() {
            match one.key.as_ref() {
                b"r" => self.column = column(&one.value).unwrap_or(self.column),
                b"s" => self.style = number(&one.value).unwrap_or_default(),
                b"t" => self.kind = Some(Kind::of(&one.value)),
                _ => {}
            }
        }
    }

    fn end_cell(&mut self, strings: &Strings, styles: &Styles) {
        // What does not fit comes into the column behind the last, which says that it is one too
        // many.
        let place = self.column.min(MOST_COLUMNS);
        self.column += 1;
        let Some(kind) = self.kind.take() else { return };
        let value = value::read(self.text.as_str(), kind, self.style, strings, styles);
        if value.trim().is_empty() {
            return;
        }
        if self.cells.len() <= place {
            self.cells.resize(place + 1, String::new());
        }
        self.cells[place] = value.into_owned();
    }
}

/// The place of a cell like `AB12`, from 0.
fn column(name: &[u8]) -> Option<usize> {
    let letters = name.iter().take_while(|byte| byte.is_ascii_alphabetic());
    let number = letters.fold(0_usize, |sum, letter| {
        let value = letter.to_ascii_uppercase() - b'A' + 1;
        sum.saturating_mul(26).saturating_add(value.into())
    });
    number.checked_sub(1)
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// The file on its way: CSV, a row on the line of its number.
struct File<W> {
    write: W,
    piece: Vec<u8>,
    bytes: u64,
    line: u64,
    rows: u64,
}

impl<W: FnMut(Vec<u8>) -> Result<(), Fault>> File<W> {
    fn row(&mut self, row: &mut Row) -> Result<(), Fault> {
        if row.cells.is_empty() {
            return Ok(());
        }
        while self.line + 1 < row.number {
            self.line += 1;
            self.piece.push(b'\n');
        }
        for (place, cell) in row.cells.iter().enumerate() {
            if place > 0 {
                self.piece.push(b',');
            }
            push_cell(&mut self.piece, cell);
        }
        self.piece.push(b'\n');
        self.line += 1;
        self.rows += 1;
        row.cells.clear();
        if self.piece.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.bytes += self.piece.len() as u64;
        if self.bytes > LARGEST_FILE {
            return Err(Fault::TooLarge);
        }
        (self.write)(std::mem::take(&mut self.piece))
    }

    fn end(mut self) -> Result<u64, Fault> {
        if !self.piece.is_empty() {
            self.flush()?;
        }
        Ok(self.rows)
    }
}

/// A cell between quotation marks, on one line: a line end within it becomes the separator of lines
/// that is no line end of a file.
fn push_cell(piece: &mut Vec<u8>, cell: &str) {
    piece.push(b'"');
    let mut last = ' ';
    for c in cell.trim().chars().take(LONGEST_VALUE + 1) {
        match c {
            '"' => piece.extend_from_slice(b"\"\""),
            '\n' if last == '\r' => {}
            '\r' | '\n' => piece.extend_from_slice("\u{2028}".as_bytes()),
            c => piece.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        last = c;
    }
    piece.push(b'"');
}
