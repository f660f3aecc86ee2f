//! Writing files from parts that are on the disk: row by row, so that memory stays small.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{Cell, Format, Row, workbook::Workbook};

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
        let mut book = Workbook::create(path)?;
        let mut rows = self.rows().peekable();
        loop {
            book.begin_sheet(self.columns())?;
            for row in rows.by_ref().take(SHEET) {
                let Row { cells, variables } = row?;
                let own = self.variables.iter().map(|name| {
                    variables.get(name).map_or(Cell::Empty(()), |text| Cell::Text(text.clone()))
                });
                book.row(cells.into_iter().chain(own))?;
            }
            if rows.peek().is_none() {
                return book.finish();
            }
        }
    }
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
