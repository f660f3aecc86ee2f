//! Telling the encoding of a file, and reading its cells.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1251;
use serde::{Deserialize, Serialize};

/// An encoding that files of contacts come in. In both, the bytes below 0x80 are ASCII, so that a
/// file is cut into rows and cells before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) enum Encoding {
    /// With or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What spreadsheets in Ukrainian, Russian and older Uzbek systems save.
    #[serde(rename = "windows-1251")]
    Windows1251,
}

impl Encoding {
    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1251 => "windows-1251",
        }
    }

    /// The encoding of a stored name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Windows1251].into_iter().find(|encoding| encoding.as_str() == name)
    }

    /// The text of `bytes`; the flag says that every byte meant something.
    pub(crate) fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Self::Utf8 => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(text) => (text.into(), true),
                Cow::Owned(text) => (text.into(), false),
            },
            Self::Windows1251 => (WINDOWS_1251.decode_without_bom_handling(bytes).0, true),
        }
    }
}

/// The byte order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Something that is not a text table in an encoding that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotText {
    /// XLSX, ODS or another ZIP archive, or an old binary XLS.
    Spreadsheet,
    /// UTF-16 or UTF-32.
    Utf16,
    /// Bytes that no text file has.
    Binary,
}

/// Refuses what is no text, by the first kilobytes of a file.
pub(crate) fn refuse_binary(start: &[u8]) -> Result<(), NotText> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Err(NotText::Spreadsheet);
    }
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        return Err(NotText::Utf16);
    }
    let zeros = start.split(|byte| *byte == 0).count() - 1;
    if zeros * 4 > start.len() {
        return Err(NotText::Utf16);
    }
    let odd = start.iter().filter(|byte| matches!(**byte, 0..=8 | 14..=26 | 28..=31)).count();
    if odd * 100 > start.len() { Err(NotText::Binary) } else { Ok(()) }
}

/// Tells UTF-8 from Windows-1251 while a file streams by, whatever the pieces it comes in.
///
/// A file counts as UTF-8 while its well-formed sequences of several bytes outnumber the broken
/// ones by ten: one broken row in a large file must not turn all others into gibberish, and
/// Cyrillic in Windows-1251 makes hardly any well-formed sequence.
#[derive(Debug, Default)]
pub(crate) struct Detector {
    tail: Vec<u8>,
    whole: u64,
    broken: u64,
}

impl Detector {
    /// Takes in the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        let joined;
        let mut rest = if self.tail.is_empty() {
            piece
        } else {
            joined = [std::mem::take(&mut self.tail).as_slice(), piece].concat();
            &joined[..]
        };
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.whole += sequences(text);
                    return;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.whole += std::str::from_utf8(good).map_or(0, sequences);
                    let Some(length) = error.error_len() else {
                        self.tail = bad.to_vec();
                        return;
                    };
                    self.broken += 1;
                    rest = &bad[length..];
                }
            }
        }
    }

    /// The verdict so far.
    pub(crate) const fn encoding(&self) -> Encoding {
        let broken = self.broken + !self.tail.is_empty() as u64;
        if broken == 0 || self.whole > broken * 10 { Encoding::Utf8 } else { Encoding::Windows1251 }
    }
}

fn sequences(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte >= 0xC0).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn detect(bytes: &[u8]) -> Encoding {
        let mut detector = Detector::default();
        detector.feed(bytes);
        detector.encoding()
    }

    #[test]
    fn alo_10_utf8_and_windows_1251_are_told_apart() {
        let text = "id;телефон;ім'я\n1;0931234567;Олена Ґудзь\n2;0671234567;Ярослав Їжак\n";
        let (cp1251, _, lossy) = WINDOWS_1251.encode(text);
        assert!(!lossy);
        assert_eq!(detect(text.as_bytes()), Encoding::Utf8);
        assert_eq!(detect(&cp1251), Encoding::Windows1251);
        assert_eq!(detect(b"id;phone\n1;0931234567\n"), Encoding::Utf8);
        assert_eq!(Encoding::Windows1251.decode(&cp1251).0, text);
    }

    #[test]
    fn one_broken_row_does_not_make_a_large_utf8_file_gibberish() {
        let mut bytes = "1;Олена\n".repeat(100).into_bytes();
        bytes.extend_from_slice(b"2;\xCE\xEB\n");
        assert_eq!(detect(&bytes), Encoding::Utf8);
        let (text, right) = Encoding::Utf8.decode(b"\xCE\xEB");
        assert!(!right, "{text}");
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        assert_eq!(refuse_binary(b"PK\x03\x04rest"), Err(NotText::Spreadsheet));
        assert_eq!(refuse_binary(b"\xFF\xFEi\0d\0"), Err(NotText::Utf16));
        assert_eq!(refuse_binary(b"i\0d\0;\0"), Err(NotText::Utf16));
        assert_eq!(refuse_binary(&[7; 100]), Err(NotText::Binary));
        assert_eq!(refuse_binary("id;телефон\r\n".as_bytes()), Ok(()));
        assert_eq!(refuse_binary(b""), Ok(()));
    }

    proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_the_pieces(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            text in "\\PC{0,60}",
            cut in 0_usize..200,
        ) {
            for bytes in [&bytes[..], text.as_bytes()] {
                let (one, two) = bytes.split_at(cut.min(bytes.len()));
                let mut detector = Detector::default();
                detector.feed(one);
                detector.feed(two);
                prop_assert_eq!(detector.encoding(), detect(bytes));
            }
            prop_assert_eq!(detect(text.as_bytes()), Encoding::Utf8);
        }
    }
}
