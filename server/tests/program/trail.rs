//! Nothing is changed without a row in the audit trail: every changing route is walked.

use std::collections::{BTreeMap, BTreeSet};

use axum::{body::Body, http::Method};
use db::{args, sql};
use host::testing::Desk;
use serde_json::{Value, json};

use crate::{
    house::{House, PASSWORD, id, token_of},
    routes::{CONTACT, EXPORT, RECORDING, called, rule, wav},
};

/// Changing by their method, and yet without a row, each for a reason.
const QUIET: &[(&str, &str)] = &[
    ("check_invite", "looks at an invitation"),
    ("check_line", "asks a line whether it answers"),
    ("test_source", "loads a source without keeping anything"),
    ("change_import", "looks at an upload in another way, before anything is taken"),
    ("preview_attempts", "reckons"),
    ("test_call", "needs a dialler that runs: the stories of campaigns prove it"),
];

/// A walk past the routes, and what it saw.
struct Walk<'a> {
    house: &'a House,
    walked: BTreeSet<String>,
    actions: BTreeSet<String>,
    /// The kinds of things with their fields: `line.port`, `campaign.caps.per_day`.
    fields: BTreeSet<String>,
}

/// One row of the trail.
struct Row {
    action: String,
    address: Option<String>,
    detail: Value,
}

impl Walk<'_> {
    /// Asks, and looks for a row that was not there before.
    async fn step(&mut self, desk: &Desk, method: Method, path: &str, body: Value) -> Value {
        let text = body.as_str().map(str::to_owned);
        let kind = if text.is_some() { "text/csv" } else { "application/json" };
        let bytes = text.unwrap_or_else(|| body.to_string());
        self.send(desk, method, path, Body::from(bytes), kind).await
    }

    async fn send(
        &mut self,
        desk: &Desk,
        method: Method,
        path: &str,
        body: Body,
        kind: &str,
    ) -> Value {
        let at = format!("{method} {path}");
        let operation = operation_of(&self.house.owner, &method, path);
        let before = self.rows().await;
        let answer = desk.send(method, path, body, &[("content-type", kind)]).await;
        assert!(answer.status.is_success(), "{at}: {} {}", answer.status, answer.value());
        let fresh: Vec<_> =
            self.rows().await.into_iter().filter(|row| !before.contains_key(&row.0)).collect();
        assert!(!fresh.is_empty(), "{at} ({operation}) left nothing in the audit trail");
        for (_, Row { action, address, detail }) in fresh {
            assert_eq!(address.as_deref(), Some("10.0.0.1"), "{at}: from where?");
            self.fields.extend(fields_of(&action, &detail));
            self.actions.insert(action);
        }
        self.walked.insert(operation);
        answer.value()
    }

    async fn rows(&self) -> BTreeMap<i64, Row> {
        let read = self.house.world.handles.db.read(|tx| {
            Box::pin(tx.all(sql!("SELECT id, action, address, detail FROM audit"), args![]))
        });
        let rows: Vec<(i64, String, Option<String>, Value)> = read.await.unwrap();
        let row = |(id, action, address, detail)| (id, Row { action, address, detail });
        rows.into_iter().map(row).collect()
    }
}

/// The fields that the page of the trail names for a row, below the kind of thing: of a thing that
/// changed only the parts that did.
fn fields_of(action: &str, detail: &Value) -> Vec<String> {
    fn parts(path: String, before: &Value, after: &Value, into: &mut Vec<String>) {
        let (Value::Object(old), Value::Object(new)) = (before, after) else {
            into.push(path);
            return;
        };
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for name in names.into_iter().filter(|name| old.get(*name) != new.get(*name)) {
            let of = |thing: &Value| thing.get(name).cloned().unwrap_or_default();
            parts(format!("{path}.{name}"), &of(before), &of(after), into);
        }
    }
    let (noun, _) = action.split_once('.').unwrap();
    let mut found = Vec::new();
    for (field, value) in detail.as_object().into_iter().flatten() {
        let path = format!("{noun}.{field}");
        match value.as_array().map(Vec::as_slice) {
            Some([before, after]) => parts(path, before, after, &mut found),
            Some(_) | None if value.is_null() => {}
            Some(_) | None => found.push(path),
        }
    }
    found
}

