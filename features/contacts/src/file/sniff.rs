//! Guessing how a file is written from its first rows.

use serde::{Deserialize, Serialize};

use super::{BOM, Encoding, cut};
use crate::aliases;

/// What stands between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) enum Delimiter {
    /// `,`
    #[serde(rename = ",")]
    Comma,
    /// `;`, what spreadsheets write where the comma divides decimals.
    #[serde(rename = ";")]
    Semicolon,
    /// A tab.
    #[serde(rename = "\t")]
    Tab,
}

impl Delimiter {
    /// Every delimiter, the likeliest first.
    pub(crate) const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    /// The byte in the file.
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Tab => "\t",
        }
    }

    /// The delimiter of a stored text.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delimiter| delimiter.as_str() == text)
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// Its encoding.
    pub(crate) encoding: Encoding,
    /// Its delimiter.
    pub(crate) delimiter: Delimiter,
    /// Whether the first row names the columns.
    pub(crate) has_header: bool,
    /// Where the first row begins: behind a byte order mark and a spreadsheet's `sep=` line.
    pub(crate) first_byte: usize,
}

/// Guesses the format of a file from its `start`; the encoding was told while it streamed by.
/// `is_whole` says that the file has no more.
pub(crate) fn sniff(start: &[u8], encoding: Encoding, is_whole: bool) -> Format {
    let mut first_byte = if start.starts_with(BOM) { BOM.len() } else { 0 };
    let mut delimiter = None;
    if let Some((separator, length)) = separator_line(&start[first_byte..]) {
        delimiter = Some(separator);
        first_byte += length;
    }
    let delimiter = delimiter.unwrap_or_else(|| {
        // The last of several equals would win; the likeliest must.
        Delimiter::ALL
            .into_iter()
            .rev()
            .max_by_key(|delimiter| score(start, encoding, *delimiter, first_byte, is_whole))
            .unwrap_or(Delimiter::Comma)
    });
    let mut format = Format { encoding, delimiter, has_header: false, first_byte };
    format.has_header = has_header(start, format, is_whole);
    format
}

/// The format of a file that the rows of a sheet were written to: whether the first names the
/// columns is all that is to be guessed.
pub(crate) fn of_table(start: &[u8], is_whole: bool) -> Format {
    let mut format = Format {
        encoding: Encoding::Utf8,
        delimiter: Delimiter::Comma,
        has_header: false,
        first_byte: 0,
    };
    format.has_header = has_header(start, format, is_whole);
    format
}

/// The `sep=;` line with which a spreadsheet announces the delimiter, and its length.
fn separator_line(start: &[u8]) -> Option<(Delimiter, usize)> {
    let line = start.split(|byte| *byte == b'\n').next()?;
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let delimiter = Delimiter::of(text.strip_prefix("sep=")?)?;
    Some((delimiter, (line.len() + 1).min(start.len())))
}

/// How much like a table the file is with `delimiter`: rows that agree on the number of cells, and
/// how many cells.
fn score(
    start: &[u8],
    encoding: Encoding,
    delimiter: Delimiter,
    first_byte: usize,
    is_whole: bool,
) -> (usize, usize) {
    let format = Format { encoding, delimiter, has_header: false, first_byte };
    let rows = cut(&start[first_byte..], format, 0, 50, is_whole).rows;
    let widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    let Some(first) = widths.first().copied().filter(|width| *width > 1) else { return (0, 0) };
    let agreeing = widths.iter().filter(|width| **width == first).count();
    (agreeing * 100 / widths.len(), first)
}

/// A first row names the columns when one of its cells is a usual name of a column, or when it has
/// no digits in a column that has a long number below.
fn has_header(start: &[u8], format: Format, is_whole: bool) -> bool {
    let rows = cut(&start[format.first_byte..], format, 0, 10, is_whole).rows;
    let Some((first, below)) = rows.split_first() else { return false };
    if first.cells.iter().any(|cell| aliases::meaning(cell).is_some()) {
        return true;
    }
    let digits = |cell: &str| cell.bytes().filter(u8::is_ascii_digit).count();
    !first.cells.iter().any(|cell| digits(cell) >= 7)
        && (0..first.cells.len()).any(|column| {
            !first.cells[column].is_empty()
                && digits(&first.cells[column]) == 0
                && below
                    .iter()
                    .any(|row| row.cells.get(column).is_some_and(|cell| digits(cell) >= 7))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alo_10_the_delimiter_is_the_one_that_makes_a_table() {
        for (text, delimiter, has_header) in [
            ("id,phone,name\n1,0931234567,Olena\n", Delimiter::Comma, true),
            ("id;phone;name\n1;0931234567;\"Гудзь, Олена\"\n", Delimiter::Semicolon, true),
            ("id\tphone\tname\n1\t0931234567\tА; Б, В\n", Delimiter::Tab, true),
            ("0931234567\n0671234567\n", Delimiter::Comma, false),
            ("phone\n0931234567\n", Delimiter::Comma, true),
            ("1;0931234567;Олена\n2;0671234567;Іван\n", Delimiter::Semicolon, false),
            ("Клієнтська база;Куди\n1;0931234567\n", Delimiter::Semicolon, true),
            ("", Delimiter::Comma, false),
        ] {
            let format = sniff(text.as_bytes(), Encoding::Utf8, true);
            assert_eq!((format.delimiter, format.has_header), (delimiter, has_header), "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_a_sep_line_are_not_data() {
        let text = "\u{FEFF}sep=;\r\nphone;name\r\n0931234567;a,b,c\r\n";
        let format = sniff(text.as_bytes(), Encoding::Utf8, true);
        assert_eq!(format.delimiter, Delimiter::Semicolon);
        assert_eq!(&text.as_bytes()[format.first_byte..][..5], b"phone");
        assert!(format.has_header);
    }
}
