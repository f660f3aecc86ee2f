//! Writing files from parts that are on the disk: row by row, so that memory stays small.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use rust_xlsxwriter::{self as xlsx, ExcelDateTime, Workbook, Worksheet, XlsxError};

use super::{Cell, Format, Row};

/// The longest text of a cell that a spreadsheet takes, in characters.
const LONGEST: usize = 32_767;
/// Rows of one sheet; a spreadsheet takes 1,048,576, the heads included.
const SHEET: usize = 1_000_000;

/// What is put together.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Files of rows, one JSON object per line, in order.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) heads: Vec<String>,
    /// Variables that get columns of their own, behind the heads.
    pub(crate) variables: BTreeSet<String>,
    pub(crate) format: Format,
}

impl Parts {
    /// Writes the file under `target`, whole or not at all, and tells its length. Blocks.
    pub(crate) fn write(&self, target: &Path) -> io::Result<u64> {
        let draft = target.with_extension("draft");
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        match self.format {
            Format::Csv => self.csv(&draft)?,
            Format::Xlsx => self.xlsx(&draft)?,
        }
        let file = File::open(&draft)?;
        file.sync_all()?;
        let length = file.metadata()?.len();
        fs::rename(&draft, target)?;
        target.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(length)
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().chain(&self.variables).map(String::as_str)
    }

    fn rows(&self) -> impl Iterator<Item = io::Result<Row>> {
        self.files.iter().flat_map(|path| {
            let lines = match File::open(path) {
                Ok(file) => Ok(BufReader::new(file).lines()),
                Err(error) => Err(std::iter::once(Err(error))),
            };
            let (lines, error) = match lines {
                Ok(lines) => (Some(lines), None),
                Err(error) => (None, Some(error)),
            };
            let lines = lines.into_iter().flatten();
            lines.chain(error.into_iter().flatten()).map(|line| Ok(serde_json::from_str(&line?)?))
        })
    }

    fn csv(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
        // The byte order mark tells spreadsheets that the file is UTF-8.
        file.write_all("\u{FEFF}".as_bytes())?;
        line(&mut file, self.columns().map(str::to_owned))?;
        for row in self.rows() {
            let Row { cells, variables } = row?;
            let own = self.variables.iter().map(|name| variables.get(name).cloned());
            let cells = cells.into_iter().map(|cell| match cell {
                Cell::Empty(()) => String::new(),
                Cell::Number(n) => n.to_string(),
                Cell::Moment { at } | Cell::Text(at) => at,
            });
            line(&mut file, cells.chain(own.map(Option::unwrap_or_default)))?;
        }
        file.into_inner()?.sync_all()
    }

    fn xlsx(&self, path: &Path) -> io::Result<()> {
        let mut book = Workbook::new();
        if let Some(folder) = path.parent() {
            book.set_tempdir(folder).map_err(io::Error::other)?;
        }
        let looks = Looks {
            head: xlsx::Format::new().set_bold(),
            moment: xlsx::Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        let mut rows = self.rows().peekable();
        loop {
            let sheet = book.add_worksheet_with_constant_memory().map_err(io::Error::other)?;
            self.sheet(sheet, &looks, rows.by_ref().take(SHEET))?;
            if rows.peek().is_none() {
                return book.save(path).map_err(io::Error::other);
            }
        }
    }

    /// Fills one sheet, with heads that stay in sight.
    fn sheet(
        &self,
        sheet: &mut Worksheet,
        looks: &Looks,
        rows: impl Iterator<Item = io::Result<Row>>,
    ) -> io::Result<()> {
        sheet.set_freeze_panes(1, 0).map_err(io::Error::other)?;
        for (at, head) in (0..).zip(self.columns()) {
            let head = sheet.write_string_with_format(0, at, head, &looks.head);
            head.map_err(io::Error::other)?;
        }
        for (n, row) in (1..).zip(rows) {
            let Row { cells, variables } = row?;
            let own = self.variables.iter().map(|name| {
                variables.get(name).map_or(Cell::Empty(()), |text| Cell::Text(text.clone()))
            });
            for (at, cell) in (0..).zip(cells.into_iter().chain(own)) {
                put(sheet, (n, at), cell, looks).map_err(io::Error::other)?;
            }
        }
        Ok(())
    }
}

/// How cells look.
struct Looks {
    head: xlsx::Format,
    moment: xlsx::Format,
}

/// Writes a cell: a text is never a formula, whatever it begins with.
fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Cell,
    looks: &Looks,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty(()) => {}
        Cell::Number(n) => drop(sheet.write_number(row, column, n as f64)?),
        Cell::Moment { at } => match ExcelDateTime::parse_from_str(&at.replacen(' ', "T", 1)) {
            Ok(moment) => {
                sheet.write_datetime_with_format(row, column, &moment, &looks.moment)?;
            }
            Err(_) => drop(sheet.write_string(row, column, at)?),
        },
        Cell::Text(mut text) => {
            if let Some((end, _)) = text.char_indices().nth(LONGEST) {
                text.truncate(end);
            }
            sheet.write_string(row, column, text)?;
        }
    }
    Ok(())
}

fn line(file: &mut impl Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            file.write_all(b",")?;
        }
        let guard = http_kit::csv_guard(&cell);
        if cell.contains(['"', '\n', '\r', ',', ';', '\t']) {
            write!(file, "\"{guard}{}\"", cell.replace('"', "\"\""))?;
        } else {
            write!(file, "{guard}{cell}")?;
        }
    }
    file.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(format: Format, folder: &Path) -> Parts {
        let row = |name: &str, debt: &str| Row {
            cells: vec![
                Cell::Text("+380931234567".to_owned()),
                Cell::Text(name.to_owned()),
                Cell::Number(3),
                Cell::Moment { at: "2026-11-20 10:00:12".to_owned() },
                Cell::Empty(()),
            ],
            variables: [("debt".to_owned(), debt.to_owned())].into(),
        };
        let rows = [row("=cmd|' /C calc'!A0", "1,5"), row("Олена \"Їжак\"", "-2+3")];
        let files = rows
            .iter()
            .enumerate()
            .map(|(n, row)| {
                let path = folder.join(format!("{n}.part"));
                fs::write(&path, format!("{}\n", serde_json::to_string(row).unwrap())).unwrap();
                path
            })
            .collect();
        let heads = ["phone", "name", "n", "when", "empty"].map(str::to_owned).into();
        Parts { files, heads, variables: ["debt".to_owned()].into(), format }
    }

    #[test]
    fn formulas_are_disarmed_in_text_and_phone_numbers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.csv");
        let length = parts(Format::Csv, folder.path()).write(&target).unwrap();
        let text = fs::read_to_string(&target).unwrap();
        assert_eq!(
            text,
            "\u{FEFF}phone,name,n,when,empty,debt\r\n\
             +380931234567,'=cmd|' /C calc'!A0,3,2026-11-20 10:00:12,,\"1,5\"\r\n\
             +380931234567,\"Олена \"\"Їжак\"\"\",3,2026-11-20 10:00:12,,'-2+3\r\n"
        );
        assert_eq!(length, text.len() as u64);
    }

    #[test]
    fn a_workbook_is_written_whole_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.xlsx");
        let length = parts(Format::Xlsx, folder.path()).write(&target).unwrap();
        let bytes = fs::read(&target).unwrap();
        assert_eq!((length, &bytes[..4]), (bytes.len() as u64, b"PK\x03\x04".as_slice()));
        assert!(!folder.path().join("out.draft").exists());
    }
}
