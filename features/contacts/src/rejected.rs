//! The files that a person takes away: the rows that were not taken, and the template.

use base::Locale;

use crate::{file::Delimiter, reason::Reason};

/// The byte order mark tells spreadsheets that the file is UTF-8.
const BOM: &str = "\u{FEFF}";

/// A CSV file that grows row by row; cells that a spreadsheet would run as formulas are disarmed.
pub(crate) struct Table {
    delimiter: Delimiter,
    text: String,
}

impl Table {
    /// An empty file.
    pub(crate) fn new(delimiter: Delimiter) -> Self {
        Self { delimiter, text: BOM.to_owned() }
    }

    /// Adds a row.
    pub(crate) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.text.push_str(self.delimiter.as_str());
            }
            self.cell(cell);
        }
        self.text.push_str("\r\n");
    }

    fn cell(&mut self, cell: &str) {
        let guard = if is_formula(cell) { "'" } else { "" };
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
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// A cell that a spreadsheet might run: it begins with `=`, `@`, a tab or a carriage return, or
/// with `+` or `-` and is not just a number, so that phone numbers stay as they are.
fn is_formula(cell: &str) -> bool {
    let number = |rest: &str| {
        rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '.' | '-'))
    };
    match cell.chars().next() {
        Some('=' | '@' | '\t' | '\r') => true,
        Some('+' | '-') => !number(&cell[1..]),
        _ => false,
    }
}

/// The heads of the two columns that stand before the file's own: the line and the reason.
pub(crate) const fn heads(language: Locale) -> [&'static str; 2] {
    match language {
        Locale::En => ["Line", "Reason"],
        Locale::Uk => ["Рядок", "Причина"],
        Locale::Ru => ["Строка", "Причина"],
        Locale::Uz => ["Qator", "Sabab"],
        Locale::Vi => ["Dòng", "Lý do"],
    }
}

/// The reason of a stored `code`, in words.
pub(crate) fn words(code: &str, language: Locale) -> &str {
    Reason::of(code).map_or(code, |reason| reason.sentence(language))
}

/// The template: the columns that an import knows, and one free column, in `language`.
///
/// It has no rows: an example that somebody forgets to delete would be called.
pub(crate) fn template(language: Locale) -> String {
    let delimiter = match language {
        Locale::En | Locale::Vi => Delimiter::Comma,
        Locale::Uk | Locale::Ru | Locale::Uz => Delimiter::Semicolon,
    };
    let mut table = Table::new(delimiter);
    table.row(template_heads(language).1);
    table.take()
}

/// The name of the template's sheet, and its columns.
pub(crate) const fn template_heads(language: Locale) -> (&'static str, [&'static str; 6]) {
    match language {
        Locale::En => ("Contacts", ["id", "phone", "phone 2", "name", "time zone", "note"]),
        Locale::Uk => {
            ("Контакти", ["id", "телефон", "телефон 2", "ім'я", "часовий пояс", "примітка"])
        }
        Locale::Ru => {
            ("Контакты", ["id", "телефон", "телефон 2", "имя", "часовой пояс", "примечание"])
        }
        Locale::Uz => {
            ("Kontaktlar", ["id", "telefon", "telefon 2", "ism", "vaqt mintaqasi", "izoh"])
        }
        Locale::Vi => {
            ("Liên hệ", ["mã", "số điện thoại", "số điện thoại 2", "họ tên", "múi giờ", "ghi chú"])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        file::{Encoding, preview, sniff},
        mapping::Mapping,
    };

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
            let mut table = Table::new(Delimiter::Comma);
            table.row([cell]);
            assert_eq!(table.take(), format!("{BOM}{expected}\r\n"), "{cell:?}");
        }
    }

    #[test]
    fn alo_10_every_template_is_understood_by_the_import() {
        for language in Locale::ALL {
            let text = template(language);
            let format = sniff(text.as_bytes(), Encoding::Utf8, true);
            assert!(format.has_header, "{language:?}");
            let preview = preview(text.as_bytes(), format, true).unwrap();
            let guess = Mapping::guess(&preview.columns, &preview.sample, None);
            let places = guess.places(&preview.columns).unwrap();
            assert_eq!(places.id, Some(0), "{language:?}");
            assert_eq!(places.phone, [1, 2], "{language:?}");
            assert_eq!((places.name, places.zone), (Some(3), Some(4)), "{language:?}");
            assert_eq!(places.variables.len(), 1, "{language:?}");
        }
    }
}
