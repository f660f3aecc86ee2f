//! Cutting a piece of a file into rows.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::Format;
use crate::reason::Reason;

/// A row may have so many bytes; a longer one has a quotation mark left open.
pub(crate) const LONGEST_ROW: usize = 64 * 1024;

/// One row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The physical line on which it begins, from 1.
    pub(crate) line: u64,
    /// Decoded, trimmed cells, without control characters but line feeds.
    pub(crate) cells: Vec<String>,
    /// Why the row as a whole is unusable; the cells are then for a person to look at.
    pub(crate) fault: Option<Reason>,
}

/// What a piece of a file yielded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The rows, at most as many as were asked for.
    pub(crate) rows: Vec<Row>,
    /// Bytes of the piece that they and the blank lines before them took.
    pub(crate) bytes: usize,
    /// Line ends in those bytes.
    pub(crate) lines: u64,
}

/// Cuts up to `most` rows off `piece`, whose first byte begins the line after `line_before`.
///
/// A row that does not end within the piece is left for the next one, unless `is_last`; pieces must
/// therefore be longer than [`LONGEST_ROW`]. A row longer than that is given up as
/// [`Reason::RowTooLong`], and reading goes on behind its first line.
pub(crate) fn cut(
    piece: &[u8],
    format: Format,
    line_before: u64,
    most: usize,
    is_last: bool,
) -> Cut {
    let mut cutter = Cutter::new(piece, format, line_before, is_last);
    let mut rows = Vec::new();
    while rows.len() < most {
        cutter.skip_blank_lines();
        let Some(row) = cutter.next() else { break };
        rows.push(row);
    }
    cutter.skip_blank_lines();
    cutter.count_lines();
    Cut { rows, bytes: cutter.at, lines: cutter.line - line_before }
}

struct Cutter<'a> {
    piece: &'a [u8],
    format: Format,
    is_last: bool,
    /// Start of the next row.
    at: usize,
    /// Line ends before here are in `line`.
    counted: usize,
    line: u64,
    /// Its table is made once for a piece: to make it takes longer than to read a row.
    reader: Reader,
    /// The cells of the row that was read last, without their quotation marks.
    text: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

/// Cells of a row that there is room for at first.
const USUAL_CELLS: usize = 64;

impl<'a> Cutter<'a> {
    fn new(piece: &'a [u8], format: Format, line: u64, is_last: bool) -> Self {
        let reader = ReaderBuilder::new().delimiter(format.delimiter.byte()).build();
        // What is left of a row without its marks is never longer than the row.
        let (text, ends) = (vec![0; LONGEST_ROW], vec![0; USUAL_CELLS]);
        Self { piece, format, is_last, at: 0, counted: 0, line, reader, text, ends }
    }

    fn skip_blank_lines(&mut self) {
        while let Some(byte @ (b'\r' | b'\n')) = self.piece.get(self.at) {
            // A line feed in the next piece may belong to it.
            if *byte == b'\r' && self.at + 1 == self.piece.len() && !self.is_last {
                break;
            }
            self.at += 1;
        }
    }

    fn count_lines(&mut self) {
        let range = self.counted..self.at;
        self.line += line_ends(self.piece, range);
        self.counted = self.at;
    }

    fn next(&mut self) -> Option<Row> {
        let rest = &self.piece[self.at..];
        if rest.is_empty() {
            return None;
        }
        // A record longer than the longest is never read to its end.
        let window = &rest[..rest.len().min(LONGEST_ROW)];
        let whole_rest = self.is_last && window.len() == rest.len();
        self.count_lines();
        let line = self.line + 1;
        if let Some((length, cells)) = self.record(window)
            && (length < window.len() || whole_rest)
        {
            self.at += length;
            return Some(self.row(line, cells));
        }
        if window.len() < LONGEST_ROW {
            // The rest of the row comes with the next piece; at the end of the file there is none.
            if self.is_last {
                self.at = self.piece.len();
            }
            return None;
        }
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.at += end;
        let shown = self.format.encoding.decode(&rest[..end.min(1024)]).0;
        Some(Row { line, cells: vec![clean(&shown)], fault: Some(Reason::RowTooLong) })
    }

    /// Reads the record with which `window` begins: its length in bytes and how many cells it has.
    fn record(&mut self, window: &[u8]) -> Option<(usize, usize)> {
        self.reader.reset();
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            let (result, bytes, text, ends) = self.reader.read_record(
                &window[read..],
                &mut self.text[written..],
                &mut self.ends[ended..],
            );
            (read, written, ended) = (read + bytes, written + text, ended + ends);
            match result {
                // Nothing more comes: the reader learns that from the empty slice.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Some((read, ended)),
                ReadRecordResult::End => return None,
            }
        }
    }

    /// The row whose cells were read last.
    fn row(&self, line: u64, cells: usize) -> Row {
        let (mut fault, mut start) = (None, 0);
        let cells = self.ends[..cells]
            .iter()
            .map(|end| {
                let cell = &self.text[std::mem::replace(&mut start, *end)..*end];
                let (text, right) = self.format.encoding.decode(cell);
                if !right {
                    fault = Some(Reason::BadEncoding);
                }
                clean(&text)
            })
            .collect();
        Row { line, cells, fault }
    }
}