/// The operation that serves a path.
fn operation_of(desk: &Desk, method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let found = desk.table().iter().filter(|route| {
        let pattern = route.path.strip_prefix("/api/v1").unwrap();
        let (mut left, mut right) = (pattern.split('/'), path.split('/'));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return route.method == *method,
                (Some(want), Some(got)) if want.starts_with('{') || want == got => {}
                (_, _) => return false,
            }
        }
    });
    // A path that is written out goes before one with a place for a value.
    let best = found.min_by_key(|route| route.path.matches('{').count());
    best.map(|route| route.operation.clone()).unwrap_or_default()
}

#[tokio::test]
async fn every_changing_route_leaves_a_row_in_the_audit_trail() {
    db::testing::each(&[], |db| async move {
        let house = House::new(db, "127.0.0.1:80").await;
        let (walked, actions, fields) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut walk = Walk { house: &house, walked, actions, fields };
        people(&mut walk).await;
        contacts(&mut walk).await;
        voice(&mut walk).await;
        campaigns(&mut walk).await;
        demo(&mut walk).await;
        system(&mut walk).await;
        walk.step(&house.owner, Method::POST, "/https/renew", json!({})).await;
        let changing = house.owner.table().iter().filter(|route| route.method != Method::GET);
        let forgotten: Vec<_> = changing
            .map(|route| route.operation.as_str())
            .filter(|operation| !walk.walked.contains(*operation))
            .filter(|operation| !QUIET.iter().any(|(quiet, _)| quiet == operation))
            .collect();
        assert_eq!(forgotten, [] as [&str; 0], "walk past them, or say why they are quiet");
        words(&walk.actions);
        labels(&walk.fields);
    })
    .await;
}

/// The pages say every action in every language.
fn words(actions: &BTreeSet<String>) {
    let locales = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/packages/i18n");
    for language in ["en", "uk", "ru", "uz", "vi"] {
        let file = locales.join(format!("locales/{language}/system.json"));
        let words: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for action in actions {
            let (noun, verb) = action.split_once('.').unwrap();
            assert!(words["nouns"][noun].is_string(), "{language}: system.nouns.{noun}");
            assert!(words["deeds"][verb].is_string(), "{language}: system.deeds.{verb}");
        }
    }
}

/// The page names every field that was met in words; which words is told by a table of its own, and
/// `check-i18n` holds that they are there in every language.
fn labels(fields: &BTreeSet<String>) {
    let table = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../web/apps/desk/src/features/system/fields.json");
    let table: Value = serde_json::from_slice(&std::fs::read(table).unwrap()).unwrap();
    // Days of the week are said by the format of dates.
    let is_said = |field: &str| {
        let (noun, plain) = field.split_once('.').unwrap();
        let above = plain.match_indices('.').map(|(at, _)| &plain[..at]);
        above.chain([plain]).all(|path| {
            let own = format!("{noun}.{path}");
            table[own].is_string() || table[path].is_string() || path.starts_with("hours.")
        })
    };
    assert!(fields.contains("campaign.caps.per_day"), "{fields:?}");
    let wordless: Vec<_> = fields.iter().filter(|field| !is_said(field)).collect();
    assert_eq!(wordless, [] as [&String; 0], "add them to fields.json, with words");
}

async fn people(walk: &mut Walk<'_>) {
    let house = walk.house;
    let (owner, door) = (&house.owner, house.owner.outside());
    // The house was set up by the public route.
    assert!(walk.rows().await.values().any(|row| row.action == "account.setup"));
    walk.walked.insert("setup".to_owned());
    let body = json!({ "name": "O", "email": "o@example.com", "role": "operator" });
    let invited = walk.step(owner, Method::POST, "/users", body).await;
    let user = id(&invited["user"]);
    let body = json!({
        "token": token_of(invited["invite_link"].as_str().unwrap()), "name": "O",
        "password": PASSWORD, "language": "en",
    });
    walk.step(&door, Method::POST, "/invites/accept", body).await;
    let path = format!("/users/{user}");
    walk.step(owner, Method::PATCH, &path, json!({ "role": "supervisor" })).await;
    walk.step(owner, Method::POST, &format!("{path}/invite"), json!({})).await;
    walk.step(owner, Method::PATCH, "/account", json!({ "name": "House" })).await;
    walk.step(owner, Method::PATCH, "/me", json!({ "theme": "dark" })).await;
    let body = json!({ "email": "one@example.com", "password": PASSWORD, "stay": false });
    walk.step(&door, Method::POST, "/session", body.clone()).await;
    let second = door.post("/session", body).await.token().unwrap();
    let second = door.with_token(&second);
    let sessions = owner.get("/me/sessions").await.ok();
    let sessions = sessions.get("items").unwrap_or(&sessions).as_array().unwrap().clone();
    let mine = second.get("/me/sessions").await.ok();
    let mine = mine.get("items").unwrap_or(&mine).as_array().unwrap().clone();
    let current = |rows: &[Value]| {
        rows.iter().filter(|row| row["current"] == true).map(id).collect::<Vec<_>>()
    };
    let spared = [current(&sessions), current(&mine)].concat();
    let ended = sessions.iter().map(id).find(|session| !spared.contains(session)).unwrap();
    walk.step(owner, Method::DELETE, &format!("/me/sessions/{ended}"), json!({})).await;
    walk.step(&second, Method::DELETE, "/session", json!({})).await;
    let body = json!({ "current": PASSWORD, "new": "another long password" });
    walk.step(owner, Method::POST, "/me/password", body).await;
}

