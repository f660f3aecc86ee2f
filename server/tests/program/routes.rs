//! Every route and every topic, of every feature there is: who may, and whose things they are.
//!
//! A feature that is added is walked as well. When it has paths with ids, this file asks by name
//! for a seed (a thing of the first account) and for a body that a route accepts.

use std::collections::BTreeMap;

use access::Role;
use axum::{body::Body, http::Method};
use base::{Id, Locale};
use db::{args, sql};
use host::{
    Feature,
    testing::{Answer, Desk, World},
};
use http_kit::{Access, Caller, Route};
use serde_json::{Value, json};
use server::{
    boot::{Boot, Given},
    features::Features,
};

use crate::house::{House, id};

/// What may be asked without a session.
const PUBLIC: &[&str] = &["setup_needed", "setup", "sign_in", "check_invite", "accept_invite"];

/// Placeholders that stand for a value, which every account may name, and not for a thing.
const VALUES: &[&str] = &["/do-not-call/{phone}"];

/// Every feature behind badges instead of sessions.
async fn with_badges<F, R>(tell: F)
where
    F: Fn(World, Desk) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&[], |db| {
        let tell = &tell;
        async move {
            let world = World::new(db.clone());
            let boot = Boot::with(Given::default()).unwrap();
            let features = Features::new(&world.handles, &boot).unwrap().all;
            let mut chains = vec![http_kit::chain(), jobs::chain(), host::chain()];
            chains.extend(features.iter().map(|feature| feature.chain()));
            db.migrate(&chains).await.unwrap();
            let features: Vec<&dyn Feature> = features.iter().map(|f| &**f).collect();
            let desk = world.desk(&features);
            tell(world, desk).await;
        }
    })
    .await;
}

/// The path within the API with every placeholder filled by `fill`, which is given the path up to
/// and with the placeholder.
fn path_of(route: &Route, fill: impl Fn(&str) -> String) -> String {
    let pattern = route.path.strip_prefix("/api/v1").unwrap();
    let (mut path, mut walked) = (String::new(), String::new());
    for segment in pattern.split('/').skip(1) {
        walked = format!("{walked}/{segment}");
        let filled = if segment.starts_with('{') { fill(&walked) } else { segment.to_owned() };
        path = format!("{path}/{filled}");
    }
    path
}

async fn empty(desk: &Desk, route: &Route) -> Answer {
    desk.send(route.method.clone(), &path_of(route, |_| "1".to_owned()), Body::empty(), &[]).await
}