/// Line feeds, and carriage returns that no line feed follows.
fn line_ends(bytes: &[u8], range: Range<usize>) -> u64 {
    range
        .filter(|&at| match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        })
        .count() as u64
}

/// Without the control characters that databases and pages choke on, and trimmed.
fn clean(text: &str) -> String {
    let text = text.trim().trim_matches('\u{FEFF}');
    // A line end within a cell of a sheet comes as the separator of lines, for a row of a sheet is
    // one line.
    if text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{2028}') {
        text.replace("\r\n", "\n")
            .chars()
            .map(|c| match c {
                '\t' | '\r' => ' ',
                '\u{2028}' => '\n',
                c => c,
            })
            .filter(|c| !c.is_control() || *c == '\n')
            .collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::file::{Delimiter, Encoding};

    const FORMAT: Format = Format {
        encoding: Encoding::Utf8,
        delimiter: Delimiter::Comma,
        has_header: false,
        first_byte: 0,
    };

    fn cells(row: &Row) -> Vec<&str> {
        row.cells.iter().map(String::as_str).collect()
    }

    #[test]
    fn rows_know_the_line_they_begin_on_whatever_the_line_ends() {
        let text = "a,b\r\n\r\n\"two\r\nlines\",d\ne,f\n\n";
        let cut = cut(text.as_bytes(), FORMAT, 0, 10, true);
        let seen: Vec<_> = cut.rows.iter().map(|row| (row.line, cells(row))).collect();
        assert_eq!(seen, [(1, vec!["a", "b"]), (3, vec!["two\nlines", "d"]), (5, vec!["e", "f"])]);
        assert_eq!((cut.bytes, cut.lines), (text.len(), 6));
    }

    #[test]
    fn a_quotation_mark_left_open_costs_one_row() {
        let mut text = "1,\"open\n".to_owned();
        for n in 2..10_000 {
            text.push_str(&format!("{n},value\n"));
        }
        let cut = cut(text.as_bytes(), FORMAT, 0, usize::MAX, true);
        assert_eq!(cut.rows[0].fault, Some(Reason::RowTooLong));
        assert_eq!(cut.rows.len(), 9_999);
        assert_eq!(cells(&cut.rows[9_998]), ["9999", "value"]);
        assert_eq!(cut.rows[9_998].line, 9_999);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_their_row_only() {
        let cut = cut(b"a,\xFF\nb,c\n", FORMAT, 0, 10, true);
        assert_eq!(cut.rows[0].fault, Some(Reason::BadEncoding));
        assert_eq!(cut.rows[1].fault, None);
    }

    #[test]
    fn control_characters_do_not_get_through() {
        let cut = cut(b"a\0b,\x07,\"x\ty\"\n", FORMAT, 0, 10, true);
        assert_eq!(cells(&cut.rows[0]), ["ab", "", "x y"]);
    }

    /// A row is never looked for beyond its longest length, whatever the file is made of.
    #[test]
    fn hostile_files_are_cut_within_their_bounds() {
        for (text, rows) in [
            // Nothing but marks, delimiters or line ends; one line without an end.
            ("\"".repeat(300_000), 5),
            (",".repeat(300_000), 1),
            ("\n".repeat(300_000), 0),
            ("\r".repeat(300_000), 0),
            ("x".repeat(300_000), 1),
            ("\"\n".repeat(1_000), 501),
        ] {
            let cut = cut(text.as_bytes(), FORMAT, 0, usize::MAX, true);
            assert_eq!(cut.bytes, text.len());
            assert!(cut.rows.len() <= rows, "{} of {:?}", cut.rows.len(), &text[..2]);
            let cells: usize = cut.rows.iter().map(|row| row.cells.len()).sum();
            let kept: usize = cut.rows.iter().flat_map(|row| &row.cells).map(String::len).sum();
            assert!(cells <= LONGEST_ROW * rows.max(1) && kept <= LONGEST_ROW * rows.max(1));
        }
    }

    proptest! {
        /// However a file is divided into pieces, the rows are the same and none is lost.
        #[test]
        fn pieces_do_not_change_the_rows(
            text in "[a-c,\"\r\nї]{0,200}",
            most in 1_usize..4,
        ) {
            let whole = cut(text.as_bytes(), FORMAT, 0, usize::MAX, true);
            let (mut at, mut line, mut rows) = (0, 0, Vec::new());
            while at < text.len() {
                let part = cut(&text.as_bytes()[at..], FORMAT, line, most, true);
                prop_assert!(part.bytes > 0);
                at += part.bytes;
                line += part.lines;
                rows.extend(part.rows);
            }
            prop_assert_eq!(rows, whole.rows);
        }

        #[test]
        fn any_bytes_are_cut_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            is_last: bool,
        ) {
            for encoding in [Encoding::Utf8, Encoding::Windows1251] {
                for delimiter in Delimiter::ALL {
                    let format = Format { encoding, delimiter, ..FORMAT };
                    let cut = cut(&bytes, format, 0, usize::MAX, is_last);
                    prop_assert!(cut.bytes <= bytes.len());
                    prop_assert!(!is_last || cut.bytes == bytes.len());
                }
            }
        }
    }
}
