//! A Google sheet: its link, and the table that it answers with.

use serde_json::{json, value::RawValue};

use super::{MOST_ROWS, fault::SourceFault, json, table::Table};

/// A sheet that a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// The id of the document.
    pub(crate) id: String,
    /// The number of the tab.
    pub(crate) gid: Option<String>,
}

impl Sheet {
    /// The sheet of a link as the browser shows it, or `None`.
    pub(crate) fn of(link: &str) -> Option<Self> {
        let url = url::Url::parse(link.trim()).ok()?;
        if url.host_str() != Some("docs.google.com") {
            return None;
        }
        let mut segments = url.path_segments()?;
        segments.by_ref().find(|segment| *segment == "spreadsheets")?;
        segments.by_ref().find(|segment| *segment == "d")?;
        let id = segments.next()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // Published sheets have links of another kind (`/d/e/…/pubhtml`), without an export.
        if id.len() < 10 || id.len() > 100 || !id.chars().all(plain) {
            return None;
        }
        let in_fragment = url.fragment().and_then(|fragment| gid(fragment.split('&')));
        let in_query = url.query().and_then(|query| gid(query.split('&')));
        Some(Self { id: id.to_owned(), gid: in_fragment.or(in_query) })
    }
}

fn gid<'a>(mut parts: impl Iterator<Item = &'a str>) -> Option<String> {
    let value = parts.find_map(|part| part.strip_prefix("gid="))?;
    let fits = !value.is_empty() && value.len() <= 20 && value.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| value.to_owned())
}

/// Writes the `values` of an answer of the Sheets API into `table`, and gives the number of rows.
pub(crate) fn values(body: &[u8], table: &mut Table) -> Result<u64, SourceFault> {
    let root = json::parse(body).map_err(|at| {
        SourceFault::new("not_json", json!({ "line": at.line, "column": at.column }))
    })?;
    // A tab without anything in it has no values at all.
    let Some(rows) = json::member(root, "values") else { return Ok(0) };
    let mut count = 0;
    json::elements(rows, |row| {
        count += 1;
        table.push_cells(&cells(row));
        count < MOST_ROWS
    });
    Ok(count)
}

fn cells(row: &RawValue) -> Vec<String> {
    let mut cells = Vec::new();
    json::elements(row, |cell| {
        cells.push(json::cell(cell));
        cells.len() < 300
    });
    if cells.is_empty() {
        // A blank row keeps its line.
        cells.resize(2, String::new());
    }
    cells
}

/// Whether an answer to a link is Google's page for signing in, or another page instead of a table.
pub(crate) fn is_page(content_type: Option<&str>, url: &str) -> bool {
    content_type.is_some_and(|kind| kind.starts_with("text/html"))
        || url.contains("accounts.google.com")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "1AbCdEfGhIjKlMnOpQrStUvWxYz_0123456789-abcd";

    #[test]
    fn alo_11_links_as_the_browser_shows_them_lead_to_a_sheet() {
        for (tail, gid) in [
            ("/edit#gid=12", Some("12")),
            ("/edit?gid=7#gid=7", Some("7")),
            ("/edit?usp=sharing", None),
            ("", None),
            ("/export?format=csv&gid=3", Some("3")),
        ] {
            let link = format!("https://docs.google.com/spreadsheets/d/{ID}{tail}");
            let sheet = Sheet::of(&link).unwrap();
            assert_eq!((sheet.id.as_str(), sheet.gid.as_deref()), (ID, gid), "{tail}");
        }
        let by_user = format!("https://docs.google.com/spreadsheets/u/0/d/{ID}/edit");
        assert!(Sheet::of(&by_user).is_some());
        for other in [
            "https://docs.google.com/document/d/1AbCdEfGhIjKl/edit",
            "https://evil.example/spreadsheets/d/1AbCdEfGhIjKl/edit",
            "https://docs.google.com.evil.example/spreadsheets/d/1AbCdEfGhIjKl",
            "https://docs.google.com/spreadsheets/d/../../x",
            "https://docs.google.com/spreadsheets/d/e/2PACX-1v/pubhtml",
            "nothing",
        ] {
            assert_eq!(Sheet::of(other), None, "{other}");
        }
    }

    #[test]
    fn the_values_of_the_api_become_rows_with_their_lines() {
        let body = br#"{"range":"A1:C4","majorDimension":"ROWS",
            "values":[["id","phone","name"],["1",380931234567,"A, B"],[],["2","067"]]}"#;
        let mut table = Table::default();
        assert_eq!(values(body, &mut table), Ok(4));
        let text = String::from_utf8(table.take()).unwrap();
        assert_eq!(text, "id,phone,name\n1,380931234567,\"A, B\"\n,\n2,067\n");
        assert_eq!(values(b"{\"range\":\"A1\"}", &mut Table::default()), Ok(0));
        assert!(values(b"<html>", &mut Table::default()).is_err());
    }

    #[test]
    fn hostile_answers_cost_no_more_than_their_bounds() {
        let table = |body: &str| {
            let mut table = Table::default();
            let rows = values(body.as_bytes(), &mut table).unwrap();
            assert_eq!(rows, table.rows());
            (rows, table.take().len())
        };
        let long = "x".repeat(1_000_000);
        for (row, most) in [
            (format!("[{}0]", "0,".repeat(100_000)), 700),
            (format!("[\"{long}\"]"), 2_100),
            // Longer than a row may be: what stands in front is told.
            (format!("[{}0]", format!("\"{}\",", &long[..9_000]).repeat(250)), 900),
            ("{}".to_owned(), 10),
            (format!("[{}]", "[".repeat(100) + &"]".repeat(100)), 210),
        ] {
            let (rows, bytes) = table(&format!("{{\"values\":[{row}]}}"));
            assert_eq!(rows, 1);
            assert!(bytes <= most, "{bytes} of {}", &row[..row.len().min(40)]);
        }
        let many = format!("{{\"values\":[{}[]]}}", "[1],".repeat(MOST_ROWS as usize + 5));
        assert_eq!(table(&many).0, MOST_ROWS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_not(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = values(&bytes, &mut Table::default());
            let _ = values(&[b"{\"values\":[[", &bytes[..], b"]]}"].concat(), &mut Table::default());
        }

        #[test]
        fn no_answer_and_no_link_makes_it_fall_over(
            text in r#"[\[\]{}:,"a-c0-9.\\ values]{0,160}"#,
            link in "(https://docs\\.google\\.com/spreadsheets)?\\PC{0,60}",
        ) {
            let _ = values(text.as_bytes(), &mut Table::default());
            Sheet::of(&link);
        }
    }
}