async fn contacts(walk: &mut Walk<'_>) {
    let owner = &walk.house.owner;
    let list = id(&walk.step(owner, Method::POST, "/lists", json!({ "name": "People" })).await);
    let path = format!("/lists/{list}");
    walk.step(owner, Method::PATCH, &path, json!({ "name": "Persons" })).await;
    let file = json!("id,phone\n1,+380931234567\n");
    let import = format!("{path}/imports?filename=people.csv");
    let import = id(&walk.step(owner, Method::POST, &import, file).await);
    let body = json!({ "mapping": { "phone": ["phone"] }, "region": "UA" });
    walk.step(owner, Method::POST, &format!("/imports/{import}/start"), body).await;
    walk.step(owner, Method::POST, &format!("/imports/{import}/cancel"), json!({})).await;
    let feed = json!({ "kind": "feed", "url": "https://crm.example/", "region": "UA" });
    let wish = |name: &str| json!({ "name": name, "settings": feed, "every_min": 60 });
    let source = walk.step(owner, Method::POST, &format!("{path}/sources"), wish("S")).await;
    let source = id(&source);
    walk.step(owner, Method::PUT, &format!("/sources/{source}"), wish("T")).await;
    walk.step(owner, Method::POST, &format!("/sources/{source}/pull"), json!({})).await;
    let name = json!({ "kind": "contacts.pull", "key": format!("source:{source}") });
    walk.step(owner, Method::POST, "/job-schedules/run", name).await;
    walk.step(owner, Method::DELETE, &format!("/sources/{source}"), json!({})).await;
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    let entry = json!({ "phone": "+380671234567" });
    let entry = id(&walk.step(owner, Method::POST, "/do-not-call", entry).await);
    let path = format!("/do-not-call/entries/{entry}");
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    let path = "/do-not-call/+380671234568";
    walk.step(owner, Method::PUT, path, json!({})).await;
    walk.step(owner, Method::DELETE, path, json!({})).await;
    let path = "/do-not-call/import?scope=account";
    walk.step(owner, Method::POST, path, json!("+380671234569\n")).await;
}

async fn voice(walk: &mut Walk<'_>) {
    let owner = &walk.house.owner;
    let line = json!({ "name": "L", "mode": "address", "host": "192.0.2.1", "enabled": false });
    let line = id(&walk.step(owner, Method::POST, "/lines", line).await);
    let path = format!("/lines/{line}");
    let secret = json!({ "password": "not to be seen" });
    walk.step(owner, Method::PATCH, &path, secret).await;
    let all = json!({
        "name": "M", "host": "192.0.2.2", "port": 5070, "caller_id": "380441112233",
        "channels": 5, "calls_per_second": 2.0, "codecs": ["pcmu"],
    });
    walk.step(owner, Method::PATCH, &path, all).await;
    let trail = owner.get(&format!("/audit?subject=line:{line}")).await.ok();
    assert!(!trail.to_string().contains("not to be seen"), "{trail}");
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    let path = "/audio?name=Prompt";
    let audio = walk.send(owner, Method::POST, path, Body::from(wav()), "audio/wav").await;
    let path = format!("/audio/{}", id(&audio));
    walk.step(owner, Method::PATCH, &path, json!({ "name": "Word" })).await;
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    walk.step(owner, Method::PUT, "/recording-retention", json!({ "days": 30 })).await;
}

