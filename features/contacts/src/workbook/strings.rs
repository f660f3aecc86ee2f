//! The texts that the cells of a workbook share.

use std::io::Read;

use super::{
    Fault,
    part::{Part, Piece},
    value::{self, Text},
};

/// Bytes of the part, unpacked.
pub(super) const MOST_PART: u64 = 512 * 1024 * 1024;
/// Bytes of all texts in memory.
pub(super) const MOST_BYTES: usize = 96 * 1024 * 1024;
/// Texts; beside its bytes each takes four.
const MOST_TEXTS: usize = 8 * 1024 * 1024;

/// All texts behind each other, so that millions of short ones take no more than their bytes.
#[derive(Default)]
pub(super) struct Strings {
    bytes: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn read<R: Read>(mut part: Part<R>) -> Result<Self, Fault> {
        let mut all = Self::default();
        let mut text = Text::default();
        loop {
            match part.next()? {
                Piece::Start(tag) => match tag.local_name().as_ref() {
                    b"si" => text.clear(),
                    name => text.enter(name),
                },
                Piece::End(tag) => match tag.local_name().as_ref() {
                    b"si" => all.push(&value::unescape(text.as_str()))?,
                    name => text.leave(name),
                },
                Piece::Text(more) => text.push(&more),
                Piece::Other => {}
                Piece::Eof => return Ok(all),
            }
        }
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.bytes.len() + text.len() > MOST_BYTES || self.ends.len() >= MOST_TEXTS {
            return Err(Fault::TooLarge);
        }
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u32);
        Ok(())
    }

    /// The text of a number, if there is one.
    pub(super) fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.bytes.get(start..end)
    }
}
