//! Files that a spreadsheet opens, and that run nothing there.

/// The byte order mark tells spreadsheets that the file is UTF-8.
const BOM: &str = "\u{FEFF}";

/// A CSV file that grows row by row; cells that a spreadsheet would run as formulas are disarmed.
#[derive(Debug, Clone)]
pub struct Csv {
    delimiter: &'static str,
    text: String,
}

impl Csv {
    /// An empty file whose cells stand between `delimiter`: a comma, a semicolon or a tab.
    pub fn new(delimiter: &'static str) -> Self {
        Self { delimiter, text: BOM.to_owned() }
    }

    /// Adds a row.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.text.push_str(self.delimiter);
            }
            self.cell(cell);
        }
        self.text.push_str("\r\n");
    }

    fn cell(&mut self, cell: &str) {
        let guard = csv_guard(cell);
        let special = |c: char| matches!(c, '"' | '\n' | '\r' | ',' | ';' | '\t');
        if cell.contains(special) {
            let doubled = cell.replace('"', "\"\"");
            self.text.push_str(&format!("\"{guard}{doubled}\""));
        } else {
            self.text.push_str(guard);
            self.text.push_str(cell);
        }
    }

    /// What was added since the last time.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// What is put before a cell so that no spreadsheet runs it: an apostrophe when it begins with `=`,
/// `@`, a tab or a carriage return, or with `+` or `-` and is not just a number, so that phone
/// numbers stay as they are and a file that is imported again holds the same ones.
pub fn csv_guard(cell: &str) -> &'static str {
    let number = |rest: &str| {
        rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '.' | '-'))
    };
    let runs = match cell.chars().next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => !number(&cell[1..]),
        Some(_) | None => false,
    };
    if runs { "'" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_phone_numbers_are_not() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            ("-2+3", "'-2+3"),
            ("+1+cmd|x", "'+1+cmd|x"),
            ("\t=1", "\"'\t=1\""),
            ("+380 (93) 123-45-67", "+380 (93) 123-45-67"),
            ("-5", "-5"),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("plain", "plain"),
        ] {
            let mut file = Csv::new(",");
            file.row([cell]);
            assert_eq!(file.take(), format!("{BOM}{expected}\r\n"), "{cell:?}");
        }
    }
}
