//! A workbook (Office Open XML, `.xlsx`) as rows.
//!
//! What a workbook claims about itself is not believed: no memory is taken by a number that stands
//! in it, and every part, every tag and text, every cell, the number of rows and what they make as
//! text are bounded while they are unpacked. A sheet goes by row by row; beside the row only the
//! texts that sheets share are in memory, up to [`strings::MOST_BYTES`].

mod part;
mod rows;
mod strings;
mod styles;
pub(crate) mod template;
mod value;

use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};

use quick_xml::events::BytesStart;
use zip::ZipArchive;

use part::{Part, Piece, attribute};
use strings::Strings;
use styles::Styles;

use crate::mapping;

/// Why there are no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another kind of spreadsheet: ODS, XLS or XLSB.
    OtherKind,
    /// Only a password opens it.
    Encrypted,
    /// No workbook, or a damaged one.
    NotAWorkbook,
    /// A part of it is larger than is read.
    TooLarge,
    /// No sheet has a cell with something in it.
    NoSheet,
    /// Nobody wants the rows any more.
    Stopped,
}

/// Sheets that a person may choose from.
const MOST_SHEETS: usize = 200;
/// Characters of a sheet's name.
const LONGEST_NAME: usize = 100;
/// Bytes that finding the entries of the file may take. A workbook has some dozens of them.
const OPENING: u64 = 4 * 1024 * 1024;
/// Bytes of a part that is not a sheet and not the shared texts, unpacked.
const SMALL_PART: u64 = 16 * 1024 * 1024;
/// Bytes of a sheet, unpacked, and of all that are gone through in search of one with rows. A full
/// sheet of a dozen columns has two thirds of it.
const MOST_SHEET: u64 = 1024 * 1024 * 1024;

/// A workbook whose parts were looked over.
pub(crate) struct Book<R> {
    zip: ZipArchive<Metered<R>>,
    sheets: Vec<Sheet>,
    strings: Strings,
    styles: Styles,
    /// Bytes of sheets that may still be unpacked.
    left: u64,
}

struct Sheet {
    name: String,
    path: String,
    hidden: bool,
}

impl<R: Read + Seek> Book<R> {
    /// Opens a workbook.
    pub(crate) fn open(file: R) -> Result<Self, Fault> {
        let left = Rc::new(Cell::new(OPENING));
        let zip = ZipArchive::new(Metered { file, left: Rc::clone(&left) });
        left.set(u64::MAX);
        let mut zip = zip.map_err(|_| Fault::NotAWorkbook)?;
        let main = main_part(&mut zip)?;
        if main.to_ascii_lowercase().ends_with(".bin") {
            return Err(Fault::OtherKind);
        }
        let links = links(&mut zip, &beside(&main))?;
        let (mut sheets, is_1904) = sheets(&mut zip, &main, &links)?;
        // What is hidden was hidden for a reason, unless there is nothing else.
        if sheets.iter().any(|sheet| !sheet.hidden) {
            sheets.retain(|sheet| !sheet.hidden);
        }
        let titles: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
        for (sheet, name) in sheets.iter_mut().zip(mapping::names(&titles)) {
            sheet.name = name;
        }
        let of_kind =
            |kind: &str| links.iter().find(|link| link.kind == kind).map(|link| link.target(&main));
        let styles = match of_kind("styles") {
            Some(path) => Styles::read(part(&mut zip, &path, SMALL_PART)?, is_1904)?,
            None => Styles::default(),
        };
        let strings = match of_kind("sharedStrings") {
            Some(path) => Strings::read(part(&mut zip, &path, strings::MOST_PART)?)?,
            None => Strings::default(),
        };
        Ok(Self { zip, sheets, strings, styles, left: MOST_SHEET })
    }

    /// The names of the sheets, in their order; each different.
    pub(crate) fn sheets(&self) -> Vec<String> {
        self.sheets.iter().map(|sheet| sheet.name.clone()).collect()
    }

    /// Writes a sheet as CSV in UTF-8 with commas, piece by piece, each row on the line of its
    /// number. How many rows have something in them; a sheet without any writes nothing.
    pub(crate) fn convert(
        &mut self,
        sheet: usize,
        write: impl FnMut(Vec<u8>) -> Result<(), Fault>,
    ) -> Result<u64, Fault> {
        let path = self.sheets.get(sheet).ok_or(Fault::NoSheet)?.path.clone();
        let mut part = part(&mut self.zip, &path, self.left)?;
        let rows = rows::convert(&mut part, &self.strings, &self.styles, write);
        self.left = part.left();
        rows
    }

    /// As [`Book::convert`], for the first sheet that has rows; which one that is.
    pub(crate) fn convert_first(
        &mut self,
        mut write: impl FnMut(Vec<u8>) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        for sheet in 0..self.sheets.len() {
            if self.convert(sheet, &mut write)? > 0 {
                return Ok(sheet);
            }
        }
        Err(Fault::NoSheet)
    }
}

