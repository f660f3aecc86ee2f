//! Sources: what a test shows, and what a load does to the list.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    peer::Peer,
    world::{World, each},
};

fn feed(url: &str) -> Value {
    json!({ "kind": "feed", "url": url, "region": "UA" })
}

fn person(id: u64, phone: &str, name: &str) -> Value {
    json!({ "id": id, "phone": phone, "name": name, "debt": 10 * id })
}

async fn test(world: &World, list: &str, settings: &Value) -> Value {
    let body = json!({ "settings": settings });
    world.ours.post(&format!("/lists/{list}/sources/test"), body).await.ok()
}

async fn create(world: &World, list: &str, settings: &Value, every: Option<u64>) -> Value {
    let body = json!({ "name": "CRM", "settings": settings, "every_min": every });
    world.ours.post(&format!("/lists/{list}/sources"), body).await.ok()
}

fn at(source: &Value) -> String {
    format!("/sources/{}", source["id"].as_str().unwrap())
}

async fn pulls(world: &World, source: &Value) -> Vec<Value> {
    let page = world.get(&format!("{}/pulls", at(source))).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn alo_13_a_test_shows_rows_or_the_exact_error_and_imports_nothing() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        let mut settings = feed(&peer.url("/list"));
        let items = json!([person(1, "093 123 45 67", "Олена"), { "id": 2, "name": "Іван" }]);
        peer.says(200, json!({ "result": { "list": items } }).to_string());
        // The wrong path: told, with the lists that there are.
        settings["path"] = "data.items".into();
        let told = test(&world, &list, &settings).await;
        assert_eq!(told["fault"]["code"], "path_missing");
        assert_eq!(told["fault"]["params"]["missing"], "data");
        assert_eq!(told["arrays"][0], json!({ "path": "result.list", "rows": 2 }));
        assert_eq!(told.get("proof"), None);
        settings["path"] = "result.list".into();
        let told = test(&world, &list, &settings).await;
        assert_eq!((told["rows"].as_i64(), told["refused"].as_i64()), (Some(2), Some(1)));
        assert_eq!(told["sample"][0]["phones"][0], "+380931234567");
        assert_eq!(told["sample"][0]["variables"]["debt"], "10");
        assert_eq!(told["sample"][1]["problem"], "There is no phone number.");
        assert!(told["proof"].is_string());
        // Renamed keys.
        settings["keys"] = json!({ "id": "uid", "phone": "phone", "name": "name" });
        let told = test(&world, &list, &settings).await;
        assert_eq!(told["fault"]["code"], "key_missing");
        assert_eq!(told["fault"]["params"]["keys"], "uid");
        peer.says(401, "{}");
        assert_eq!(test(&world, &list, &settings).await["fault"]["code"], "status_401");
        peer.says(200, "<html>Sign in</html>");
        assert_eq!(test(&world, &list, &settings).await["fault"]["code"], "html");
        // Nothing came of all this.
        assert_eq!(world.contacts(&list).await.len(), 0);
        assert_eq!(world.get(&format!("/lists/{list}/sources")).await.ok(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_on_the_open_internet_is_refused_in_words() {
    each(|world| async move {
        let list = world.list("Debtors").await;
        for (url, network) in [
            ("http://127.0.0.2/", "loopback"),
            ("http://2130706434/", "loopback"),
            ("http://[::1]/", "loopback"),
            ("http://169.254.169.254/latest/meta-data/", "link_local"),
            ("http://10.0.0.1/", "private"),
        ] {
            let told = test(&world, &list, &feed(url)).await;
            assert_eq!(told["fault"]["code"], "address", "{url}");
            assert_eq!(told["fault"]["params"]["network"], network, "{url}");
        }
        let body = json!({ "settings": feed("http://user:word@example.com/") });
        let refused = world.ours.post(&format!("/lists/{list}/sources/test"), body).await;
        assert_eq!(refused.faults(), ["settings.url: invalid_url"]);
    })
    .await;
}

#[tokio::test]
async fn alo_15_a_pull_brings_up_to_date_and_takes_nothing_away() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        let first = [
            person(1, "+380931111111", "A"),
            person(2, "+380932222222", "B"),
            person(3, "+380933333333", "C"),
        ];
        peer.says(200, json!(first).to_string());
        let source = create(&world, &list, &feed(&peer.url("/")), Some(5)).await;
        assert_eq!(source["tested"], false);
        world.work().await;
        assert_eq!(world.contacts(&list).await.len(), 3);
        assert_eq!(world.contacts(&list).await[0]["source"], "feed");
        // Two are new, one has another number, one is not there any more.
        let second = [
            person(1, "+380931111112", "A"),
            person(3, "+380933333333", "C"),
            person(4, "+380934444444", "D"),
            person(5, "+380935555555", "E"),
        ];
        peer.says(200, json!(second).to_string());
        world.advance(Duration::from_secs(299));
        world.work().await;
        assert_eq!(pulls(&world, &source).await.len(), 1, "five minutes have not passed");
        world.advance(Duration::from_secs(1));
        world.work().await;
        let history = pulls(&world, &source).await;
        assert_eq!(history.len(), 2);
        let counts = &history[0]["counts"];
        assert_eq!((counts["added"].as_i64(), counts["updated"].as_i64()), (Some(2), Some(1)));
        assert_eq!(counts["unchanged"], 1);
        let contacts = world.contacts(&list).await;
        assert_eq!(contacts.len(), 5);
        let phone = |id: &str| {
            let found = contacts.iter().find(|row| row["external_id"] == id).unwrap();
            found["numbers"][0]["phone"].as_str().unwrap().to_owned()
        };
        assert_eq!(phone("1"), "+380931111112");
        assert_eq!(phone("2"), "+380932222222");
        // A failed pull keeps the list, is in the history, and the next one comes on schedule.
        peer.says(500, "out of order");
        for _ in 0..5 {
            world.advance(Duration::from_secs(100));
            world.work().await;
        }
        let history = pulls(&world, &source).await;
        assert_eq!(history[0]["state"], "failed");
        assert_eq!(history[0]["fault"]["params"]["status"], 500);
        assert_eq!(world.contacts(&list).await.len(), 5);
        let raw = format!("{}/pulls/{}/raw", at(&source), history[0]["id"].as_str().unwrap());
        assert_eq!(world.get(&raw).await.ok()["raw"], "out of order");
        peer.says(200, json!(second).to_string());
        world.advance(Duration::from_mins(5));
        world.work().await;
        assert_eq!(pulls(&world, &source).await[0]["counts"]["unchanged"], 4);
    })
    .await;
}