async fn campaigns(walk: &mut Walk<'_>) {
    let owner = &walk.house.owner;
    let hours = json!({ "mon": [["09:00", "18:00"]] });
    let body = |name: &str| json!({ "name": name, "time_zone": "UTC", "hours": hours });
    let calendar = id(&walk.step(owner, Method::POST, "/calendars", body("C")).await);
    let path = format!("/calendars/{calendar}");
    walk.step(owner, Method::PUT, &path, body("D")).await;
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    let body = |name: &str| json!({ "name": name, "rule": rule() });
    let preset = id(&walk.step(owner, Method::POST, "/attempt-rules", body("R")).await);
    let path = format!("/attempt-rules/{preset}");
    walk.step(owner, Method::PUT, &path, body("S")).await;
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    let campaign = id(&walk.step(owner, Method::POST, "/campaigns", json!({ "name": "C" })).await);
    let path = format!("/campaigns/{campaign}");
    let body = json!({
        "name": "D", "notes": "N", "calls_per_second": 2.0, "concurrency": 3, "priority": 1,
        "max_attempts": 2, "ring_s": 20, "min_talk_s": 5, "caps": { "per_day": 1, "per_week": 2 },
        "delays_s": { "busy": 600 }, "retry_short_talk": true, "every_number": true,
        "batch": { "calls": 10, "gap_s": 60 }, "period": { "from": "2030-01-01" },
        "time_zone": "Europe/Kyiv", "use_contact_zone": true, "hours": hours, "record": true,
        "always_active": true, "exceptions": [{ "date": "2030-01-02", "hours": [] }],
    });
    walk.step(owner, Method::PATCH, &path, body).await;
    let account = id(&owner.get("/session").await.ok()["account"]).parse().unwrap();
    called(walk.house, account, campaign.parse().unwrap()).await;
    let exclude = format!("{path}/contacts/{CONTACT}/exclude");
    walk.step(owner, Method::POST, &exclude, json!({})).await;
    let body = json!({ "what": "contacts", "format": "csv" });
    walk.step(owner, Method::POST, &format!("{path}/exports"), body).await;
    walk.step(owner, Method::DELETE, &format!("{path}/exports/{EXPORT}"), json!({})).await;
    let kept = format!("/recordings/{RECORDING}/kept");
    walk.step(owner, Method::PUT, &kept, json!({ "kept": true })).await;
    walk.step(owner, Method::DELETE, &path, json!({})).await;
    walk.step(owner, Method::POST, &format!("{path}/restore"), json!({})).await;
}

async fn demo(walk: &mut Walk<'_>) {
    let (owner, jobs) = (&walk.house.owner, &walk.house.world.handles.jobs);
    let wish = json!({ "campaign": "Demo", "people": ["Olena"] });
    let steps = walk.step(owner, Method::POST, "/demo", wish).await;
    let path = format!("/campaigns/{}", steps["demo_campaign_id"].as_str().unwrap());
    for verb in ["start", "pause", "resume"] {
        walk.step(owner, Method::POST, &format!("{path}/{verb}"), json!({})).await;
    }
    jobs.drain().await.unwrap();
    walk.step(owner, Method::POST, &format!("{path}/stop"), json!({})).await;
    let again = json!({ "name": "Again", "contacts": "all" });
    walk.step(owner, Method::POST, &format!("{path}/run-again"), again).await;
    walk.step(owner, Method::DELETE, "/demo", json!({})).await;
    walk.step(owner, Method::PUT, "/first-steps", json!({ "dismissed": true })).await;
}

async fn system(walk: &mut Walk<'_>) {
    let owner = &walk.house.owner;
    let job = crate::routes::worked(walk.house, {
        let me = owner.get("/session").await.ok();
        id(&me["account"]).parse().unwrap()
    });
    let path = format!("/jobs/{}", job.await);
    // Its payload names nothing, so it waits for another attempt.
    walk.house.world.handles.jobs.drain().await.unwrap();
    walk.step(owner, Method::POST, &format!("{path}/retry"), json!({})).await;
    walk.step(owner, Method::POST, &format!("{path}/stop"), json!({})).await;
    walk.step(owner, Method::PUT, "/audit/retention", json!({ "days": 30 })).await;
}
