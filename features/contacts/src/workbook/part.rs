//! A part of a workbook as XML whose tags and texts, depth and length are bounded while it is
//! unpacked.

use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read},
};

use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesEnd, BytesStart, Event},
};

use super::Fault;

/// Bytes of one tag or one text. A cell may hold 32,767 characters.
const LONGEST_PIECE: usize = 256 * 1024;
/// Tags within tags.
const DEEPEST: u32 = 64;

/// A part that is being read.
pub(super) struct Part<R> {
    reader: Reader<Bounded<BufReader<R>>>,
    piece: Vec<u8>,
    depth: u32,
}

/// What a part is made of.
pub(super) enum Piece<'a> {
    /// A tag opens. One that closes itself does both.
    Start(BytesStart<'a>),
    /// A tag closes.
    End(BytesEnd<'a>),
    /// Text, or a character that was written by its name or number.
    Text(Cow<'a, str>),
    /// A remark or an instruction.
    Other,
    /// The end of the part.
    Eof,
}

impl<R: Read> Part<R> {
    /// Reads what unpacks to at most `most` bytes.
    pub(super) fn new(entry: R, most: u64) -> Self {
        let bounded = Bounded { inner: BufReader::new(entry), piece: 0, part: most, over: false };
        let mut reader = Reader::from_reader(bounded);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, piece: Vec::new(), depth: 0 }
    }

    /// How many bytes more it might unpack to.
    pub(super) fn left(&self) -> u64 {
        self.reader.get_ref().part
    }

    /// The next piece.
    pub(super) fn next(&mut self) -> Result<Piece<'_>, Fault> {
        self.piece.clear();
        self.reader.get_mut().piece = LONGEST_PIECE;
        let event = match self.reader.read_event_into(&mut self.piece) {
            Ok(event) => event,
            Err(_) if self.reader.get_ref().over => return Err(Fault::TooLarge),
            Err(_) => return Err(Fault::NotAWorkbook),
        };
        Ok(match event {
            Event::Start(tag) | Event::Empty(tag) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(Fault::NotAWorkbook);
                }
                Piece::Start(tag)
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                Piece::End(tag)
            }
            Event::Text(text) => Piece::Text(lossy(text.into_inner())),
            Event::CData(text) => Piece::Text(lossy(text.into_inner())),
            Event::GeneralRef(name) => Piece::Text(if let Ok(Some(c)) = name.resolve_char_ref() {
                c.to_string().into()
            } else {
                let named = std::str::from_utf8(&name).ok().and_then(resolve_xml_entity);
                named.unwrap_or_default().into()
            }),
            // A type of its own is how entities are made that unfold without end.
            Event::DocType(_) => return Err(Fault::NotAWorkbook),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Piece::Other,
            Event::Eof => Piece::Eof,
        })
    }
}

fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}

/// The value of an attribute, whatever prefix its name has.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = tag.attributes();
    // Looking for the same name twice takes the square of their number.
    all.with_checks(false);
    let found = all.flatten().find(|a| a.key.local_name().as_ref() == name.as_bytes())?;
    let text = std::str::from_utf8(&found.value).ok()?;
    Some(quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Cow::into_owned))
}

/// A reader that breaks off where a piece or the whole is too long.
struct Bounded<R> {
    inner: R,
    /// Bytes that are left of the piece.
    piece: usize,
    /// Bytes that are left of the part.
    part: u64,
    /// A bound was met.
    over: bool,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let most = usize::try_from(self.part).unwrap_or(usize::MAX).min(self.piece);
        let ready = self.inner.fill_buf()?;
        if most == 0 && !ready.is_empty() {
            self.over = true;
            return Err(io::Error::other("longer than is read"));
        }
        Ok(&ready[..ready.len().min(most)])
    }

    fn consume(&mut self, length: usize) {
        self.inner.consume(length);
        self.piece = self.piece.saturating_sub(length);
        self.part = self.part.saturating_sub(length as u64);
    }
}
