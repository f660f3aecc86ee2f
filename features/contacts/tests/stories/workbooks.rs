//! Workbooks through HTTP: the same preview, mapping and report as texts have, a choice of sheets,
//! and every way in which a file is no workbook.

use std::io::{Cursor, Write as _};

use axum::{body::Body, http::Method};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::world::{World, each, path};

const NS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook of sheets: each a name and rows of cells, numbers where they are numbers.
fn workbook(sheets: &[(&str, Vec<Vec<Value>>)]) -> Vec<u8> {
    let (mut tabs, mut links, mut parts) = (String::new(), String::new(), Vec::new());
    for (n, (name, rows)) in sheets.iter().enumerate() {
        tabs += &format!("<sheet name=\"{name}\" r:id=\"s{n}\"/>");
        links += &format!(
            "<Relationship Id=\"s{n}\" Type=\"{NS}/worksheet\" Target=\"worksheets/{n}.xml\"/>"
        );
        let rows: Vec<String> = rows.iter().map(|row| cells(row)).collect();
        let rows = rows.join("</row><row>");
        let sheet = format!("<worksheet><sheetData><row>{rows}</row></sheetData></worksheet>");
        parts.push((format!("xl/worksheets/{n}.xml"), sheet));
    }
    let root = format!(
        "<Relationships><Relationship Id=\"b\" Type=\"{NS}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let links = format!("<Relationships>{links}</Relationships>");
    let main = format!("<workbook xmlns:r=\"{NS}\"><sheets>{tabs}</sheets></workbook>");
    parts.push(("xl/workbook.xml".to_owned(), main));
    parts.push(("xl/_rels/workbook.xml.rels".to_owned(), links));
    parts.push(("_rels/.rels".to_owned(), root));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(body.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn cells(row: &[Value]) -> String {
    let cell = |value: &Value| match value.as_str() {
        Some(text) => format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        None => format!("<c><v>{value}</v></c>"),
    };
    row.iter().map(cell).collect()
}

fn row(cells: &[&str]) -> Vec<Value> {
    cells.iter().map(|cell| json!(cell)).collect()
}

fn people() -> Vec<(&'static str, Vec<Vec<Value>>)> {
    vec![
        ("Notes", Vec::new()),
        (
            "Люди",
            vec![
                row(&["Код", "Телефон", "Ім'я", "Борг"]),
                vec![json!(17), json!(380_931_234_567_i64), json!("Олена"), json!(12.5)],
                Vec::new(),
                row(&["18", "none", "=1+1", ""]),
                row(&["19", "093 123 45 68\n093 123 45 69", "Ярослав Їжак", ""]),
            ],
        ),
        ("Other", vec![row(&["phone"]), vec![json!(998_901_234_567_i64)]]),
    ]
}

fn files(world: &World) -> Vec<String> {
    let root = world.handles().blob.path("1/import").unwrap();
    let Ok(found) = std::fs::read_dir(root) else { return Vec::new() };
    found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn alo_10_a_workbook_is_imported_like_a_text_and_errors_name_its_rows() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, workbook(&people())).await.ok();
        assert_eq!((&import["state"], &import["source"]), (&json!("ready"), &json!("xlsx")));
        assert_eq!(import["sheets"], json!(["Notes", "Люди", "Other"]));
        assert_eq!((&import["sheet"], &import["has_header"]), (&json!("Люди"), &json!(true)));
        assert_eq!(import["columns"], json!(["Код", "Телефон", "Ім'я", "Борг"]));
        assert_eq!(import["sample"][0], json!(["17", "380931234567", "Олена", "12.5"]));
        assert_eq!(files(&world).len(), 2);
        world.start(&import).await;
        assert_eq!(files(&world).len(), 1);
        world.work().await;
        let done = world.reread(&import).await;
        assert_eq!((&done["state"], &done["counts"]["added"]), (&json!("done"), &json!(2)));
        assert_eq!(done["counts"]["rejected"], 1);
        assert_eq!(done["done"], done["total"]);
        let contacts = world.contacts(&list).await;
        assert_eq!(
            (&contacts[0]["source"], &contacts[0]["external_id"]),
            (&json!("xlsx"), &json!("17"))
        );
        assert_eq!(contacts[0]["numbers"][0]["phone"], "+380931234567");
        assert_eq!(contacts[0]["variables"], json!({ "борг": "12.5" }));
        assert_eq!(contacts[1]["numbers"].as_array().unwrap().len(), 2);
        // The row of the sheet, also below an empty one.
        let csv = world.get(&format!("{}/rejected.csv?language=en", path(&import))).await;
        let text = String::from_utf8(csv.bytes.to_vec()).unwrap();
        assert!(text.contains("\r\n4,The phone number cannot be read.,18,none,'=1+1"), "{text}");
        assert!(files(&world).is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_sheet_can_be_chosen_and_nothing_is_left_of_the_others() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, workbook(&people())).await.ok();
        let place = path(&import);
        let other = world.ours.patch(&place, json!({ "sheet": "Other" })).await.ok();
        assert_eq!((&other["sheet"], &other["columns"]), (&json!("Other"), &json!(["phone"])));
        assert_eq!(other["sample"], json!([["998901234567"]]));
        assert_eq!(files(&world).len(), 2);
        // A sheet without rows, and one that is not there, leave what was chosen.
        let empty = world.ours.patch(&place, json!({ "sheet": "Notes" })).await;
        assert_eq!(empty.problem(), (422, "import_no_rows".to_owned()));
        let none = world.ours.patch(&place, json!({ "sheet": "None" })).await;
        assert_eq!(none.value()["errors"][0]["field"], "sheet");
        let plain = world.ours.patch(&place, json!({ "has_header": false })).await.ok();
        assert_eq!((&plain["sheet"], &plain["columns"]), (&json!("Other"), &json!(["1"])));
        let back = world.ours.patch(&place, json!({ "sheet": "Люди" })).await.ok();
        assert_eq!(back["has_header"], true);
        let other = world.ours.patch(&place, json!({ "sheet": "Other" })).await.ok();
        world.start(&other).await;
        world.work().await;
        assert_eq!(world.reread(&import).await["counts"]["added"], 1);
        assert!(files(&world).is_empty());
        let late = world.ours.patch(&place, json!({ "sheet": "Люди" })).await;
        assert_eq!(late.problem(), (409, "import_not_ready".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_workbook_that_is_cancelled_or_whose_list_goes_leaves_no_file() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, workbook(&people())).await.ok();
        world.ours.post(&format!("{}/cancel", path(&import)), Value::Null).await.ok();
        assert!(files(&world).is_empty());
        world.upload(&list, workbook(&people())).await.ok();
        assert_eq!(world.ours.delete(&format!("/lists/{list}")).await.status.as_u16(), 204);
        world.work().await;
        assert!(files(&world).is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_workbook_is_refused_by_name_and_leaves_nothing() {
    let compound = |inside: &str| {
        let mut bytes = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        bytes.resize(70_000, 0);
        bytes.extend(inside.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    let huge = vec![row(&["phone"]), vec![json!("7".repeat(300_000))]];
    let whole = workbook(&people());
    let mut damaged = whole.clone();
    damaged.truncate(whole.len() - 30);
    each(|world| {
        let cases = [
            (compound("Workbook"), "import_spreadsheet"),
            (compound("EncryptedPackage"), "import_encrypted"),
            (damaged.clone(), "import_not_a_workbook"),
            (workbook(&[("Empty", Vec::new())]), "import_no_sheet"),
            (workbook(&[]), "import_no_sheet"),
            (workbook(&[("Huge", huge.clone())]), "import_workbook_too_large"),
        ];
        async move {
            let list = world.list("People").await;
            for (bytes, code) in cases {
                let refused = world.upload(&list, bytes).await;
                assert_eq!(refused.problem().1, code, "{}", refused.value());
            }
            assert!(files(&world).is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn do_not_call_numbers_come_in_a_workbook_and_in_utf_16_too() {
    each(|world| async move {
        let wide = "phone;reason\n0931234570;просив\n".encode_utf16();
        let wide: Vec<u8> =
            std::iter::once(0xFEFF).chain(wide).flat_map(u16::to_le_bytes).collect();
        for (bytes, number) in [(workbook(&people()), "+380931234567"), (wide, "+380931234570")] {
            let kind = [("content-type", "application/octet-stream")];
            let place = "/do-not-call/import";
            let told = world.ours.send(Method::POST, place, Body::from(bytes), &kind).await.ok();
            assert_eq!(told["problems"].as_array().unwrap().len() as u64, told["rejected"]);
            let check = world.get(&format!("/do-not-call/check?phone=%2B{}", &number[1..])).await;
            assert!(check.ok().to_string().contains("account"), "{told}");
        }
        let none = world
            .ours
            .send(Method::POST, "/do-not-call/import", Body::from(workbook(&[])), &[])
            .await;
        assert_eq!(none.problem().1, "import_no_sheet");
    })
    .await;
}

#[tokio::test]
async fn the_template_is_a_workbook_too_and_may_be_uploaded_again() {
    each(|world| async move {
        let template = world.get("/lists/template.xlsx?language=ru").await;
        assert!(template.status.is_success());
        let list = world.list("People").await;
        let import = world.upload(&list, template.bytes.to_vec()).await.ok();
        assert_eq!(import["sheet"], "Контакты");
        assert_eq!(import["columns"][1], "телефон");
        assert_eq!(import["mapping"]["phone"], json!(["телефон", "телефон 2"]));
    })
    .await;
}

/// Whatever becomes of a workbook on its way, no request fails unexpectedly, and what is taken is
/// accounted for.
#[tokio::test]
async fn a_damaged_workbook_is_imported_or_refused_and_every_row_is_accounted_for() {
    each(|world| async move {
        let list = world.list("Noise").await;
        let whole = workbook(&people());
        let mut runner = TestRunner::deterministic();
        let turns = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
        let mut taken = 0;
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for (at, byte) in turns.new_tree(&mut runner).unwrap().current() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let answer = world.upload(&list, bytes).await;
            assert_ne!(answer.status.as_u16(), 500, "{}", answer.value());
            if !answer.status.is_success() {
                continue;
            }
            let mut import = answer.value();
            if import["mapping"]["phone"] == json!([]) {
                import["mapping"] = json!({ "phone": [import["columns"][0]] });
            }
            world.start(&import).await;
            world.work().await;
            let done = world.reread(&import).await;
            assert_eq!(done["state"], "done", "{done}");
            let count = |name: &str| done["counts"][name].as_i64().unwrap();
            let sum: i64 =
                ["added", "updated", "unchanged", "duplicates", "rejected"].map(count).iter().sum();
            assert_eq!(sum, count("rows"), "{done}");
            taken += 1;
        }
        assert!(taken > 0, "the damage is too great to say anything");
        assert!(files(&world).is_empty());
    })
    .await;
}
