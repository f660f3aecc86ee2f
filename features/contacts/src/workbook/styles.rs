//! Which cells hold moments: a workbook stores them as numbers and tells by their format.

use std::{collections::BTreeMap, io::Read};

use super::{
    Fault,
    part::{Part, Piece, attribute},
};

/// Formats of cells that are looked at; a spreadsheet makes 65,490 at most.
const MOST: usize = 66_000;

/// What a number in a cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A number.
    Number,
    /// A date, a time of day, or both.
    Moment,
    /// Hours, which may be more than a day's.
    Span,
}

/// The formats of a workbook's cells.
#[derive(Default)]
pub(super) struct Styles {
    cells: Vec<Style>,
    /// Days are counted from 1904, not from 1900.
    pub(super) is_1904: bool,
}

impl Styles {
    pub(super) fn read<R: Read>(mut part: Part<R>, is_1904: bool) -> Result<Self, Fault> {
        let mut own = BTreeMap::new();
        let mut cells = Vec::new();
        let mut within = false;
        loop {
            match part.next()? {
                Piece::Start(tag) => match tag.local_name().as_ref() {
                    b"numFmt" if own.len() < MOST => {
                        let code = attribute(&tag, "formatCode").unwrap_or_default();
                        own.insert(number(attribute(&tag, "numFmtId")), of_code(&code));
                    }
                    b"cellXfs" => within = true,
                    b"xf" if within && cells.len() < MOST => {
                        let id = number(attribute(&tag, "numFmtId"));
                        cells.push(own.get(&id).copied().unwrap_or_else(|| of_id(id)));
                    }
                    _ => {}
                },
                Piece::End(tag) => within &= tag.local_name().as_ref() != b"cellXfs",
                Piece::Text(_) | Piece::Other => {}
                Piece::Eof => return Ok(Self { cells, is_1904 }),
            }
        }
    }

    /// The style of a cell by its number there.
    pub(super) fn get(&self, at: usize) -> Style {
        self.cells.get(at).copied().unwrap_or(Style::Number)
    }
}

fn number(text: Option<String>) -> u32 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

/// The formats that every spreadsheet has (ECMA-376, 18.8.30), with those of East Asia.
const fn of_id(id: u32) -> Style {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Style::Moment,
        46 => Style::Span,
        _ => Style::Number,
    }
}

/// A format that somebody wrote: it is of a moment when its first section has a letter of one
/// outside quotation marks, brackets and escapes.
fn of_code(code: &str) -> Style {
    let mut rest = code.chars();
    while let Some(c) = rest.next() {
        match c {
            ';' => break,
            '\\' | '_' | '*' => {
                rest.next();
            }
            '"' => {
                rest.by_ref().find(|c| *c == '"');
            }
            '[' => {
                let inner: String = rest.by_ref().take_while(|c| *c != ']').collect();
                let is_time = |c: char| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's');
                if !inner.is_empty() && inner.chars().all(is_time) {
                    return Style::Span;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return Style::Moment,
            _ => {}
        }
    }
    Style::Number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_tells_moments_from_numbers() {
        for (code, style) in [
            ("General", Style::Number),
            ("0.00", Style::Number),
            ("#,##0.00\\ \"сум\"", Style::Number),
            ("#,##0\\ [$₴-422];[Red]dd", Style::Number),
            ("_-* #,##0.00_-", Style::Number),
            ("000-000-0000", Style::Number),
            ("\"days\" 0", Style::Number),
            ("[Red]0", Style::Number),
            ("@", Style::Number),
            ("dd.mm.yyyy", Style::Moment),
            ("[$-F400]h:mm:ss\\ AM/PM", Style::Moment),
            ("yyyy\\-mm\\-dd", Style::Moment),
            ("[h]:mm:ss", Style::Span),
            ("[mm]:ss", Style::Span),
            ("", Style::Number),
            ("\"never closed dd", Style::Number),
        ] {
            assert_eq!(of_code(code), style, "{code}");
        }
    }
}