#[tokio::test]
async fn alo_19_ids_are_one_across_sources_and_files() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        world.import(&list, "id;phone;name\n1;0931111111;From the file\n").await;
        let rows =
            json!([person(1, "+380931111111", "From the feed"), person(2, "+380932222222", "B")]);
        peer.says(200, rows.to_string());
        create(&world, &list, &feed(&peer.url("/")), None).await;
        world.work().await;
        let contacts = world.contacts(&list).await;
        assert_eq!(contacts.len(), 2);
        let of = |id: &str| contacts.iter().find(|row| row["external_id"] == id).unwrap();
        assert_eq!(
            (&of("1")["name"], &of("1")["source"]),
            (&json!("From the feed"), &json!("csv"))
        );
        assert_eq!(of("2")["source"], "feed");
    })
    .await;
}

#[tokio::test]
async fn the_secret_is_sent_to_its_host_alone_and_never_shown() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        let elsewhere = Peer::new().await;
        let rows = json!([person(1, "+380931111111", "A")]).to_string();
        peer.says(200, rows.clone());
        elsewhere.says(200, rows);
        let mut settings = feed(&peer.url("/"));
        settings["auth"] = json!({ "scheme": "bearer" });
        let sources = format!("/lists/{list}/sources");
        let body = json!({ "name": "CRM", "settings": settings });
        assert_eq!(world.ours.post(&sources, body).await.faults(), ["secret: required"]);
        let body = json!({ "settings": settings, "secret": "tell-nobody" });
        let told = world.ours.post(&format!("{sources}/test"), body).await.ok();
        assert!(!told.to_string().contains("tell-nobody"), "{told}");
        assert!(peer.heard()[0].contains("Bearer tell-nobody"));
        let body = json!({
            "name": "CRM", "settings": settings, "secret": "tell-nobody", "proof": told["proof"],
        });
        let source = world.ours.post(&sources, body).await.ok();
        assert_eq!((&source["has_secret"], &source["tested"]), (&json!(true), &json!(true)));
        assert!(!source.to_string().contains("tell-nobody"));
        world.work().await;
        assert!(peer.heard()[0].contains("Bearer tell-nobody"));
        // It is kept for the same place; for another one it must be typed again.
        let body = json!({ "settings": settings, "source": source["id"] });
        world.ours.post(&format!("{sources}/test"), body).await.ok();
        assert!(peer.heard()[0].contains("Bearer tell-nobody"));
        settings["url"] = elsewhere.url("/").into();
        let body = json!({ "settings": settings, "source": source["id"] });
        let refused = world.ours.post(&format!("{sources}/test"), body).await;
        assert_eq!(refused.faults(), ["secret: required"]);
        let body = json!({ "name": "CRM", "settings": settings });
        assert_eq!(world.ours.put(&at(&source), body).await.faults(), ["secret: required"]);
        assert_eq!(elsewhere.heard(), Vec::<String>::new());
        let sealed = world
            .count(
                "SELECT COUNT(*) FROM contact_source WHERE list = $1 AND secret IS NOT NULL",
                &list,
            )
            .await;
        assert_eq!(sealed, 1);
    })
    .await;
}

