//! The first look at a file: its columns, a sample, and where its rows begin.

use super::{Format, cut};

/// Rows that a person sees before an import starts.
const SAMPLE_ROWS: usize = 20;
/// Characters of a cell that the sample keeps.
const SAMPLE_CELL: usize = 200;
/// The part of a file that is looked at before an import starts, in bytes.
pub(crate) const LOOK: usize = 256 * 1024;

/// A wider table is not a list of contacts, and its preview would not be seen whole.
pub(crate) const MOST_COLUMNS: usize = 200;

/// The first look at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Names of the columns; empty texts where the file has no header.
    pub(crate) columns: Vec<String>,
    /// Up to 20 rows, each with a cell for every column.
    pub(crate) sample: Vec<Vec<String>>,
    /// Byte of the file at which the first row behind the header begins.
    pub(crate) data_byte: u64,
    /// Lines before that byte.
    pub(crate) data_line: u64,
}

/// Looks at the `start` of a file written in `format`. `None` when there is no row at all, or more
/// than 200 columns. `is_whole` says that the file has no more.
pub(crate) fn preview(start: &[u8], format: Format, is_whole: bool) -> Option<Preview> {
    let lines_skipped = start[..format.first_byte].split(|b| *b == b'\n').count() as u64 - 1;
    let body = &start[format.first_byte..];
    let (header, header_bytes, header_lines) = if format.has_header {
        let mut cut = cut(body, format, lines_skipped, 1, is_whole);
        (cut.rows.pop()?.cells, cut.bytes, cut.lines)
    } else {
        (Vec::new(), 0, 0)
    };
    let data_line = lines_skipped + header_lines;
    let rows = cut(&body[header_bytes..], format, data_line, SAMPLE_ROWS, is_whole).rows;
    // A header says how many columns there are: a longer row has a delimiter out of place.
    let widest = || rows.iter().map(|row| row.cells.len()).max();
    let width = if format.has_header { header.len() } else { widest()? };
    if width == 0 || width > MOST_COLUMNS {
        return None;
    }
    let shorten = |cell: String| cell.chars().take(SAMPLE_CELL).collect::<String>();
    let fill = |mut cells: Vec<String>| {
        cells.resize(width, String::new());
        cells.into_iter().map(shorten).collect::<Vec<_>>()
    };
    Some(Preview {
        columns: fill(header),
        sample: rows.into_iter().map(|row| fill(row.cells)).collect(),
        data_byte: (format.first_byte + header_bytes) as u64,
        data_line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Encoding, sniff};

    #[test]
    fn alo_10_twenty_rows_are_shown_and_the_data_starts_behind_the_header() {
        let mut text = "sep=;\nid;phone\n".to_owned();
        for n in 0..30 {
            text.push_str(&format!("{n};09312345{n:02};more\n"));
        }
        let format = sniff(text.as_bytes(), Encoding::Utf8, true);
        let preview = preview(text.as_bytes(), format, true).unwrap();
        assert_eq!(preview.columns, ["id", "phone"]);
        assert_eq!(preview.sample.len(), 20);
        assert_eq!(preview.sample[0], ["0", "0931234500"]);
        assert_eq!(preview.data_line, 2);
        assert!(text[preview.data_byte as usize..].starts_with("0;09312345"));
    }

    #[test]
    fn an_empty_file_has_no_preview() {
        for text in ["", "\n\n", "\u{FEFF}"] {
            let format = sniff(text.as_bytes(), Encoding::Utf8, true);
            assert_eq!(preview(text.as_bytes(), format, true), None, "{text:?}");
        }
    }
}
