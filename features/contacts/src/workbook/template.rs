//! The template as a workbook.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// Columns that are formatted as text: more than anybody fills in.
const COLUMNS: u16 = 50;
/// Their width, in characters.
const WIDTH: f64 = 18.0;

/// A workbook with one sheet of these heads, whose cells are texts whatever is typed into them: a
/// spreadsheet then leaves the zeros in front of numbers alone.
pub(crate) fn template(sheet: &str, heads: &[&str]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let text = Format::new().set_num_format("@");
    let page = book.add_worksheet();
    page.set_name(sheet)?;
    page.set_column_range_format(0, COLUMNS - 1, &text)?;
    page.set_column_range_width(0, COLUMNS - 1, WIDTH)?;
    for (column, head) in (0..).zip(heads) {
        page.write_string_with_format(0, column, *head, &text)?;
    }
    book.save_to_buffer()
}