/// Reads until so many bytes went by.
struct Metered<R> {
    file: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the table of entries is too long"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A part by its path, in whatever case and with whatever slashes it is packed.
fn part<'a, R: Read + Seek>(
    zip: &'a mut ZipArchive<Metered<R>>,
    path: &str,
    most: u64,
) -> Result<Part<impl Read + use<'a, R>>, Fault> {
    let same = |name: &[u8]| {
        name.len() == path.len()
            && name.iter().zip(path.bytes()).all(|(a, b)| {
                let a = if *a == b'\\' { b'/' } else { *a };
                a.eq_ignore_ascii_case(&b)
            })
    };
    let at = zip.file_names_raw().position(same).ok_or(Fault::NotAWorkbook)?;
    let entry = zip.by_index(at).map_err(|_| Fault::NotAWorkbook)?;
    Ok(Part::new(entry, most))
}

/// A link from one part to another.
struct Link {
    id: String,
    /// The last word of its type.
    kind: String,
    target: String,
}

impl Link {
    /// The path that it leads to from the part `from`.
    fn target(&self, from: &str) -> String {
        if let Some(path) = self.target.strip_prefix('/') {
            return path.to_owned();
        }
        let mut folders: Vec<&str> = from.split('/').collect();
        folders.pop();
        for step in self.target.split('/') {
            match step {
                ".." => {
                    folders.pop();
                }
                "." | "" => {}
                step => folders.push(step),
            }
        }
        folders.join("/")
    }
}

/// Where the links of a part stand.
fn beside(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let slash = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{slash}_rels/{name}.rels")
}

fn main_part<R: Read + Seek>(zip: &mut ZipArchive<Metered<R>>) -> Result<String, Fault> {
    if zip.file_names_raw().any(|name| name == b"content.xml") {
        return Err(Fault::OtherKind);
    }
    let links = links(zip, "_rels/.rels")?;
    let main = links.iter().find(|link| link.kind == "officeDocument");
    Ok(main.ok_or(Fault::NotAWorkbook)?.target(""))
}

fn links<R: Read + Seek>(zip: &mut ZipArchive<Metered<R>>, path: &str) -> Result<Vec<Link>, Fault> {
    let mut links = Vec::new();
    let mut part = part(zip, path, SMALL_PART)?;
    while let Some(tag) = part.next_start()? {
        if tag.local_name().as_ref() == b"Relationship" {
            let text = |name| attribute(&tag, name).unwrap_or_default();
            let kind = text("Type").rsplit('/').next().unwrap_or_default().to_owned();
            links.push(Link { id: text("Id"), kind, target: text("Target") });
        }
        if links.len() > 10 * MOST_SHEETS {
            return Err(Fault::TooLarge);
        }
    }
    Ok(links)
}

/// The sheets of cells in the order of the tabs, and whether days are counted from 1904.
fn sheets<R: Read + Seek>(
    zip: &mut ZipArchive<Metered<R>>,
    main: &str,
    links: &[Link],
) -> Result<(Vec<Sheet>, bool), Fault> {
    let mut sheets = Vec::new();
    let mut is_1904 = false;
    let mut is_workbook = false;
    let mut part = part(zip, main, SMALL_PART)?;
    while let Some(tag) = part.next_start()? {
        match tag.local_name().as_ref() {
            b"workbook" => is_workbook = true,
            b"workbookPr" => {
                is_1904 |= attribute(&tag, "date1904").is_some_and(|yes| is_true(&yes));
            }
            b"sheet" if sheets.len() < MOST_SHEETS => sheets.extend(sheet(&tag, main, links)),
            _ => {}
        }
    }
    if is_workbook { Ok((sheets, is_1904)) } else { Err(Fault::NotAWorkbook) }
}

fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true")
}

fn sheet(tag: &BytesStart<'_>, main: &str, links: &[Link]) -> Option<Sheet> {
    let id = attribute(tag, "id")?;
    // A sheet that holds a chart or a dialogue has no rows.
    let link = links.iter().find(|link| link.id == id && link.kind == "worksheet")?;
    let name = attribute(tag, "name").unwrap_or_default();
    Some(Sheet {
        name: name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
        path: link.target(main),
        hidden: attribute(tag, "state").is_some_and(|state| state != "visible"),
    })
}

impl<R: Read> Part<R> {
    /// The next tag that opens; nothing at the end of the part.
    fn next_start(&mut self) -> Result<Option<BytesStart<'static>>, Fault> {
        loop {
            match self.next()? {
                Piece::Start(tag) => return Ok(Some(tag.into_owned())),
                Piece::Text(_) | Piece::End(_) | Piece::Other => {}
                Piece::Eof => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests;
