//! Rows of any origin, written as the file that an import takes: CSV in UTF-8 with commas, without
//! a header, one line for each row, so that the line of a row is its number.

use std::collections::BTreeMap;

use super::RawRow;
use crate::{
    contact::{LONGEST_ID, LONGEST_NAME, LONGEST_VALUE},
    file::{Delimiter, Encoding, Format, LONGEST_ROW},
    mapping::{self, Mapping},
};

/// How the file is written.
pub(crate) const FORMAT: Format = Format {
    encoding: Encoding::Utf8,
    delimiter: Delimiter::Comma,
    has_header: false,
    first_byte: 0,
};

/// Further columns that are kept; the rest of an element's keys is left out.
const MOST_MORE: usize = 100;
/// Characters of a key that becomes a variable.
const LONGEST_KEY: usize = 64;
/// The columns in front.
const FRONT: [&str; 4] = ["id", "phone", "name", "zone"];

/// Rows on their way into a file. Columns may join while it is written.
pub(crate) struct Table {
    writer: csv::Writer<Vec<u8>>,
    more: Vec<String>,
    places: BTreeMap<String, usize>,
    rows: u64,
}

impl Default for Table {
    fn default() -> Self {
        Self { writer: writer(), more: Vec::new(), places: BTreeMap::new(), rows: 0 }
    }
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().flexible(true).has_headers(false).from_writer(Vec::new())
}

impl Table {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: &RawRow) {
        let mut cells = vec![
            line(&row.id, LONGEST_ID),
            line(&row.phone, LONGEST_VALUE),
            line(&row.name, LONGEST_NAME),
            line(&row.zone, LONGEST_NAME),
        ];
        for (key, value) in &row.more {
            let Some(place) = self.place(key) else { continue };
            if cells.len() <= place {
                cells.resize(place + 1, String::new());
            }
            cells[place] = line(value, LONGEST_VALUE);
        }
        self.write(&cells);
    }

    /// Adds the cells of a row of a sheet.
    pub(crate) fn push_cells(&mut self, cells: &[String]) {
        let cells: Vec<String> = cells.iter().map(|cell| line(cell, LONGEST_VALUE)).collect();
        self.write(&cells);
    }

    fn write(&mut self, cells: &[String]) {
        self.rows += 1;
        // Quoting makes a cell at most twice as long, and its marks and commas come on top.
        let length: usize = cells.iter().map(|cell| 2 * cell.len() + 3).sum();
        let written = if length < LONGEST_ROW {
            self.writer.write_record(cells)
        } else {
            // Longer than a row may be: it is told with what stands in front of it.
            let front: Vec<String> =
                cells.iter().take(FRONT.len()).map(|cell| line(cell, LONGEST_NAME)).collect();
            self.writer.write_record(front)
        };
        // A vector takes everything.
        debug_assert!(written.is_ok());
    }

    fn place(&mut self, key: &str) -> Option<usize> {
        if let Some(place) = self.places.get(key) {
            return Some(*place);
        }
        let fits = !key.trim().is_empty()
            && key.chars().count() <= LONGEST_KEY
            && !key.chars().any(char::is_control);
        if !fits || self.more.len() >= MOST_MORE {
            return None;
        }
        let place = FRONT.len() + self.more.len();
        self.more.push(key.to_owned());
        self.places.insert(key.to_owned(), place);
        Some(place)
    }

    /// Rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// What was written since the last time.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.writer, writer()).into_inner().unwrap_or_default()
    }

    /// The columns of rows that were [`Table::push`]ed, and what they hold.
    pub(crate) fn columns(&self, has_zone: bool) -> (Vec<String>, Mapping) {
        let titles: Vec<String> =
            FRONT.iter().map(|name| (*name).to_owned()).chain(self.more.iter().cloned()).collect();
        let names = mapping::names(&titles);
        let variables = names.iter().skip(FRONT.len()).cloned().zip(self.more.iter().cloned());
        let mapping = Mapping {
            id: Some(names[0].clone()),
            phone: vec![names[1].clone()],
            name: Some(names[2].clone()),
            zone: has_zone.then(|| names[3].clone()),
            variables: variables.collect(),
        };
        (names, mapping)
    }
}

/// A cell on one line, one character longer than it may be at most: enough to be refused for it.
fn line(text: &str, longest: usize) -> String {
    let one = |c: char| if matches!(c, '\n' | '\r') { ' ' } else { c };
    text.trim().chars().take(longest + 1).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::cut;

    fn row(id: &str, more: &[(&str, &str)]) -> RawRow {
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        RawRow {
            id: id.to_owned(),
            phone: "+380931234567".to_owned(),
            more: more.collect(),
            ..RawRow::default()
        }
    }

    #[test]
    fn alo_12_further_keys_become_columns_as_they_come() {
        let mut table = Table::default();
        table.push(&row("1", &[("debt", "5"), ("id", "x")]));
        table.push(&row("2", &[("city", "Kyiv,\n\"UA\"")]));
        let bytes = table.take();
        let rows = cut(&bytes, FORMAT, 0, 10, true).rows;
        assert_eq!(rows[0].cells, ["1", "+380931234567", "", "", "5", "x"]);
        assert_eq!(rows[1].cells, ["2", "+380931234567", "", "", "", "", "Kyiv, \"UA\""]);
        assert_eq!((rows[1].line, table.rows()), (2, 2));
        let (columns, mapping) = table.columns(true);
        assert_eq!(columns, ["id", "phone", "name", "zone", "debt", "id (2)", "city"]);
        assert_eq!(mapping.variables["id (2)"], "id");
        assert!(mapping.places(&columns).is_ok());
    }

    #[test]
    fn a_row_that_is_too_long_keeps_its_line() {
        let mut table = Table::default();
        let long = "x".repeat(10_000);
        let more: Vec<(String, String)> =
            (0..60).map(|n| (format!("k{n}"), long.clone())).collect();
        let more: Vec<(&str, &str)> = more.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        table.push(&row("1", &more));
        table.push(&row("2", &[]));
        let rows = cut(&table.take(), FORMAT, 0, 10, true).rows;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[1].line, rows[1].cells[0].as_str()), (2, "2"));
    }
}
