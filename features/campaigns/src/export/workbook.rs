//! A workbook (Office Open XML), written straight to the disk: sheets of texts, whole numbers and
//! moments, each sheet a compressed entry of a ZIP file.

use std::{
    fs::File,
    io::{self, BufWriter, Seek as _, SeekFrom, Write},
    path::Path,
};

use calendar::Date;
use flate2::{Compression, Crc, write::DeflateEncoder};

use super::Cell;

const NS: &str = "http://schemas.openxmlformats.org/";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// The longest text of a cell that a spreadsheet takes.
const LONGEST: usize = 32_767;
/// Days from 30 December 1899, from which a spreadsheet counts, to 1970.
const EPOCH: i64 = 25_569;
/// Formats of cells: a moment, and a head.
const MOMENT: &str = " s=\"1\"";
const BOLD: &str = " s=\"2\"";

/// A workbook on its way.
pub(super) struct Workbook {
    zip: Zip,
    sheet: Option<Entry>,
    sheets: u32,
    row: u32,
    /// The row that is being written, kept for its memory.
    text: String,
}

impl Workbook {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let zip = Zip { file: Some(File::create(path)?), entries: Vec::new() };
        Ok(Self { zip, sheet: None, sheets: 0, row: 0, text: String::new() })
    }

    /// Begins the next sheet with its heads, which stay in sight.
    pub(super) fn begin_sheet<'a>(
        &mut self,
        heads: impl Iterator<Item = &'a str>,
    ) -> io::Result<()> {
        self.end_sheet()?;
        self.sheets += 1;
        let mut sheet = self.zip.begin(format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        write!(
            sheet,
            "{HEAD}<worksheet xmlns=\"{NS}spreadsheetml/2006/main\"><sheetViews>\
             <sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" \
             activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetData>"
        )?;
        (self.sheet, self.row) = (Some(sheet), 0);
        self.write_row(heads.map(|head| (Cell::Text(head.to_owned()), BOLD)))
    }

    /// Adds a row to the sheet.
    pub(super) fn row(&mut self, cells: impl Iterator<Item = Cell>) -> io::Result<()> {
        self.write_row(cells.map(|cell| (cell, "")))
    }

    fn write_row(&mut self, cells: impl Iterator<Item = (Cell, &'static str)>) -> io::Result<()> {
        self.row += 1;
        self.text.clear();
        let row = self.row;
        self.text.push_str(&format!("<row r=\"{row}\">"));
        for (n, (cell, style)) in cells.enumerate() {
            let at = format!("{}{row}", column(n));
            match cell {
                Cell::Empty(()) => {}
                Cell::Number(n) => {
                    self.text.push_str(&format!("<c r=\"{at}\"{style}><v>{n}</v></c>"));
                }
                Cell::Moment { at: moment } => match serial(&moment) {
                    Some(days) => {
                        self.text.push_str(&format!("<c r=\"{at}\"{MOMENT}><v>{days}</v></c>"));
                    }
                    None => text(&mut self.text, &at, style, &moment),
                },
                Cell::Text(value) => text(&mut self.text, &at, style, &value),
            }
        }
        self.text.push_str("</row>");
        let sheet = self.sheet.as_mut().ok_or_else(no_sheet)?;
        sheet.write_all(self.text.as_bytes())
    }

    fn end_sheet(&mut self) -> io::Result<()> {
        let Some(mut sheet) = self.sheet.take() else { return Ok(()) };
        sheet.write_all(b"</sheetData></worksheet>")?;
        self.zip.end(sheet)
    }

    /// Writes what makes a workbook of the sheets.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.end_sheet()?;
        let main = format!("{NS}spreadsheetml/2006/main");
        let doc = format!("{NS}officeDocument/2006/relationships");
        let package = format!("{NS}package/2006");
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        let each = |make: &dyn Fn(u32) -> String| (1..=self.sheets).map(make).collect::<String>();
        let sheets = each(&|n| format!("<sheet name=\"{n}\" sheetId=\"{n}\" r:id=\"s{n}\"/>"));
        let links = each(&|n| {
            format!(
                "<Relationship Id=\"s{n}\" Type=\"{doc}/worksheet\" \
                 Target=\"worksheets/sheet{n}.xml\"/>"
            )
        });
        let types = each(&|n| {
            format!(
                "<Override PartName=\"/xl/worksheets/sheet{n}.xml\" \
                 ContentType=\"{kind}.worksheet+xml\"/>"
            )
        });
        for (name, body) in [
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{main}\" xmlns:r=\"{doc}\"><sheets>{sheets}</sheets>\
                     </workbook>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships xmlns=\"{package}/relationships\">{links}\
                     <Relationship Id=\"styles\" Type=\"{doc}/styles\" Target=\"styles.xml\"/>\
                     </Relationships>"
                ),
            ),
            ("xl/styles.xml", styles(&main)),
            (
                "_rels/.rels",
                format!(
                    "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"book\" \
                     Type=\"{doc}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            (
                "[Content_Types].xml",
                format!(
                    "<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" \
                     ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                     <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/>\
                     <Override PartName=\"/xl/styles.xml\" ContentType=\"{kind}.styles+xml\"/>\
                     {types}</Types>"
                ),
            ),
        ] {
            let mut entry = self.zip.begin(name.to_owned())?;
            write!(entry, "{HEAD}{body}")?;
            self.zip.end(entry)?;
        }
        self.zip.finish()
    }
}

