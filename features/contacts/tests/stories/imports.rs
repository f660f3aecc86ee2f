//! Imports through HTTP: every way in which files are written, duplicates, bad rows, cancelling, and
//! a process that is killed between two units.

use std::{collections::BTreeSet, time::Duration};

use access::Role;
use base::Id;
use contacts::ContactProblem;
use db::{args, sql};
use encoding_rs::WINDOWS_1251;
use host::testing::{Answer, Badges};
use jobs::JobState;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::world::{World, each, path, upload};

/// A file that was downloaded.
fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

fn numbers(contact: &Value) -> Vec<&str> {
    let numbers = contact["numbers"].as_array().unwrap();
    numbers.iter().map(|number| number["phone"].as_str().unwrap()).collect()
}

/// A file in an encoding; `bom` is UTF-8 with a byte order mark.
fn written(text: String, encoding: &str) -> Vec<u8> {
    match encoding {
        "bom" => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        "windows-1251" => WINDOWS_1251.encode(&text).0.into_owned(),
        "utf-16le" => utf_16(&text, u16::to_le_bytes),
        "utf-16be" => utf_16(&text, u16::to_be_bytes),
        _ => text.into_bytes(),
    }
}

/// With a byte order mark.
fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(order).collect()
}

/// Rows of `count` people with ids from 1 and one number each.
fn people(count: u32) -> String {
    let mut file = "id,phone,name\n".to_owned();
    for n in 1..=count {
        file.push_str(&format!("{n},093{n:07},Person {n}\n"));
    }
    file
}

