//! Telling the encoding of a file, and reading its cells.

use std::borrow::Cow;

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1251};
use serde::{Deserialize, Serialize};

/// An encoding that files of contacts come in. In the first two, the bytes below 0x80 are ASCII, so
/// that a file is cut into rows and cells before it is decoded; a file in one of the others is kept
/// as UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) enum Encoding {
    /// With or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// What spreadsheets in Ukrainian, Russian and older Uzbek systems save.
    #[serde(rename = "windows-1251")]
    Windows1251,
    /// With a byte order mark, as spreadsheets save “Unicode text”.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// The same, the higher byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    const ALL: [Self; 4] = [Self::Utf8, Self::Windows1251, Self::Utf16Le, Self::Utf16Be];

    /// Whether a file says by its byte order mark that it is written so, which leaves no choice.
    pub(crate) const fn is_certain(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }

    /// As stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1251 => "windows-1251",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    /// The encoding of a stored name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == name)
    }

    /// The text of `bytes` as they are kept; the flag says that every byte meant something.
    pub(crate) fn decode(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(text) => (text.into(), true),
                Cow::Owned(text) => (text.into(), false),
            },
            Self::Windows1251 => (WINDOWS_1251.decode_without_bom_handling(bytes).0, true),
        }
    }
}

/// The byte order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a file is by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text in UTF-8 or Windows-1251.
    Text,
    /// A text in UTF-16, by its byte order mark.
    Wide(Encoding),
    /// A ZIP archive, which a workbook is.
    Archive,
}

/// Something that no rows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotText {
    /// An old binary XLS, or what a spreadsheet wraps a workbook in that a password protects.
    Compound,
    /// UTF-16 without a byte order mark, or UTF-32.
    Utf16,
    /// Bytes that no text file has.
    Binary,
}

/// Tells what a file is by its first kilobytes.
pub(crate) fn kind(start: &[u8]) -> Result<Kind, NotText> {
    if start.starts_with(b"PK\x03\x04") {
        return Ok(Kind::Archive);
    }
    if start.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Err(NotText::Compound);
    }
    if start.starts_with(b"\xFF\xFE\0\0") {
        return Err(NotText::Utf16);
    }
    if start.starts_with(b"\xFF\xFE") {
        return Ok(Kind::Wide(Encoding::Utf16Le));
    }
    if start.starts_with(b"\xFE\xFF") {
        return Ok(Kind::Wide(Encoding::Utf16Be));
    }
    let zeros = start.split(|byte| *byte == 0).count() - 1;
    if zeros * 4 > start.len() {
        return Err(NotText::Utf16);
    }
    let odd = start.iter().filter(|byte| matches!(**byte, 0..=8 | 14..=26 | 28..=31)).count();
    if odd * 100 > start.len() { Err(NotText::Binary) } else { Ok(Kind::Text) }
}

/// Turns UTF-16 into the UTF-8 that is kept, whatever the pieces it comes in.
///
/// Half a character becomes a byte that UTF-8 does not have, so that its row is told from the others
/// as one in a wrong encoding.
pub(crate) struct Transcoder(Decoder);

impl Transcoder {
    /// For a file in `encoding`, whose byte order mark goes.
    pub(crate) fn new(encoding: Encoding) -> Self {
        let from = if encoding == Encoding::Utf16Be { UTF_16BE } else { UTF_16LE };
        Self(from.new_decoder_with_bom_removal())
    }

    /// The next piece in UTF-8; `is_last` says that the file ends with it.
    pub(crate) fn feed(&mut self, piece: &[u8], is_last: bool) -> Vec<u8> {
        let mut whole = Vec::new();
        let mut rest = piece;
        loop {
            let room = self.0.max_utf8_buffer_length_without_replacement(rest.len());
            let start = whole.len();
            whole.resize(start + room.unwrap_or(rest.len() * 3 + 16), 0);
            let (result, read, written) =
                self.0.decode_to_utf8_without_replacement(rest, &mut whole[start..], is_last);
            whole.truncate(start + written);
            rest = &rest[read..];
            match result {
                DecoderResult::Malformed(..) => whole.push(b'\xFF'),
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => return whole,
            }
        }
    }
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
    fn a_file_is_told_by_its_first_bytes() {
        assert_eq!(kind(b"PK\x03\x04rest"), Ok(Kind::Archive));
        assert_eq!(kind(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), Err(NotText::Compound));
        assert_eq!(kind(b"\xFF\xFEi\0d\0"), Ok(Kind::Wide(Encoding::Utf16Le)));
        assert_eq!(kind(b"\xFE\xFF\0i\0d"), Ok(Kind::Wide(Encoding::Utf16Be)));
        assert_eq!(kind(b"\xFF\xFE\0\0i\0\0\0"), Err(NotText::Utf16));
        assert_eq!(kind(b"i\0d\0;\0"), Err(NotText::Utf16));
        assert_eq!(kind(&[7; 100]), Err(NotText::Binary));
        assert_eq!(kind("id;телефон\r\n".as_bytes()), Ok(Kind::Text));
        assert_eq!(kind(b""), Ok(Kind::Text));
    }

    #[test]
    fn half_a_character_spoils_its_row_and_no_other() {
        let mut bytes = b"\xFF\xFE".to_vec();
        bytes.extend("Ї,".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.extend([0x3D, 0xD8]);
        bytes.extend("\n😀\n".encode_utf16().flat_map(u16::to_le_bytes));
        bytes.push(b'x');
        let kept = Transcoder::new(Encoding::Utf16Le).feed(&bytes, true);
        let mut rows = kept.split(|byte| *byte == b'\n');
        assert_eq!(rows.next().unwrap(), b"\xD0\x87,\xFF");
        assert_eq!(rows.next().unwrap(), "😀".as_bytes());
        assert_eq!(rows.next().unwrap(), b"\xFF");
        assert_eq!(rows.next(), None);
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

        #[test]
        fn utf_16_comes_out_the_same_whatever_the_pieces(
            text in "\\PC{0,60}",
            noise in prop::collection::vec(any::<u8>(), 0..100),
            cut in 0_usize..200,
            little: bool,
        ) {
            let encoding = if little { Encoding::Utf16Le } else { Encoding::Utf16Be };
            let order = if little { u16::to_le_bytes } else { u16::to_be_bytes };
            let right: Vec<u8> =
                std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(order).collect();
            for bytes in [&right[..], &noise] {
                let whole = Transcoder::new(encoding).feed(bytes, true);
                let (one, two) = bytes.split_at(cut.min(bytes.len()));
                let mut coder = Transcoder::new(encoding);
                let mut parts = coder.feed(one, false);
                parts.extend(coder.feed(two, true));
                prop_assert_eq!(&parts, &whole);
                // Bounded by what it came from.
                prop_assert!(whole.len() <= bytes.len() * 3 / 2 + 3);
            }
            prop_assert_eq!(Transcoder::new(encoding).feed(&right, true), text.into_bytes());
        }
    }
}