#[tokio::test]
async fn pages_are_followed_and_a_circle_is_noticed() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        peer.answer(|request| {
            let page: u64 = ["page=1 ", "page=2 ", "page=3 "]
                .iter()
                .position(|page| request.contains(page))
                .map_or(9, |at| at as u64 + 1);
            let rows = match page {
                1 | 2 => json!([
                    person(2 * page, &format!("+3809300000{page}0"), "A"),
                    person(2 * page + 1, &format!("+3809300000{page}1"), "B"),
                ]),
                _ => json!([]),
            };
            (200, json!({ "items": rows }).to_string())
        });
        let mut settings = feed(&peer.url("/?x=1"));
        settings["path"] = "items".into();
        settings["paging"] = json!({ "by": "page", "param": "page", "first": 1 });
        assert_eq!(test(&world, &list, &settings).await["more"], true);
        create(&world, &list, &settings, None).await;
        world.work().await;
        assert_eq!(world.contacts(&list).await.len(), 4);
        // Each answer names itself as the next one.
        peer.answer(|_| {
            let rows = json!([person(1, "+380931111111", "A")]);
            (200, json!({ "items": rows, "next": "/?x=1" }).to_string())
        });
        settings["paging"] = json!({ "by": "cursor", "param": "c", "path": "next" });
        let source = create(&world, &list, &settings, None).await;
        world.work().await;
        assert_eq!(pulls(&world, &source).await[0]["fault"]["code"], "paging_loops");
    })
    .await;
}