#[tokio::test]
async fn alo_10_every_encoding_delimiter_and_header_gives_the_same_contacts() {
    each(|world| async move {
        for (n, delimiter) in [",", ";", "\t"].into_iter().enumerate() {
            for (encoding, header, end) in [
                ("utf-8", true, "\n"),
                ("utf-8", false, "\r\n"),
                ("bom", true, "\r\n"),
                ("bom", false, "\n"),
                ("windows-1251", true, "\r\n"),
                ("windows-1251", false, "\n"),
                ("utf-16le", true, "\r\n"),
                ("utf-16le", false, "\n"),
                ("utf-16be", true, "\n"),
            ] {
                let list = world.list(&format!("{n} {encoding} {header}")).await;
                let mut rows = vec![
                    ["17", "093 123 45 67", "\"Ґудзь, Олена; \"\"Оля\"\"\nмолодша\""],
                    ["18", "+380 67 123 45 67", "Їжак Ярослав"],
                ];
                if header {
                    rows.insert(0, ["Код", "Телефон", "Ім'я"]);
                }
                let rows = rows.iter().map(|row| row.join(delimiter)).collect::<Vec<_>>();
                let text = rows.join(end) + end;
                let bytes = written(text, encoding);
                let name = format!("{encoding} {delimiter:?} header {header}");
                let mut import = world.upload(&list, bytes).await.ok();
                assert_eq!(import["state"], "ready", "{name}");
                assert_eq!(import["delimiter"], delimiter, "{name}");
                assert_eq!(import["has_header"], header, "{name}");
                let told = if encoding == "bom" { "utf-8" } else { encoding };
                assert_eq!(import["encoding"], told, "{name}");
                assert_eq!(import["sample"].as_array().unwrap().len(), 2, "{name}");
                if header {
                    assert_eq!(import["columns"], json!(["Код", "Телефон", "Ім'я"]), "{name}");
                } else {
                    assert_eq!(import["mapping"]["phone"], json!(["2"]), "{name}");
                    import["mapping"] = json!({ "id": "1", "phone": ["2"], "name": "3" });
                }
                world.start(&import).await;
                world.work().await;
                let done = world.reread(&import).await;
                assert_eq!(done["state"], "done", "{name}");
                assert_eq!(done["done"], done["total"], "{name}");
                let people = world.contacts(&list).await;
                let seen: Vec<_> = people
                    .iter()
                    .map(|c| {
                        (
                            c["external_id"].as_str().unwrap(),
                            c["name"].as_str().unwrap(),
                            numbers(c),
                        )
                    })
                    .collect();
                assert_eq!(
                    seen,
                    [
                        ("17", "Ґудзь, Олена; \"Оля\"\nмолодша", vec!["+380931234567"]),
                        ("18", "Їжак Ярослав", vec!["+380671234567"]),
                    ],
                    "{name}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn alo_10_a_wrong_guess_is_corrected_and_the_preview_follows() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, "a|1;b|2\nc|3;d|4\n").await.ok();
        let place = path(&import);
        assert_eq!(import["columns"].as_array().unwrap().len(), 2);
        let other = json!({ "delimiter": ",", "has_header": true, "encoding": "windows-1251" });
        let changed = world.ours.patch(&place, other).await.ok();
        assert_eq!(changed["columns"], json!(["a|1;b|2"]));
        assert_eq!(changed["sample"], json!([["c|3;d|4"]]));
        assert_eq!(changed["encoding"], "windows-1251");
        let unknown = world.ours.patch(&place, json!({ "delimiter": "|" })).await;
        assert_eq!(unknown.problem().1, "validation_failed");
        // A text has no sheets, and is not in UTF-16 when it does not say so.
        for wish in [json!({ "sheet": "a" }), json!({ "encoding": "utf-16le" })] {
            let refused = world.ours.patch(&place, wish).await;
            assert_eq!(refused.problem(), (422, "validation_failed".to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn alo_10_a_file_in_utf_16_leaves_no_choice_and_half_a_character_costs_one_row() {
    each(|world| async move {
        let list = world.list("People").await;
        let mut bytes = utf_16("id,phone,name\n1,0931234567,", u16::to_le_bytes);
        bytes.extend([0x3D, 0xD8]);
        bytes.extend("\n2,0931234568,Їжак\n".encode_utf16().flat_map(u16::to_le_bytes));
        let import = world.upload(&list, bytes).await.ok();
        let place = path(&import);
        assert_eq!(import["encoding"], "utf-16le");
        let refused = world.ours.patch(&place, json!({ "encoding": "utf-8" })).await;
        assert_eq!(refused.value()["errors"][0]["field"], "encoding", "{}", refused.value());
        let again = world.ours.patch(&place, json!({ "has_header": true })).await.ok();
        assert_eq!(again["columns"], json!(["id", "phone", "name"]));
        world.start(&again).await;
        world.work().await;
        let done = world.reread(&import).await;
        assert_eq!((&done["counts"]["added"], &done["counts"]["rejected"]), (&json!(1), &json!(1)));
        assert_eq!(world.contacts(&list).await[0]["name"], "Їжак");
        let csv = world.get(&format!("{place}/rejected.csv?language=en")).await;
        assert!(text(&csv).contains("2,The row is not text"), "{}", text(&csv));
    })
    .await;
}

#[tokio::test]
async fn files_that_are_no_csv_are_refused_by_name_and_leave_nothing() {
    each(|world| async move {
        let list = world.list("People").await;
        for (bytes, code) in [
            (b"PK\x03\x04 a workbook".to_vec(), "import_not_a_workbook"),
            (b"i\0d\0\n\x001\0".to_vec(), "import_utf16"),
            (vec![7; 10_000], "import_binary"),
            (b"".to_vec(), "import_no_rows"),
            (b"\n\r\n".to_vec(), "import_no_rows"),
            (",".repeat(300).into_bytes(), "import_no_rows"),
        ] {
            let refused = world.upload(&list, bytes).await;
            assert_eq!(refused.problem().1, code, "{}", refused.value());
        }
        let imports = world.get(&format!("/lists/{list}/imports")).await.ok();
        let states: Vec<_> = imports["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["state"].as_str().unwrap(), row["problem"]["code"].as_str().unwrap()))
            .collect();
        assert_eq!(states.len(), 6);
        assert_eq!(states[5], ("failed", "import_not_a_workbook"));
        let files = sql!("SELECT COUNT(*) FROM import WHERE list = $1 AND blob_key IS NOT NULL");
        assert_eq!(world.count(files, &list).await, 0);
        assert!(ContactProblem::ALL.iter().any(|problem| problem.code == "import_binary"));
    })
    .await;
}

#[tokio::test]
async fn alo_10_bad_rows_are_kept_with_reasons_and_downloaded_without_formulas() {
    each(|world| async move {
        let list = world.list("People").await;
        let file = "id,phone,phone 2,name,time zone,note\n\
             1,0931234567,0671234567,Олена,europe/kyiv,=1+1\n\
             2,,,Nobody,,\n\
             3,none,,=cmd|' /C calc'!A0,,\n\
             4,3.80931E+11,,Rounded,,\n\
             5,0931234568,,Mars,Mars/Base,\n\
             1,0931234569,,Twice,,\n\
             6,0931234567,,Same phone,,\n\
             7,0931234570,?,Half,,\n\
             8,0931234571,,Wide,,,,more\n";
        let import = world.import(&list, file).await;
        assert_eq!(import["state"], "done");
        let counts = &import["counts"];
        let expected = json!({ "rows": 9, "added": 2, "updated": 0, "unchanged": 0,
            "duplicates": 2, "rejected": 5, "warnings": 1, "kept": 8 });
        assert_eq!(*counts, expected);
        let place = format!("{}/rejected.csv", path(&import));
        let csv = world.get(&format!("{place}?language=en")).await;
        assert!(csv.status.is_success());
        let file = text(&csv);
        let lines: Vec<&str> = file.trim_start_matches('\u{FEFF}').lines().collect();
        assert_eq!(lines[0], "Line,Reason,id,phone,phone 2,name,time zone,note");
        let start = |at: usize, expected: &str| {
            assert!(lines[at].starts_with(expected), "{}", lines[at]);
        };
        start(1, "3,There is no phone number.,2,");
        start(2, "4,The phone number cannot be read.,3,none,,'=cmd|' /C calc'!A0");
        start(3, "5,The spreadsheet has rounded");
        start(4, "6,There is no such time zone.");
        start(5, "7,An earlier row of the file has the same id.,1");
        start(6, "8,An earlier row of the file has the same phone number.,6");
        start(7, "9,\"The contact was added, but");
        start(8, "10,");
        assert_eq!(lines.len(), 9);
        // In the language of the person when none is named.
        let ukrainian = world.get(&format!("{place}?language=uk")).await;
        assert!(text(&ukrainian).contains("Немає номера телефону."));
        let olena = &world.contacts(&list).await[0];
        assert_eq!(numbers(olena), ["+380931234567", "+380671234567"]);
        assert_eq!(olena["zone"], "Europe/Kyiv");
        assert_eq!(olena["variables"], json!({ "note": "=1+1" }));
        assert_eq!(olena["numbers"][0]["kind"], "mobile");
        let row = world.get(&format!("/lists/{list}")).await.ok();
        assert_eq!((&row["contacts"], &row["numbers"]), (&json!(2), &json!(3)));
    })
    .await;
}

#[tokio::test]
async fn alo_15_a_second_file_brings_the_list_up_to_date() {
    each(|world| async move {
        let list = world.list("People").await;
        world
            .import(&list, "id,phone,name,debt\n1,0931111111,Олена,5\n2,0932222222,Іван,6\n")
            .await;
        let before = world.facts().await.len();
        // An exchange of numbers, which a check row by row would refuse; an empty name; a new one.
        let file = "id,phone,name,debt\n1,0932222222,,7\n2,0931111111,Іван,\n3,0933333333,Ніна,\n";
        let import = world.import(&list, file).await;
        assert_eq!(import["counts"]["rejected"], 2, "{import}");
        let file = "id,phone,name,debt\n1,0934444444,,7\n2,0932222222,Іван,6\n3,0931111111,Ніна,\n";
        let import = world.import(&list, file).await;
        let counts = &import["counts"];
        assert_eq!((&counts["updated"], &counts["unchanged"]), (&json!(2), &json!(1)), "{import}");
        let people = world.contacts(&list).await;
        assert_eq!(people.len(), 3);
        assert_eq!(
            (&people[0]["name"], numbers(&people[0])),
            (&json!("Олена"), vec!["+380934444444"])
        );
        assert_eq!(people[0]["variables"], json!({ "debt": "7" }));
        assert_eq!(numbers(&people[2]), ["+380931111111"]);
        let row = world.get(&format!("/lists/{list}")).await.ok();
        assert_eq!((&row["contacts"], &row["numbers"]), (&json!(3), &json!(3)));
        let facts = world.facts().await;
        assert_eq!(facts.len(), before + 2);
        assert_eq!(facts[before], format!("contacts.list_changed:{list}"));
        // The same file again changes nothing, and tells nobody.
        let import = world.import(&list, file).await;
        assert_eq!(import["counts"]["unchanged"], 3, "{import}");
        assert_eq!(world.facts().await.len(), before + 2);
    })
    .await;
}

#[tokio::test]
async fn the_mapping_and_region_of_the_last_file_with_such_columns_are_remembered() {
    each(|world| async move {
        let list = world.list("People").await;
        let mut import = world.upload(&list, "Aa,Bb\n1,90 123 45 67\n").await.ok();
        assert_eq!(import["region"], "UA");
        import["mapping"] = json!({ "phone": ["Bb"], "variables": { "Aa": "order" } });
        import["region"] = json!("uz");
        let started = world.start(&import).await;
        assert_eq!((&started["state"], &started["region"]), (&json!("running"), &json!("UZ")));
        assert_eq!(started["sample"], json!([]));
        world.work().await;
        assert_eq!(numbers(&world.contacts(&list).await[0]), ["+998901234567"]);
        assert_eq!(started["preset_at"], Value::Null);
        // In whatever order and case the heads stand.
        let next = world.upload(&list, "BB,aa\n90 123 45 68,2\n").await.ok();
        assert_eq!(next["region"], "UZ");
        assert_eq!(next["mapping"]["phone"], json!(["BB"]));
        assert_eq!(next["mapping"]["variables"], json!({ "aa": "order" }));
        assert_eq!(next["preset_at"], started["started_at"]);
        // It can be undone, and done again.
        let place = path(&next);
        let undone = world.ours.patch(&place, json!({ "preset": false })).await.ok();
        assert_eq!((&undone["preset_at"], &undone["region"]), (&Value::Null, &json!("UA")));
        assert_eq!(undone["mapping"]["variables"], json!({ "aa": "aa", "BB": "bb" }));
        let done = world.ours.patch(&place, json!({ "preset": true })).await.ok();
        assert_eq!((&done["mapping"], &done["region"]), (&next["mapping"], &json!("UZ")));
        // Other heads, no heads and another account have nothing of it.
        let other = world.upload(&list, "Aa,Bb,Cc\n2,90 123 45 68,x\n").await.ok();
        assert_eq!(other["preset_at"], Value::Null);
        let list = world.theirs.post("/lists", json!({ "name": "Theirs" })).await.ok();
        let theirs = list["id"].as_str().unwrap();
        let theirs = upload(&world.theirs, theirs, "Aa,Bb\n2,90 123 45 68\n").await.ok();
        assert_eq!(theirs["preset_at"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_mapping_that_nobody_used_for_a_year_is_forgotten() {
    each(|world| async move {
        let list = world.list("People").await;
        world.import(&list, "id,phone\n1,0931234567\n").await;
        world.advance(Duration::from_hours(24 * 399));
        let import = world.upload(&list, "id,phone\n1,0931234567\n").await.ok();
        assert_ne!(import["preset_at"], Value::Null);
        world.advance(Duration::from_hours(48));
        world.import(&list, "id,phone,name\n1,0931234567,A\n").await;
        let import = world.upload(&list, "id,phone\n1,0931234567\n").await.ok();
        assert_eq!(import["preset_at"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_start_that_cannot_work_names_the_field() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, "id,phone\n1,0931234567\n").await.ok();
        let place = format!("{}/start", path(&import));
        for (mapping, region, field, code) in [
            (json!({ "phone": [] }), "UA", "mapping.phone", "required"),
            (json!({ "phone": ["x"] }), "UA", "mapping.phone[0]", "unknown_column"),
            (json!({ "phone": ["id", "id"] }), "UA", "mapping.phone[1]", "column_used_twice"),
            (json!({ "phone": ["phone"] }), "XX", "region", "unknown_region"),
            (json!({ "phone": ["phone"] }), "", "region", "unknown_region"),
            (
                json!({ "phone": ["phone"], "variables": { "id": "" } }),
                "UA",
                "mapping.variables.id",
                "invalid_key",
            ),
        ] {
            let body = json!({ "mapping": mapping, "region": region });
            let refused = world.ours.post(&place, body).await;
            assert_eq!(refused.status.as_u16(), 422, "{}", refused.value());
            let error = &refused.value()["errors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)));
        }
        world.start(&import).await;
        let body = json!({ "mapping": import["mapping"], "region": "UA" });
        let twice = world.ours.post(&place, body).await;
        assert_eq!(twice.problem(), (409, "import_not_ready".to_owned()));
    })
    .await;
}

/// Runs the worker until the import has taken `rows` rows, and drops it where it stands.
async fn killed_after(world: &World, import: &Value, rows: i64) {
    tokio::select! {
        () = world.until_rows(import, rows) => {}
        done = world.handles().jobs.drain() => {
            done.unwrap();
            panic!("the import ended before it could be killed");
        }
    }
}

#[tokio::test]
async fn a_killed_import_goes_on_where_it_stood_and_neither_doubles_nor_loses_a_row() {
    each(|world| async move {
        let list = world.list("People").await;
        // Every id twice, far apart: what the killed process took must still count as seen.
        let file = people(4_000) + people(4_000).split_once('\n').unwrap().1;
        let import = world.upload(&list, file).await.ok();
        world.start(&import).await;
        killed_after(&world, &import, 500).await;
        let next = world.another_worker();
        let rows = world.reread(&import).await["counts"]["rows"].as_i64().unwrap();
        assert!((500..8_000).contains(&rows) && rows % 500 == 0, "{rows}");
        // The dead process's lease runs out.
        world.advance(Duration::from_mins(10));
        next.drain().await.unwrap();
        let done = world.reread(&import).await;
        assert_eq!(done["state"], "done", "{done}");
        let counts = &done["counts"];
        assert_eq!(
            (&counts["rows"], &counts["added"], &counts["duplicates"], &counts["kept"]),
            (&json!(8_000), &json!(4_000), &json!(4_000), &json!(4_000))
        );
        let people = world.contacts(&list).await;
        assert_eq!(people.len(), 4_000);
        let ids: BTreeSet<_> = people.iter().map(|c| c["external_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 4_000);
        let row = world.get(&format!("/lists/{list}")).await.ok();
        assert_eq!((&row["contacts"], &row["numbers"]), (&json!(4_000), &json!(4_000)));
    })
    .await;
}

#[tokio::test]
async fn two_workers_at_one_import_take_each_row_once() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(5_000)).await.ok();
        world.start(&import).await;
        let other = world.another_worker();
        // The second one takes the job over while the first is still at it.
        let late = async {
            world.until_rows(&import, 1).await;
            world.advance(Duration::from_mins(10));
            other.drain().await
        };
        let (one, two) = tokio::join!(world.handles().jobs.drain(), late);
        one.unwrap();
        two.unwrap();
        world.advance(Duration::from_mins(10));
        other.drain().await.unwrap();
        let done = world.reread(&import).await;
        assert_eq!((&done["state"], &done["counts"]["added"]), (&json!("done"), &json!(5_000)));
        assert_eq!(done["counts"]["rows"], 5_000);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_import_keeps_whole_units_and_says_how_many_rows() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(20_000)).await.ok();
        world.start(&import).await;
        let place = format!("{}/cancel", path(&import));
        let cancel = async {
            world.until_rows(&import, 1).await;
            world.ours.post(&place, Value::Null).await.ok()
        };
        let (worked, cancelled) = tokio::join!(world.handles().jobs.drain(), cancel);
        worked.unwrap();
        assert_eq!(cancelled["state"], "cancelled");
        let rows = cancelled["counts"]["rows"].as_i64().unwrap();
        assert!((500..20_000).contains(&rows) && rows % 500 == 0, "{rows}");
        // Nothing was taken after the answer.
        let later = world.reread(&import).await;
        assert_eq!(later["counts"], cancelled["counts"]);
        let row = world.get(&format!("/lists/{list}")).await.ok();
        assert_eq!(row["contacts"], json!(rows));
        assert_eq!(row["last_import"]["state"], "cancelled");
        // Again changes nothing, and a cancelled import cannot be started.
        let again = world.ours.post(&place, Value::Null).await.ok();
        assert_eq!(again["finished_at"], cancelled["finished_at"]);
        let start = place.replace("cancel", "start");
        let body = json!({ "mapping": import["mapping"], "region": "UA" });
        assert_eq!(world.ours.post(&start, body).await.problem().1, "import_not_ready");
        let files = sql!("SELECT COUNT(*) FROM import WHERE list = $1 AND blob_key IS NOT NULL");
        assert_eq!(world.count(files, &list).await, 0);
    })
    .await;
}

/// Whoever stops the job stops the import: its own page says so, whether it had begun or not.
#[tokio::test]
async fn a_stopped_job_cancels_its_import() {
    each(|world| async move {
        let list = world.list("People").await;
        for begun in [false, true] {
            let import = world.upload(&list, people(20_000)).await.ok();
            world.start(&import).await;
            let stop = async {
                if begun {
                    world.until_rows(&import, 1).await;
                }
                let now = world.handles().clock.now();
                let write = world.handles().db.write(move |tx| {
                    Box::pin(async move {
                        let account = Id::from_raw(1);
                        let newest = jobs::page(tx, account, None, i64::MAX, 1).await?;
                        jobs::stop(tx, account, newest[0].id, now).await.map(|_| newest[0].id)
                    })
                });
                write.await.unwrap()
            };
            let job = if begun {
                let (worked, job) = tokio::join!(world.handles().jobs.drain(), stop);
                worked.unwrap();
                job
            } else {
                let job = stop.await;
                world.work().await;
                job
            };
            let stopped = world.reread(&import).await;
            assert_eq!(stopped["state"], "cancelled");
            let rows = stopped["counts"]["rows"].as_i64().unwrap();
            assert!(rows % 500 == 0 && rows < 20_000 && (rows > 0) == begun, "{rows}");
            let read = world.handles().db.read(move |tx| {
                Box::pin(async move { jobs::view(tx, Id::from_raw(1), job).await })
            });
            assert_eq!(read.await.unwrap().state, JobState::Cancelled);
        }
        let files = sql!("SELECT COUNT(*) FROM import WHERE list = $1 AND blob_key IS NOT NULL");
        assert_eq!(world.count(files, &list).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_list_deleted_under_a_running_import_ends_it() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(3_000)).await.ok();
        world.start(&import).await;
        let delete = async {
            world.until_rows(&import, 1).await;
            world.ours.delete(&format!("/lists/{list}")).await
        };
        let (worked, deleted) = tokio::join!(world.handles().jobs.drain(), delete);
        worked.unwrap();
        assert_eq!(deleted.status.as_u16(), 204);
        world.work().await;
        let left = sql!("SELECT COUNT(*) FROM list_contact WHERE list = $1");
        assert_eq!(world.count(left, &list).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_file_lost_from_the_disk_fails_the_import_and_what_was_taken_stays() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(100)).await.ok();
        world.start(&import).await;
        let key = format!("1/import/{}", import["id"].as_str().unwrap());
        world.handles().blob.remove(&key).await.unwrap();
        world.work().await;
        let failed = world.reread(&import).await;
        assert_eq!(failed["state"], "failed");
        assert_eq!(failed["problem"]["code"], "import_file_lost");
    })
    .await;
}

/// The database takes no contact, as if its disk were full or its server away, or takes them again.
async fn outage(world: &World, begins: bool) {
    let statements: &[&str] = match (world.handles().db.engine(), begins) {
        (db::Engine::Sqlite, true) => &[sql!(sqlite: "PRAGMA max_page_count = 1")],
        (db::Engine::Sqlite, false) => &[sql!(sqlite: "PRAGMA max_page_count = 1000000")],
        (db::Engine::Postgres, true) => &[
            sql!(pg: "CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'away' USING ERRCODE = '57P03'; END $$"),
            sql!(pg: "CREATE TRIGGER away BEFORE INSERT ON list_contact
                EXECUTE FUNCTION away()"),
        ],
        (db::Engine::Postgres, false) => &[sql!(pg: "DROP TRIGGER away ON list_contact")],
    };
    for statement in statements.iter().copied() {
        let write = world.handles().db.write(move |tx| {
            Box::pin(async move {
                if statement.starts_with("PRAGMA") {
                    return tx.one::<(i64,)>(statement, args![]).await.map(drop);
                }
                tx.exec(statement, args![]).await.map(drop)
            })
        });
        write.await.unwrap();
    }
}

#[tokio::test]
async fn an_outage_of_the_database_is_waited_for_within_the_job() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(2_000)).await.ok();
        world.start(&import).await;
        outage(&world, true).await;
        let away = async {
            // Ten minutes, in which the job must not use up its attempts.
            for _ in 0..600 {
                world.advance(Duration::from_secs(1));
                world.settle().await;
            }
            assert_eq!(world.reread(&import).await["state"], "running");
            assert_eq!(world.attempts("contacts.import").await, 1);
            outage(&world, false).await;
            loop {
                world.advance(Duration::from_secs(1));
                world.settle().await;
            }
        };
        tokio::select! {
            done = world.handles().jobs.drain() => { done.unwrap(); }
            () = away => {}
        }
        let done = world.reread(&import).await;
        assert_eq!((&done["state"], &done["counts"]["added"]), (&json!("done"), &json!(2_000)));
    })
    .await;
}

#[tokio::test]
async fn ten_attempts_that_get_nowhere_fail_the_import_with_a_reason() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(10)).await.ok();
        world.start(&import).await;
        // Nobody foresaw a row of this shape.
        world.spoil(&import).await;
        for _ in 0..11 {
            assert_eq!(world.reread_state(&import).await, "running");
            world.work().await;
            world.advance(Duration::from_mins(1));
        }
        world.mend(&import).await;
        let failed = world.reread(&import).await;
        assert_eq!(failed["state"], "failed", "{failed}");
        assert_eq!(failed["problem"]["code"], "import_gave_up");
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_nobody_starts_is_given_up_after_a_day() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.upload(&list, people(1)).await.ok();
        world.advance(Duration::from_hours(25));
        world.upload(&list, people(1)).await.ok();
        let old = world.reread(&import).await;
        assert_eq!(
            (&old["state"], &old["problem"]["code"]),
            (&json!("failed"), &json!("import_expired"))
        );
        let files = sql!("SELECT COUNT(*) FROM import WHERE list = $1 AND blob_key IS NOT NULL");
        assert_eq!(world.count(files, &list).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_template_speaks_the_language_asked_for() {
    each(|world| async move {
        let template = world.get("/lists/template.csv?language=uk").await;
        assert!(text(&template).contains("телефон;телефон 2;ім'я"), "{}", text(&template));
        let template = world.get("/lists/template.csv?language=vi").await;
        assert!(text(&template).contains("số điện thoại"), "{}", text(&template));
    })
    .await;
}

#[tokio::test]
async fn the_topics_tell_progress_and_refuse_strangers() {
    each(|world| async move {
        let list = world.list("People").await;
        let import = world.import(&list, people(3)).await;
        let caller = Badges::caller(1, Role::Administrator).unwrap();
        let name = format!("import:{}", import["id"].as_str().unwrap());
        let seen = world.handles().hub.snapshot(&caller, &name).await.unwrap();
        assert_eq!(seen["counts"]["added"], 3);
        let seen = world.handles().hub.snapshot(&caller, &format!("list:{list}")).await.unwrap();
        assert_eq!((&seen["contacts"], &seen["last_import"]["state"]), (&json!(3), &json!("done")));
        let stranger = Badges::caller(2, Role::Administrator).unwrap();
        let refused = world.handles().hub.snapshot(&stranger, &name).await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 404);
        let operator = Badges::caller(1, Role::Operator).unwrap();
        let refused = world.handles().hub.snapshot(&operator, &name).await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 403);
    })
    .await;
}

/// Whatever bytes arrive, no request fails unexpectedly, every import ends, and every row is
/// counted once.
#[tokio::test]
async fn any_bytes_are_imported_or_refused_and_every_row_is_accounted_for() {
    each(|world| async move {
        let list = world.list("Noise").await;
        let mut runner = TestRunner::deterministic();
        let text = "(id|phone|093[0-9]{7}|\"|,|;|\t|\n|\r\n|=|Їжак|\u{0}|\u{FEFF}| ){0,60}";
        let noise = prop_oneof![
            3 => text.prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..300),
        ];
        for _ in 0..60 {
            let bytes = noise.new_tree(&mut runner).unwrap().current();
            let answer = world.upload(&list, bytes.clone()).await;
            assert_ne!(answer.status.as_u16(), 500, "{bytes:?}: {}", answer.value());
            if !answer.status.is_success() {
                continue;
            }
            let mut import = answer.value();
            if import["mapping"]["phone"] == json!([]) {
                let column = import["columns"][0].clone();
                import["mapping"] = json!({ "phone": [column] });
            }
            world.start(&import).await;
            world.work().await;
            let done = world.reread(&import).await;
            assert_eq!(done["state"], "done", "{bytes:?}: {done}");
            let count = |name: &str| done["counts"][name].as_i64().unwrap();
            let sum: i64 =
                ["added", "updated", "unchanged", "duplicates", "rejected"].map(count).iter().sum();
            assert_eq!(sum, count("rows"), "{bytes:?}: {done}");
        }
        let row = world.get(&format!("/lists/{list}")).await.ok();
        let stored = world.contacts(&list).await;
        assert_eq!(row["contacts"], json!(stored.len()));
        assert_eq!(row["numbers"], json!(stored.iter().map(|c| numbers(c).len()).sum::<usize>()));
    })
    .await;
}