fn code(answer: &Answer) -> String {
    answer.value()["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_public_routes_are_these() {
    with_badges(|_, desk| async move {
        let public = desk.table().iter().filter_map(|route| match route.access {
            Access::Public(reason) => {
                assert!(reason.contains(' '), "{}: say why", route.operation);
                Some(route.operation.as_str())
            }
            Access::Permission(_) => None,
        });
        assert_eq!(public.collect::<Vec<_>>(), PUBLIC);
    })
    .await;
}

#[tokio::test]
async fn without_a_session_everything_else_is_401() {
    with_badges(|_, desk| async move {
        for route in desk.table() {
            let answer = empty(&desk, route).await;
            let at = format!("{} {}", route.method, route.path);
            match route.access {
                Access::Permission(_) => assert_eq!(code(&answer), "sign_in_required", "{at}"),
                Access::Public(_) => assert_ne!(code(&answer), "sign_in_required", "{at}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn each_role_gets_403_exactly_where_its_preset_lacks_the_permission() {
    with_badges(|_, desk| async move {
        for role in Role::ALL {
            let person = desk.of(1, role);
            for route in desk.table() {
                let Access::Permission(permission) = route.access else { continue };
                let answer = empty(&person, route).await;
                let at = format!("{role}: {} {} {}", route.method, route.path, answer.status);
                if role.permissions().has(permission) {
                    assert_ne!(code(&answer), "forbidden", "{at}");
                    assert_ne!(answer.status.as_u16(), 401, "{at}");
                    assert_ne!(answer.status.as_u16(), 500, "{at}");
                } else {
                    assert_eq!(code(&answer), "forbidden", "{at}");
                    assert_eq!(answer.value()["params"]["permission"], permission.as_str());
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn each_role_gets_the_topics_that_its_preset_allows() {
    with_badges(|world, _| async move {
        for (pattern, permission) in world.handles.hub.topics() {
            for role in Role::ALL {
                let name = pattern.replace(['{', '}'], "");
                let caller = host::testing::Badges::caller(1, role).unwrap();
                let told = world.handles.hub.snapshot(&caller, &name).await;
                let forbidden = told.is_err_and(|problem| problem.code() == "forbidden");
                assert_eq!(forbidden, !role.permissions().has(permission), "{role}: {pattern}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn operations_have_distinct_names() {
    with_badges(|_, desk| async move {
        let mut seen = BTreeMap::new();
        for route in desk.table() {
            let before = seen.insert(route.operation.clone(), route.path.clone());
            assert_eq!(before, None, "{} twice", route.operation);
        }
    })
    .await;
}

/// Things of the first account, by the path or the topic that names them.
async fn seeds(house: &House) -> BTreeMap<&'static str, String> {
    let owner = &house.owner;
    let (user, _) = house.join("operator").await;
    let session = id(&owner.get("/me/sessions").await.ok()[0]);
    let list = id(&owner.post("/lists", json!({ "name": "People" })).await.ok());
    let csv = Body::from("id,phone\n1,+380931234567\n");
    let path = format!("/lists/{list}/imports?filename=people.csv");
    let import = owner.send(Method::POST, &path, csv, &[("content-type", "text/csv")]).await;
    let import = id(&import.ok());
    let line = json!({ "name": "L", "mode": "address", "host": "192.0.2.1", "enabled": false });
    let line = id(&owner.post("/lines", line).await.ok());
    let audio = owner.send(Method::POST, "/audio?name=Prompt", Body::from(wav()), &[]).await;
    let audio = id(&audio.ok());
    let campaign = id(&owner.post("/campaigns", json!({ "name": "C" })).await.ok());
    let entry = json!({ "phone": "+380671234567" });
    let entry = id(&owner.post("/do-not-call", entry).await.ok());
    let hours = json!({ "mon": [["09:00", "18:00"]] });
    let calendar = json!({ "name": "C", "time_zone": "UTC", "hours": hours });
    let calendar = id(&owner.post("/calendars", calendar).await.ok());
    let rule = json!({ "name": "R", "rule": rule() });
    let rule = id(&owner.post("/attempt-rules", rule).await.ok());
    let me = owner.get("/session").await.ok();
    let account = id(&me["account"]);
    let feed = json!({ "kind": "feed", "url": "https://crm.example/", "region": "UA" });
    let wish = json!({ "name": "S", "settings": feed, "enabled": false });
    let source = id(&owner.post(&format!("/lists/{list}/sources"), wish).await.ok());
    loaded(house, account.parse().unwrap(), source.parse().unwrap()).await;
    let job = worked(house, account.parse().unwrap()).await;
    let (contact, recording) = (CONTACT.to_string(), RECORDING.to_string());
    called(house, account.parse().unwrap(), campaign.parse().unwrap()).await;
    BTreeMap::from([
        ("/users/{id}", user),
        ("/me/sessions/{id}", session),
        ("/lists/{id}", list.clone()),
        ("/imports/{id}", import.clone()),
        ("/sources/{id}", source.clone()),
        ("/sources/{id}/pulls/{pull}", PULL.to_string()),
        ("source:{id}", source),
        ("/lines/{id}", line),
        ("/audio/{id}", audio),
        ("/recordings/{attempt}", recording),
        ("/jobs/{id}", job),
        ("/do-not-call/entries/{id}", entry),
        ("/calendars/{id}", calendar),
        ("/attempt-rules/{id}", rule),
        ("/campaigns/{id}", campaign.clone()),
        ("/campaigns/{id}/contacts/{contact}", contact),
        ("/campaigns/{id}/exports/{export}", EXPORT.to_string()),
        ("list:{id}", list),
        ("import:{id}", import),
        ("campaign:{id}", campaign),
    ])
}

/// How contacts are tried.
pub(crate) fn rule() -> Value {
    json!({
        "max_attempts": 3, "ring_s": 30, "min_talk_s": 0, "retry_short_talk": true,
        "delays_s": {
            "busy": 600, "no_answer": 600, "failed": 600, "short_talk": 600, "machine": 600
        },
        "caps": { "per_day": 3, "per_week": 7 },
    })
}

pub(crate) const CONTACT: i64 = 4_711;
pub(crate) const RECORDING: i64 = 4_712;
pub(crate) const EXPORT: i64 = 4_713;
const PULL: i64 = 4_714;

/// A job that waits.
pub(crate) async fn worked(house: &House, account: i64) -> String {
    let ids = house.world.handles.ids.clone();
    let now = ids.clock().now();
    let write = house.world.handles.db.write(move |tx| {
        Box::pin(async move {
            let account = Id::from_raw(account);
            jobs::enqueue(tx, &ids, account, "campaigns.export", json!({}), None, now).await
        })
    });
    write.await.unwrap().to_string()
}

/// What only a load would make: its row.
async fn loaded(house: &House, account: i64, source: i64) {
    let write = house.world.handles.db.write(move |tx| {
        Box::pin(async move {
            tx.exec(
                sql!(
                    "INSERT INTO source_pull (id, account, source, job, state, bytes, started_at)
                     VALUES ($1, $2, $3, 1, 'failed', 0, 0)"
                ),
                args![PULL, account, source],
            )
            .await
        })
    });
    write.await.unwrap();
}

/// What only calls and jobs would make: a campaign contact, a recording and an export with their
/// files.
pub(crate) async fn called(house: &House, account: i64, campaign: i64) {
    let file = format!("{account}/2026-11-20/{RECORDING}");
    let row = file.clone();
    let write = house.world.handles.db.write(move |tx| {
        Box::pin(async move {
            tx.exec(
                sql!(
                    "INSERT INTO campaign_contact (id, account, campaign, list_contact, name,
                       phone, first_phone, number, numbers, state, state_group, next_at, attempts,
                       ordinal, created_at, updated_at)
                     VALUES ($1, $2, $3, 1, 'N', '+380931234567', '+380931234567', 0, 1,
                             'callable', 'callable', 0, 0, 0, 0, 0)"
                ),
                args![CONTACT, account, campaign],
            )
            .await?;
            tx.exec(
                sql!(
                    "INSERT INTO recording (attempt, account, file, duration, bytes, created_at)
                     VALUES ($1, $2, $3, 500000, 8044, 0)"
                ),
                args![RECORDING, account, row],
            )
            .await?;
            tx.exec(
                sql!(
                    "INSERT INTO campaign_export (id, account, campaign, what, format, filter,
                       language, person, job, state, done, bytes, created_at, expires_at)
                     VALUES ($1, $2, $3, 'contacts', 'csv', $4, 'en', 1, 1, 'ready', 0, 2, 0, $5)"
                ),
                args![EXPORT, account, campaign, json!({ "below": 0 }), i64::MAX],
            )
            .await
        })
    });
    write.await.unwrap();
    let blob = &house.world.handles.blob;
    blob.put(&format!("recording/{file}.wav"), wav()).await.unwrap();
    blob.put(&format!("recording/{file}.peaks"), vec![0_u8; 64]).await.unwrap();
    blob.put(&format!("export/{account}/{EXPORT}.csv"), "id").await.unwrap();
}

/// Half a second of a tone: mono, 8 kHz, 16 bits.
pub(crate) fn wav() -> Vec<u8> {
    let samples: Vec<u8> = (0..4_000_i16)
        .flat_map(|n| (if n % 20 < 10 { 8_000_i16 } else { -8_000 }).to_le_bytes())
        .collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(8_000_u32.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file
}

/// A body that the route accepts, so that nothing but the id is wrong.
fn body(route: &Route) -> Option<(&'static str, Value)> {
    let body = match route.operation.as_str() {
        "change_user" | "rename_list" | "update_line" | "rename_audio" | "edit_campaign" => {
            json!({ "name": "Taken over" })
        }
        "change_calendar" => {
            let hours = json!({ "mon": [["09:00", "18:00"]] });
            json!({ "name": "Taken over", "time_zone": "UTC", "hours": hours })
        }
        "change_attempt_rule" => json!({ "name": "Taken over", "rule": rule() }),
        "change_import" => json!({ "has_header": false }),
        "start_import" => json!({ "mapping": { "phone": ["phone"] }, "region": "UA" }),
        "create_import" => return Some(("text/csv", json!("id,phone"))),
        "create_export" => json!({ "what": "contacts", "format": "csv" }),
        "create_source" | "change_source" => {
            let feed = json!({ "kind": "feed", "url": "https://crm.example/", "region": "UA" });
            json!({ "name": "Taken over", "settings": feed })
        }
        "test_source" => {
            json!({ "settings": { "kind": "feed", "url": "http://127.0.0.1/", "region": "UA" } })
        }
        "run_campaign_again" => json!({ "name": "Taken over", "contacts": "all" }),
        "keep_recording" => json!({ "kept": true }),
        "test_call" => json!({ "phone": "+380931234567" }),
        _ => return None,
    };
    Some(("application/json", body))
}

async fn ask(desk: &Desk, route: &Route, path: &str) -> Answer {
    let query = if route.operation == "create_import" { "?filename=a.csv" } else { "" };
    let path = format!("{path}{query}");
    match body(route) {
        Some((kind, body)) => {
            let body = Body::from(body.to_string());
            desk.send(route.method.clone(), &path, body, &[("content-type", kind)]).await
        }
        None => desk.send(route.method.clone(), &path, Body::empty(), &[]).await,
    }
}

#[tokio::test]
async fn another_accounts_things_are_not_there() {
    db::testing::each(&[], |db| async move {
        let house = House::new(db, "127.0.0.1:80").await;
        let seeds = seeds(&house).await;
        let seed = |at: &str| match seeds.get(at) {
            Some(seed) => seed.clone(),
            None => panic!("{at} has no seed: add a thing of the first account to `seeds`"),
        };
        let named: Vec<&Route> = house
            .owner
            .table()
            .iter()
            .filter(|route| route.path.contains('{'))
            .filter(|route| !VALUES.iter().any(|value| route.path.ends_with(value)))
            .collect();
        for route in &named {
            let answer = ask(&house.other, route, &path_of(route, seed)).await;
            let at = format!("{} {}: {}", route.method, route.path, answer.value());
            assert_eq!(answer.status.as_u16(), 404, "{at}; does it lack a body in `body`?");
        }
        // The things are really there, and were left alone.
        for route in named.iter().filter(|route| route.method == Method::GET) {
            let answer = ask(&house.owner, route, &path_of(route, seed)).await;
            assert_ne!(answer.status.as_u16(), 404, "{} {}", route.method, route.path);
            assert!(!String::from_utf8_lossy(&answer.bytes).contains("Taken over"));
        }
    })
    .await;
}

#[tokio::test]
async fn another_accounts_topics_are_not_there() {
    db::testing::each(&[], |db| async move {
        let house = House::new(db, "127.0.0.1:80").await;
        let seeds = seeds(&house).await;
        let caller = async |desk: &Desk| {
            let me = desk.get("/session").await.ok();
            Caller {
                account: me["account"]["id"].as_str().unwrap().parse().unwrap(),
                user: me["user"]["id"].as_str().unwrap().parse().unwrap(),
                session: Id::from_raw(1),
                locale: Locale::En,
                role: Role::Administrator,
                permissions: Role::Administrator.permissions(),
                owner: true,
                install_owner: false,
            }
        };
        let (owner, other) = (caller(&house.owner).await, caller(&house.other).await);
        let hub = &house.world.handles.hub;
        for (pattern, _) in hub.topics() {
            let Some((kind, rest)) = pattern.split_once(":{id}") else {
                let shown = hub.snapshot(&other, pattern).await.unwrap().to_string();
                for seed in seeds.values() {
                    assert!(!shown.contains(seed), "{pattern} shows {seed}");
                }
                continue;
            };
            let key = format!("{kind}:{{id}}");
            let seed = seeds.get(key.as_str());
            let seed = seed.unwrap_or_else(|| panic!("{key} has no seed in `seeds`"));
            let name = format!("{kind}:{seed}{rest}");
            hub.snapshot(&owner, &name).await.unwrap();
            let told = hub.snapshot(&other, &name).await.unwrap_err();
            assert_eq!(told.status().as_u16(), 404, "{pattern}");
        }
    })
    .await;
}