#[tokio::test]
async fn a_source_that_is_off_or_removed_is_not_asked() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        peer.says(200, json!([person(1, "+380931111111", "A")]).to_string());
        let source = create(&world, &list, &feed(&peer.url("/")), Some(1)).await;
        world.work().await;
        peer.heard();
        let mut off = json!({ "name": "CRM", "settings": feed(&peer.url("/")), "every_min": 1 });
        off["enabled"] = false.into();
        let changed = world.ours.put(&at(&source), off).await.ok();
        assert_eq!((changed["version"].as_i64(), changed.get("next_at")), (Some(2), None));
        world.advance(Duration::from_mins(10));
        world.work().await;
        assert_eq!(peer.heard(), Vec::<String>::new());
        let refused = world.ours.post(&format!("{}/pull", at(&source)), json!({})).await;
        assert_eq!(refused.problem(), (409, "source_off".to_owned()));
        assert_eq!(world.theirs.get(&at(&source)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.ours.delete(&at(&source)).await.status, StatusCode::NO_CONTENT);
        assert_eq!(world.get(&at(&source)).await.problem(), (404, "source_not_found".to_owned()));
        assert_eq!(world.contacts(&list).await.len(), 1, "its contacts stay");
        // A list that is deleted takes its sources along.
        create(&world, &list, &feed(&peer.url("/")), Some(1)).await;
        world.ours.delete(&format!("/lists/{list}")).await;
        world.work().await;
        world.advance(Duration::from_mins(10));
        world.work().await;
        let left = "SELECT COUNT(*) FROM contact_source WHERE list = $1";
        assert_eq!(world.count(left, &list).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_takes_over_a_load_loses_no_row_and_takes_none_twice() {
    each(|world| async move {
        let (list, peer) = (world.list("Debtors").await, Peer::new().await);
        let rows: Vec<Value> =
            (0..1_200).map(|n| person(n, &format!("+38093{n:07}"), "N")).collect();
        let body = json!(rows).to_string();
        // The first worker's process ends while the source is being asked.
        peer.answer(move |_| (200, body.clone()));
        let source = create(&world, &list, &feed(&peer.url("/")), None).await;
        let jobs = world.handles().jobs.clone();
        let stopped = {
            let asked = peer.clone();
            async move {
                while asked.heard().is_empty() {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::select! {
            _ = jobs.drain() => {}
            () = stopped => {}
        }
        let other = world.another_worker();
        world.advance(Duration::from_mins(1));
        other.drain().await.unwrap();
        world.advance(Duration::from_mins(1));
        other.drain().await.unwrap();
        assert_eq!(world.contacts(&list).await.len(), 1_200);
        let history = pulls(&world, &source).await;
        assert_eq!(history.len(), 1);
        assert_eq!(history[0]["counts"]["added"], 1_200);
        assert_eq!(history[0]["counts"]["duplicates"], 0);
    })
    .await;
}

const ROBOT: &str = include_str!("../../src/source/testing/robot.pem");
const SHEET: &str =
    "https://docs.google.com/spreadsheets/d/1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789/edit#gid=7";

#[tokio::test]
async fn alo_11_a_sheet_is_loaded_by_its_link() {
    let peer = Peer::new().await;
    each(move |world| {
        let peer = peer.clone();
        async move {
            let world = world.with_google(&peer.url(""));
            let list = world.list("Sheet").await;
            let mut settings =
                json!({ "kind": "sheet", "link": SHEET, "access": "link", "region": "UA" });
            peer.says(200, "<html>Sign in</html>");
            assert_eq!(test(&world, &list, &settings).await["fault"]["code"], "sheet_private");
            peer.heard();
            peer.says(200, "Телефон,Ім'я,Сума\n0931111111,Олена,5\n0932222222,Іван,6\n");
            let told = test(&world, &list, &settings).await;
            assert_eq!(told["rows"], 2, "{told}");
            assert_eq!(told["mapping"]["phone"], json!(["Телефон"]));
            let asked = &peer.heard()[0];
            let path =
                "/spreadsheets/d/1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789/export?format=csv&gid=7";
            assert!(asked.contains(path), "{asked}");
            settings["mapping"] = told["mapping"].clone();
            let source = create(&world, &list, &settings, None).await;
            world.work().await;
            assert_eq!(world.contacts(&list).await.len(), 2);
            // A column gets another name: the list stays, and the history says which.
            peer.says(200, "Tel,Ім'я,Сума\n0933333333,Олена,5\n");
            world.ours.post(&format!("{}/pull", at(&source)), json!({})).await.ok();
            world.work().await;
            let failed = pulls(&world, &source).await.remove(0);
            assert_eq!(failed["fault"]["code"], "column_missing");
            assert_eq!(failed["fault"]["params"]["column"], "Телефон");
            assert_eq!(world.contacts(&list).await.len(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn alo_11_a_sheet_is_loaded_by_a_service_account() {
    let peer = Peer::new().await;
    each(move |world| {
        let peer = peer.clone();
        async move {
            let world = world.with_google(&peer.url(""));
            let list = world.list("Sheet").await;
            let settings = json!({
                "kind": "sheet", "link": SHEET, "access": "service_account", "region": "UA",
            });
            let key = json!({
                "type": "service_account",
                "client_email": "robot@project.iam.gserviceaccount.com",
                "private_key": ROBOT,
                "token_uri": peer.url("/token"),
            });
            peer.answer(|request| {
                if request.starts_with("POST /token") {
                    let signed = request.contains("jwt-bearer") && request.contains("assertion=ey");
                    assert!(signed, "{request}");
                    return (200, json!({ "access_token": "t-1", "expires_in": 3599 }).to_string());
                }
                if !request.contains("Bearer t-1") {
                    return (401, "{}".to_owned());
                }
                if request.contains("fields=sheets.properties") {
                    let tabs =
                        json!({ "sheets": [{ "properties": { "sheetId": 7, "title": "It's" } }] });
                    return (200, tabs.to_string());
                }
                assert!(
                    request.contains("/values/%27It%27%27s%27!A:GR")
                        || request.contains("/values/'It''s'!A:GR"),
                    "{request}"
                );
                let values = json!([
                    ["id", "phone", "name"],
                    ["1", "0931111111", "Олена"],
                    ["2", "0932222222"]
                ]);
                (200, json!({ "values": values }).to_string())
            });
            let body = json!({ "settings": settings, "secret": key.to_string() });
            let told = world.ours.post(&format!("/lists/{list}/sources/test"), body).await.ok();
            assert_eq!(
                (&told["rows"], &told["robot"]),
                (&json!(2), &json!("robot@project.iam.gserviceaccount.com")),
                "{told}"
            );
            let body = json!({ "name": "S", "settings": settings, "secret": key.to_string() });
            let source = world.ours.post(&format!("/lists/{list}/sources"), body).await.ok();
            assert_eq!(source["settings"]["robot"], "robot@project.iam.gserviceaccount.com");
            assert!(!source.to_string().contains("PRIVATE KEY"));
            world.work().await;
            assert_eq!(world.contacts(&list).await.len(), 2);
            peer.answer(|request| {
                if request.starts_with("POST") {
                    (200, json!({ "access_token": "x" }).to_string())
                } else {
                    (403, "{}".to_owned())
                }
            });
            world.ours.post(&format!("{}/pull", at(&source)), json!({})).await.ok();
            world.work().await;
            assert_eq!(pulls(&world, &source).await[0]["fault"]["code"], "sheet_private");
        }
    })
    .await;
}