fn styles(main: &str) -> String {
    let format = |number: u8, font: u8| {
        format!(
            "<xf numFmtId=\"{number}\" fontId=\"{font}\" fillId=\"0\" borderId=\"0\" xfId=\"0\" \
             applyNumberFormat=\"1\" applyFont=\"1\"/>"
        )
    };
    let cells = format!("{}{}{}", format(0, 0), format(164, 0), format(0, 1));
    format!(
        "<styleSheet xmlns=\"{main}\"><numFmts count=\"1\"><numFmt numFmtId=\"164\" \
         formatCode=\"yyyy\\-mm\\-dd hh:mm:ss\"/></numFmts><fonts count=\"2\"><font><sz val=\"11\"/>\
         <name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
         <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill>\
         <patternFill patternType=\"gray125\"/></fill></fills><borders count=\"1\"><border/></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/>\
         </cellStyleXfs><cellXfs count=\"3\">{cells}</cellXfs></styleSheet>"
    )
}

fn no_sheet() -> io::Error {
    io::Error::other("a row before the first sheet")
}

/// The letters of a column: A for 0, AA for 26.
fn column(n: usize) -> String {
    let (mut left, mut letters) = (n, Vec::new());
    loop {
        letters.push(b'A' + (left % 26) as u8);
        if left < 26 {
            break;
        }
        left = left / 26 - 1;
    }
    letters.reverse();
    letters.into_iter().map(char::from).collect()
}

/// A text cell: never a formula, whatever it begins with. What XML cannot hold is left out.
fn text(into: &mut String, at: &str, style: &str, value: &str) {
    into.push_str(&format!("<c r=\"{at}\" t=\"inlineStr\"{style}><is><t xml:space=\"preserve\">"));
    for c in value.chars().take(LONGEST) {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '\r' => into.push_str("&#13;"),
            '\t' | '\n' => into.push(c),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => into.push(c),
        }
    }
    into.push_str("</t></is></c>");
}

/// `2026-11-20 10:00:12` as days since 30 December 1899, the way a spreadsheet counts.
fn serial(moment: &str) -> Option<String> {
    let (date, time) = moment.split_once(' ')?;
    let date: Date = date.parse().ok()?;
    let mut parts = time.split(':').map(|part| part.parse::<u32>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let days = i32::try_from(date.number() + EPOCH).ok()?;
    let part = f64::from(hour * 3_600 + minute * 60 + second) / 86_400.0;
    Some(format!("{:.9}", f64::from(days) + part))
}

/// An entry that is written.
struct Entry {
    body: DeflateEncoder<BufWriter<File>>,
    crc: Crc,
    name: String,
    start: u64,
}

impl Write for Entry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.body.write(bytes)?;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.body.flush()
    }
}

/// What the end of the file says of an entry.
struct Listed {
    name: String,
    start: u32,
    /// Checksum, compressed length, length.
    sums: [u32; 3],
}

/// A ZIP file of less than 4 GiB, one entry after the other.
struct Zip {
    /// Away while an entry is written.
    file: Option<File>,
    entries: Vec<Listed>,
}

/// Version needed, names in UTF-8, deflated, 1 January 1980.
const COMMON: [u8; 10] = [20, 0, 0, 8, 8, 0, 0, 0, 0x21, 0];

fn small(length: u64) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::Error::other("the workbook is larger than 4 GiB"))
}

impl Zip {
    fn begin(&mut self, name: String) -> io::Result<Entry> {
        let mut file = self.file.take().ok_or_else(|| io::Error::other("two entries at once"))?;
        let start = file.stream_position()?;
        file.write_all(b"PK\x03\x04")?;
        file.write_all(&COMMON)?;
        // Checksum and lengths are filled in at the end.
        file.write_all(&[0; 12])?;
        file.write_all(&(name.len() as u16).to_le_bytes())?;
        file.write_all(&[0; 2])?;
        file.write_all(name.as_bytes())?;
        let body = DeflateEncoder::new(BufWriter::new(file), Compression::fast());
        Ok(Entry { body, crc: Crc::new(), name, start })
    }

    fn end(&mut self, entry: Entry) -> io::Result<()> {
        let Entry { mut body, crc, name, start } = entry;
        body.try_finish()?;
        let sums = [crc.sum(), small(body.total_out())?, small(body.total_in())?];
        let mut file = body.finish()?.into_inner()?;
        let end = file.stream_position()?;
        file.seek(SeekFrom::Start(start + 14))?;
        for sum in sums {
            file.write_all(&sum.to_le_bytes())?;
        }
        file.seek(SeekFrom::Start(end))?;
        self.entries.push(Listed { name, start: small(start)?, sums });
        self.file = Some(file);
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let mut file = self.file.ok_or_else(|| io::Error::other("an entry is open"))?;
        let start = small(file.stream_position()?)?;
        for Listed { name, start, sums } in &self.entries {
            file.write_all(b"PK\x01\x02\x14\x00")?;
            file.write_all(&COMMON)?;
            for sum in sums {
                file.write_all(&sum.to_le_bytes())?;
            }
            file.write_all(&(name.len() as u16).to_le_bytes())?;
            file.write_all(&[0; 12])?;
            file.write_all(&start.to_le_bytes())?;
            file.write_all(name.as_bytes())?;
        }
        let length = small(file.stream_position()?)? - start;
        let count = (self.entries.len() as u16).to_le_bytes();
        file.write_all(b"PK\x05\x06\0\0\0\0")?;
        file.write_all(&count)?;
        file.write_all(&count)?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(&start.to_le_bytes())?;
        file.write_all(&[0; 2])?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters_and_moments_have_days() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(column),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
        assert_eq!(serial("2026-11-20 12:00:00").as_deref(), Some("46346.500000000"));
        assert_eq!(serial("1900-03-01 00:00:00").as_deref(), Some("61.000000000"));
        assert_eq!(serial("soon"), None);
    }
}
