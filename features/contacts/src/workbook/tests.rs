//! Workbooks that are sound, odd, hostile or cut short.

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, result::ZipResult, write::SimpleFileOptions};

use super::*;
use crate::{
    file::{self, cut},
    rejected::template_heads,
};

const NS: &str = "http://schemas.openxmlformats.org/";

/// A workbook of these sheets: name, attributes, and what stands in `sheetData`.
fn parts(sheets: &[(&str, &str, &str)], more: &[(&str, String)]) -> Vec<(String, String)> {
    let doc = format!("{NS}officeDocument/2006/relationships");
    let mut tabs = String::new();
    let mut links = String::new();
    let mut parts = Vec::new();
    for (n, (name, state, rows)) in sheets.iter().enumerate() {
        tabs += &format!("<sheet name=\"{name}\" sheetId=\"{n}\" {state} r:id=\"s{n}\"/>");
        links += &format!(
            "<Relationship Id=\"s{n}\" Type=\"{doc}/worksheet\" Target=\"worksheets/{n}.xml\"/>"
        );
        parts.push((
            format!("xl/worksheets/{n}.xml"),
            format!("<worksheet><sheetData>{rows}</sheetData><mergeCells/></worksheet>"),
        ));
    }
    for (name, body) in more {
        links += &format!(
            "<Relationship Id=\"{name}\" Type=\"{doc}/{name}\" Target=\"/xl/{name}.xml\"/>"
        );
        parts.push((format!("xl/{name}.xml"), body.clone()));
    }
    parts.push((
        "xl/workbook.xml".to_owned(),
        format!(
            "<?xml version=\"1.0\"?><workbook xmlns:r=\"{doc}\"><sheets>{tabs}</sheets></workbook>"
        ),
    ));
    parts.push((
        "xl/_rels/workbook.xml.rels".to_owned(),
        format!("<Relationships>{links}</Relationships>"),
    ));
    parts.push((
        "_rels/.rels".to_owned(),
        format!(
            "<Relationships><Relationship Id=\"b\" Type=\"{doc}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    ));
    parts
}

/// The parts as a file.
fn pack<'a, B: AsRef<[u8]>>(parts: impl Iterator<Item = (&'a str, B)>) -> ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in parts {
        let body = body.as_ref();
        let is_empty = body.is_empty();
        let method = if is_empty { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        zip.start_file(name, SimpleFileOptions::default().compression_method(method))?;
        zip.write_all(body)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn packed(parts: &[(String, String)]) -> Vec<u8> {
    pack(parts.iter().map(|(name, body)| (name.as_str(), body.as_bytes()))).unwrap()
}

fn book(sheets: &[(&str, &str, &str)], more: &[(&str, String)]) -> Vec<u8> {
    packed(&parts(sheets, more))
}

/// The rows of a sheet with their numbers, cut as an import cuts them.
fn rows(bytes: &[u8], sheet: Option<usize>) -> Result<Vec<(u64, Vec<String>)>, Fault> {
    let mut book = Book::open(Cursor::new(bytes))?;
    let mut csv = Vec::new();
    let write = |piece| {
        csv.extend(piece);
        Ok(())
    };
    match sheet {
        Some(sheet) => drop(book.convert(sheet, write)?),
        None => drop(book.convert_first(write)?),
    }
    let cut = cut(&csv, file::of_table(&csv, true), 0, usize::MAX, true);
    assert_eq!(cut.bytes, csv.len());
    assert!(cut.rows.iter().all(|row| row.fault.is_none()));
    Ok(cut.rows.into_iter().map(|row| (row.line, row.cells)).collect())
}

fn one(rows_xml: &str) -> Result<Vec<(u64, Vec<String>)>, Fault> {
    rows(&book(&[("S", "", rows_xml)], &[]), None)
}

fn styles() -> (&'static str, String) {
    let xfs = ["0", "14", "164", "46", "49"].map(|id| format!("<xf numFmtId=\"{id}\"/>")).concat();
    let own = "<numFmts><numFmt numFmtId=\"164\" formatCode=\"dd.mm.yyyy hh:mm\"/></numFmts>";
    let other = "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>";
    ("styles", format!("<styleSheet>{own}{other}<cellXfs>{xfs}</cellXfs></styleSheet>"))
}

#[test]
fn alo_10_cells_of_every_kind_are_read_as_they_were_meant() {
    let shared = "<sst uniqueCount=\"3\"><si><t>Олена &amp; &#1030;ван</t></si>\
        <si><r><t xml:space=\"preserve\">rich </t></r><r><t>text</t></r>\
        <rPh><t>reading</t></rPh></si><si/></sst>";
    let row = "<row r=\"1\"><c r=\"A1\"><v>9.98901234567E11</v></c>\
        <c r=\"B1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c>\
        <c r=\"D1\" s=\"1\"><v>46387</v></c><c r=\"E1\" s=\"2\"><v>46387.5</v></c>\
        <c r=\"F1\" s=\"3\"><v>1.5</v></c>\
        <c r=\"G1\" t=\"str\"><f>A1&amp;\"x\"</f><v>998901234567x</v></c>\
        <c r=\"H1\"><f>2+2</f><v>4</v></c><c r=\"I1\" t=\"b\"><v>1</v></c>\
        <c r=\"J1\" t=\"e\"><v>#N/A</v></c><c r=\"K1\" t=\"inlineStr\"><is><t>093\n067</t></is></c>\
        <c r=\"L1\" t=\"d\"><v>2026-12-31T00:00:00</v></c><c r=\"M1\" s=\"4\"><v>0</v></c>\
        <c r=\"N1\" t=\"s\"><v>99</v></c><c r=\"O1\" t=\"str\"><v>a_x000D_b, \"c\"</v></c>\
        <c r=\"P1\"/></row>";
    let file = book(&[("S", "", row)], &[("sharedStrings", shared.to_owned()), styles()]);
    let cells = [
        "998901234567",
        "Олена & Іван",
        "rich text",
        "2026-12-31",
        "2026-12-31T12:00:00",
        "36:00:00",
        "998901234567x",
        "4",
        "TRUE",
        "#N/A",
        "093\n067",
        "2026-12-31",
        "0",
        "",
        "a\nb, \"c\"",
    ];
    assert_eq!(rows(&file, None).unwrap(), [(1, cells.map(str::to_owned).to_vec())]);
}

#[test]
fn a_row_keeps_its_number_and_a_cell_its_column() {
    let sheet = "<row r=\"2\"><c r=\"B2\"><v>1</v></c></row><row r=\"3\"><c r=\"A3\"/></row>\
        <row r=\"5\"><c><v>2</v></c><c><v>3</v></c></row><row><c r=\"A6\" t=\"str\"><v> </v></c>\
        </row><row><c r=\"C7\"><v>4</v></c></row>";
    let text = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    let expected = [(2, text(&["", "1"])), (5, text(&["2", "3"])), (7, text(&["", "", "4"]))];
    assert_eq!(one(sheet).unwrap(), expected);
    // The column behind the last says that there are too many.
    let wide = one("<row><c r=\"ZZZ1\"><v>1</v></c></row>").unwrap();
    assert_eq!(wide[0].1.len(), crate::file::MOST_COLUMNS + 1);
}

#[test]
fn the_first_sheet_with_rows_is_read_and_hidden_ones_are_not_offered() {
    let row = |n: u32| format!("<row><c><v>{n}</v></c></row>");
    let (one, two, three) = (row(1), row(2), row(3));
    let sheets = [
        ("Hidden", "state=\"hidden\"", one.as_str()),
        ("Empty", "", "<row/>"),
        ("Люди &amp; &quot;Co&quot;", "state=\"visible\"", two.as_str()),
        ("More", "", three.as_str()),
    ];
    let file = book(&sheets, &[]);
    let names = Book::open(Cursor::new(&file)).unwrap().sheets();
    assert_eq!(names, ["Empty", "Люди & \"Co\"", "More"]);
    assert_eq!(rows(&file, None).unwrap()[0].1, ["2"]);
    assert_eq!(rows(&file, Some(2)).unwrap()[0].1, ["3"]);
    assert_eq!(rows(&file, Some(0)).unwrap(), []);
    assert_eq!(rows(&file, Some(9)), Err(Fault::NoSheet));
    assert_eq!(rows(&book(&sheets[..1], &[]), None).unwrap()[0].1, ["1"]);
    assert_eq!(rows(&book(&sheets[1..2], &[]), None), Err(Fault::NoSheet));
    // A choice of sheets needs a name for each.
    let twice = book(&[("A", "", ""), ("A", "", ""), ("", "", "")], &[]);
    assert_eq!(Book::open(Cursor::new(&twice)).unwrap().sheets(), ["A", "A (2)", "3"]);
}

#[test]
fn parts_are_found_in_any_case_and_with_any_slashes() {
    let mut parts = parts(&[("S", "", "<row><c><v>1</v></c></row>")], &[]);
    for (name, _) in &mut parts {
        *name = name.replace('/', "\\").to_uppercase();
    }
    assert_eq!(rows(&packed(&parts), None).unwrap()[0].1, ["1"]);
}

#[test]
fn what_is_no_workbook_says_what_it_is() {
    let open = |bytes: &[u8]| Book::open(Cursor::new(bytes.to_vec())).err().unwrap();
    let of = |parts: &[(&str, &str)]| open(&pack(parts.iter().copied()).unwrap());
    assert_eq!(open(b"PK\x03\x04 a workbook"), Fault::NotAWorkbook);
    assert_eq!(open(b""), Fault::NotAWorkbook);
    assert_eq!(of(&[("a.txt", "text")]), Fault::NotAWorkbook);
    assert_eq!(of(&[("mimetype", "x"), ("content.xml", "<a/>")]), Fault::OtherKind);
    let root = |target: &str| {
        format!("<R><Relationship Type=\"x/officeDocument\" Target=\"{target}\"/></R>")
    };
    assert_eq!(of(&[("_rels/.rels", &root("xl/workbook.bin"))]), Fault::OtherKind);
    let document = [
        ("_rels/.rels", &*root("word/document.xml")),
        ("word/_rels/document.xml.rels", "<R/>"),
        ("word/document.xml", "<document/>"),
    ];
    assert_eq!(of(&document), Fault::NotAWorkbook);
    let mut half = book(&[("S", "", "<row><c><v>1</v></c></row>")], &[]);
    half.truncate(half.len() / 2);
    assert_eq!(open(&half), Fault::NotAWorkbook);
}

#[test]
fn nothing_that_a_workbook_claims_or_unpacks_to_takes_memory_without_bound() {
    let row = "<row><c t=\"s\"><v>0</v></c></row>";
    // A number of texts for which there is no memory: only those that are there count.
    let liar = "<sst uniqueCount=\"99999999999999\" count=\"1\"><si><t>a</t></si></sst>";
    let file = book(&[("S", "", row)], &[("sharedStrings", liar.to_owned())]);
    assert_eq!(rows(&file, None).unwrap()[0].1, ["a"]);
    // One text, one tag and one name longer than any spreadsheet writes.
    let long = "x".repeat(300 * 1024);
    for sheet in [
        format!("<row><c t=\"str\"><v>{long}</v></c></row>"),
        format!("<row a=\"{long}\"/>"),
        format!("<{long}/>"),
        format!("<row><c t=\"str\"><v><![CDATA[{long}]]></v></c></row>"),
        format!("<!--{long}-->"),
    ] {
        assert_eq!(one(&sheet), Err(Fault::TooLarge));
    }
    // A cell made of many small texts keeps one character more than is taken.
    let many = "<t>тисяча</t>".repeat(10_000);
    let cells = one(&format!("<row><c t=\"inlineStr\"><is>{many}</is></c></row>")).unwrap();
    assert_eq!(cells[0].1[0].chars().count(), crate::contact::LONGEST_VALUE + 1);
    // Tags within tags, a document type, rows out of order and too far down.
    assert_eq!(one(&"<a>".repeat(1_000)), Err(Fault::NotAWorkbook));
    assert_eq!(one("<!DOCTYPE a [<!ENTITY b \"c\">]>"), Err(Fault::NotAWorkbook));
    assert_eq!(one("<row r=\"2\"/><row r=\"1\"/>"), Err(Fault::NotAWorkbook));
    assert_eq!(one("<row r=\"1048577\"/>"), Err(Fault::TooLarge));
    // An entity that nobody made is nothing.
    let cells = one("<row><c t=\"str\"><v>a&lol;&lt;b</v></c></row>").unwrap();
    assert_eq!(cells[0].1, ["a<b"]);
}

#[test]
fn a_part_that_unpacks_to_more_than_its_bound_is_left_off() {
    let xml = format!("<a>{}</a>", "<b/>".repeat(100_000));
    let mut part = Part::new(xml.as_bytes(), 1_000);
    let mut seen = 0;
    let fault = loop {
        match part.next_start() {
            Ok(Some(_)) => seen += 1,
            Ok(None) => panic!("read to the end"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault, Fault::TooLarge);
    assert!(seen < 260, "{seen}");
    let mut whole = Part::new(xml.as_bytes(), xml.len() as u64);
    while whole.next_start().unwrap().is_some() {}
}

#[test]
fn sheets_without_rows_share_one_bound() {
    let empty = "<row/>".repeat(1_000);
    let file = book(&[("A", "", empty.as_str()), ("B", "", "<row><c><v>1</v></c></row>")], &[]);
    let mut all = Book::open(Cursor::new(&file)).unwrap();
    assert_eq!(all.convert_first(|_| Ok(())), Ok(1));
    assert!(all.left < MOST_SHEET - 6_000);
    let mut little = Book::open(Cursor::new(&file)).unwrap();
    little.left = 6_050;
    assert_eq!(little.convert_first(|_| Ok(())), Err(Fault::TooLarge));
}

#[test]
fn shared_texts_have_a_bound_together() {
    let text = format!("<si><t>{}</t></si>", "x".repeat(8_000));
    let xml = format!("<sst>{}</sst>", text.repeat(100));
    let strings = Strings::read(Part::new(xml.as_bytes(), u64::MAX)).unwrap();
    assert_eq!(strings.get(99).map(str::len), Some(8_000));
    assert_eq!(strings.get(100), None);
    let times = strings::MOST_BYTES / 8_000 + 1;
    let xml = std::io::Cursor::new(b"<sst>".to_vec()).chain(Repeated {
        text: text.into_bytes(),
        at: 0,
        left: times,
    });
    let fault = Strings::read(Part::new(xml, u64::MAX)).err();
    assert_eq!(fault, Some(Fault::TooLarge));
}

/// A text again and again, without taking memory for it.
struct Repeated {
    text: Vec<u8>,
    at: usize,
    left: usize,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let length = buffer.len().min(self.text.len() - self.at);
        buffer[..length].copy_from_slice(&self.text[self.at..self.at + length]);
        self.at += length;
        if self.at == self.text.len() {
            (self.at, self.left) = (0, self.left - 1);
        }
        Ok(length)
    }
}

#[test]
fn an_archive_with_a_table_of_entries_without_end_is_refused() {
    let names: Vec<String> = (0..60_000).map(|n| format!("xl/{n:0>70}")).collect();
    let bytes = pack(names.iter().map(|name| (name.as_str(), b""))).unwrap();
    assert_eq!(Book::open(Cursor::new(bytes)).err(), Some(Fault::NotAWorkbook));
}

#[test]
fn the_template_is_a_workbook_whose_heads_are_understood() {
    for language in base::Locale::ALL {
        let (sheet, heads) = template_heads(language);
        let bytes = template::template(sheet, &heads).unwrap();
        assert_eq!(Book::open(Cursor::new(&bytes)).unwrap().sheets(), [sheet]);
        assert_eq!(rows(&bytes, None).unwrap(), [(1, heads.map(str::to_owned).to_vec())]);
    }
}

/// Converts with a bound on what comes out; whatever goes in, it ends.
fn survive(bytes: &[u8]) {
    let Ok(mut book) = Book::open(Cursor::new(bytes)) else { return };
    for sheet in 0..book.sheets().len().min(3) {
        let mut length = 0;
        let converted = book.convert(sheet, |piece| {
            length += piece.len();
            // A piece and the row that fills it, or the empty rows before one.
            assert!(piece.len() < 4 * 1024 * 1024);
            Ok(())
        });
        if let Ok(rows) = converted {
            assert!(rows <= 1_048_576 && length as u64 <= crate::LARGEST_FILE);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_are_a_workbook_or_not(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        survive(&bytes);
        survive(&[b"PK\x03\x04".as_slice(), &bytes].concat());
    }

    /// A workbook in which bytes of the archive are turned.
    #[test]
    fn a_damaged_archive_does_no_harm(
        turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let row = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c s=\"1\"><v>5</v></c></row>";
        let shared = "<sst><si><t>a</t></si></sst>".to_owned();
        let mut bytes = book(&[("S", "", row)], &[("sharedStrings", shared), styles()]);
        for (at, byte) in turns {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        survive(&bytes);
    }

    /// Parts of XML in any order, as no spreadsheet would write them.
    #[test]
    fn any_xml_in_any_part_does_no_harm(
        sheet in xml(), shared in xml(), format in xml(), tabs in xml(), part in 0_usize..4,
    ) {
        let more = [("sharedStrings", shared), ("styles", format)];
        let mut all = parts(&[("S", "", &sheet)], &more);
        let count = all.len();
        if part > 1 {
            all[count - part].1 = tabs;
        }
        survive(&packed(&all));
    }
}

fn xml() -> impl Strategy<Value = String> {
    let tag = prop::sample::select(vec![
        "<row>",
        "</row>",
        "<row r=\"9\">",
        "<row r=\"-1\">",
        "<row r=\"1048576\">",
        "<c>",
        "</c>",
        "<c t=\"s\">",
        "<c t=\"str\" r=\"XFD1\">",
        "<c r=\"AAAAAAAAAAAAAAAA1\" s=\"-1\">",
        "<v>",
        "</v>",
        "<is>",
        "<t>",
        "</t>",
        "</is>",
        "<si>",
        "</si>",
        "<rPh>",
        "</rPh>",
        "<f>",
        "</f>",
        "7",
        "1e308",
        "46387",
        "Їжак",
        "&amp;",
        "&#0;",
        "&#x110000;",
        "&bad;",
        "&",
        "<",
        ">",
        "\"",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE a>",
        "</sheetData>",
        "_x0000_",
        "<xf numFmtId=\"14\"/>",
        "<cellXfs>",
        "<numFmt numFmtId=\"0\" formatCode=\"[h\"/>",
        "<sheet name=\"\" r:id=\"s0\"/>",
        "<sheet id=\"s0\" name=\"&lt;\"/>",
        "<workbook>",
        "\u{0}",
        "<Relationship Id=\"s0\" Type=\"worksheet\" Target=\"../../../xl/workbook.xml\"/>",
    ]);
    prop::collection::vec(tag, 0..40).prop_map(|tags| tags.concat())
}
