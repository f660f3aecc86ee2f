//! The smallest workbook: one sheet of texts.

use std::io::{Cursor, Write as _};

use zip::{CompressionMethod, ZipWriter, result::ZipResult, write::SimpleFileOptions};

const NS: &str = "http://schemas.openxmlformats.org/";
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
/// Rows below the head that are formatted as text, so that a spreadsheet leaves numbers alone.
const COLUMN: &str = "<col min=\"1\" max=\"50\" width=\"18\" style=\"1\" customWidth=\"1\"/>";

/// A workbook with these heads, whose cells are texts whatever is typed into them.
pub(crate) fn template(sheet: &str, heads: &[&str]) -> ZipResult<Vec<u8>> {
    let main = format!("{NS}spreadsheetml/2006/main");
    let doc = format!("{NS}officeDocument/2006/relationships");
    let package = format!("{NS}package/2006");
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/>\
                 <Override PartName=\"/xl/styles.xml\" ContentType=\"{kind}.styles+xml\"/>\
                 <Override PartName=\"/xl/worksheets/sheet1.xml\" \
                 ContentType=\"{kind}.worksheet+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"book\" \
                 Type=\"{doc}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{doc}\"><sheets><sheet name=\"{}\" \
                 sheetId=\"1\" r:id=\"s1\"/></sheets></workbook>",
                escaped(sheet)
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"s1\" \
                 Type=\"{doc}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship \
                 Id=\"styles\" Type=\"{doc}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        ("xl/styles.xml", styles(&main)),
        ("xl/worksheets/sheet1.xml", rows(&main, heads)),
    ];
    pack(parts.iter().map(|(name, body)| (*name, format!("{HEAD}{body}"))))
}

/// Two formats of cells: any, and text.
fn styles(main: &str) -> String {
    let xf = |format: u8| {
        format!(
            "<xf numFmtId=\"{format}\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" \
             applyNumberFormat=\"1\"/>"
        )
    };
    format!(
        "<styleSheet xmlns=\"{main}\"><fonts count=\"1\"><font><sz val=\"11\"/>\
         <name val=\"Calibri\"/></font></fonts><fills count=\"2\"><fill>\
         <patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/>\
         </fill></fills><borders count=\"1\"><border/></borders><cellStyleXfs count=\"1\">\
         <xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
         <cellXfs count=\"2\">{}{}</cellXfs></styleSheet>",
        xf(0),
        xf(49)
    )
}

fn rows(main: &str, heads: &[&str]) -> String {
    let mut cells = String::new();
    for head in heads {
        let head = escaped(head);
        cells += &format!("<c s=\"1\" t=\"inlineStr\"><is><t>{head}</t></is></c>");
    }
    format!(
        "<worksheet xmlns=\"{main}\"><cols>{COLUMN}</cols><sheetData><row r=\"1\">{cells}</row>\
         </sheetData></worksheet>"
    )
}

/// The parts as a file.
pub(crate) fn pack<'a, B: AsRef<[u8]>>(
    parts: impl Iterator<Item = (&'a str, B)>,
) -> ZipResult<Vec<u8>> {
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

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
