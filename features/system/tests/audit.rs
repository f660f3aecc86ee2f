//! The audit trail, through HTTP, on both databases.

use std::time::Duration;

use access::Role;
use base::{Id, Timestamp};
use host::{
    audit::{self, AuditEntry},
    testing::{Desk, World},
};
use serde_json::{Value, json};
use system::System;

/// Stands in for the people.
const OTHERS: db::Chain = db::Chain {
    feature: "others",
    migrations: &[db::Migration {
        name: "20261120000000_others",
        sql: "CREATE TABLE stand_person (account BIGINT NOT NULL, id BIGINT PRIMARY KEY, name TEXT NOT NULL);
              INSERT INTO stand_person VALUES (1, 10, 'Olena'), (2, 20, 'Ivan');",
    }],
    views: "CREATE VIEW v_person AS SELECT account, id AS person, name FROM stand_person;",
};

fn chains() -> [db::Chain; 5] {
    [http_kit::chain(), jobs::chain(), host::chain(), OTHERS, system::chain()]
}

struct Scene {
    world: World,
    desk: Desk,
}

impl Scene {
    fn new(db: db::Db) -> Self {
        let world = World::new(db);
        let system = System::new(world.handles.clone());
        let desk = world.desk(&[&system]);
        Self { world, desk }
    }

    fn now(&self) -> Timestamp {
        self.world.handles.clock.now()
    }

    async fn note(
        &self,
        account: i64,
        user: Option<i64>,
        action: &'static str,
        subject: &str,
        detail: Value,
    ) {
        let (ids, now) = (self.world.handles.ids.clone(), self.now());
        let (account, user, subject) =
            (Id::from_raw(account), user.map(Id::from_raw), subject.to_owned());
        let entry = AuditEntry { account, user, action, subject, detail };
        let write =
            self.world.handles.db.write(move |tx| {
                Box::pin(async move { audit::record(tx, &ids, entry, now).await })
            });
        db::origin::scope("192.0.2.7".into(), write).await.unwrap();
    }
}

fn actions(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_trail_tells_who_did_what_from_where_and_can_be_filtered() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db);
        let admin = scene.desk.of(1, Role::Administrator);
        let changed = json!({ "name": ["A", "B"], "version": 2, "password": ["x", "y"] });
        scene.note(1, Some(10), "campaign.edit", "campaign:7", changed).await;
        scene.world.hand.advance(Duration::from_hours(1));
        scene.note(1, None, "campaign.complete", "campaign:7", json!({})).await;
        scene.note(1, Some(11), "campaign.start", "campaign:8", json!({ "from": "draft" })).await;
        scene.note(2, Some(20), "campaign.start", "campaign:9", json!({})).await;
        let all = admin.get("/audit").await.ok();
        assert_eq!(actions(&all), ["campaign.start", "campaign.complete", "campaign.edit"]);
        let edit = &all["items"][2];
        assert_eq!(edit["person"], json!({ "id": "10", "name": "Olena" }));
        assert_eq!(edit["address"], "192.0.2.7");
        assert_eq!(edit["at"], "2026-11-20T08:00:00Z");
        assert_eq!(
            edit["changes"],
            json!([
                { "field": "name", "before": "A", "after": "B" },
                { "field": "password", "before": "•••", "after": "•••" },
            ])
        );
        assert_eq!(edit["facts"], json!({ "version": 2 }));
        assert_eq!(all["items"][1]["person"], Value::Null);
        assert_eq!(all["items"][0]["person"]["name"], Value::Null, "somebody who is gone");
        let found = async |query: &str| {
            let page = admin.get(&format!("/audit?{query}")).await.ok();
            actions(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(found("person=10").await, ["campaign.edit"]);
        assert_eq!(found("person=11&action=campaign.start").await, ["campaign.start"]);
        assert_eq!(found("action=campaign.complete").await, ["campaign.complete"]);
        let both = ["campaign.complete", "campaign.edit"];
        assert_eq!(found("subject=campaign:7").await, both);
        assert_eq!(found("subject=campaign:7&person=10").await, ["campaign.edit"]);
        assert_eq!(found("to=2026-11-20T08:30:00Z").await, ["campaign.edit"]);
        assert_eq!(found("from=2026-11-20T08:30:00Z").await.len(), 2);
        assert_eq!(found("subject=campaign:9").await, [] as [String; 0], "another account's");
        let first = admin.get("/audit?limit=2").await.ok();
        let next = first["next"].as_str().unwrap();
        let second = admin.get(&format!("/audit?limit=2&cursor={next}")).await.ok();
        assert_eq!((actions(&second), &second["next"]), (vec!["campaign.edit"], &Value::Null));
        let wrong = admin.get("/audit?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z").await;
        assert_eq!(wrong.problem(), (400, "invalid_query".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_trail_is_downloaded_without_formulas_and_says_so() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db);
        let admin = scene.desk.of(1, Role::Administrator);
        for n in 0..1_001 {
            let (name, subject) = ("=cmd|' /C calc'!A0", format!("list:{n}"));
            scene.note(1, Some(10), "list.rename", &subject, json!({ "name": [name, "B"] })).await;
        }
        scene.note(1, Some(10), "list.delete", "=1+1", json!({})).await;
        let file = admin.get("/audit/export.csv?person=10").await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        let text = String::from_utf8(file.bytes.to_vec()).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        // The head, the rows, and that they were downloaded.
        assert_eq!(rows.len(), 1_004);
        assert_eq!(rows[0], "\u{FEFF}time,person,action,object,address,changes");
        assert!(rows[1].contains(",Olena,audit.export,account:1,10.0.0.1,"), "{}", rows[1]);
        assert_eq!(rows[2], "2026-11-20T08:00:00Z,Olena,list.delete,'=1+1,192.0.2.7,");
        assert!(rows[3].ends_with("name: =cmd|' /C calc'!A0 → B"), "{}", rows[3]);
        let trail = admin.get("/audit?action=audit.export").await.ok();
        assert_eq!(trail["items"][0]["facts"]["person"], "10");
        assert_eq!(trail["items"][0]["address"], "10.0.0.1");
        let refused = scene.desk.of(1, Role::Supervisor).get("/audit/export.csv").await.problem();
        assert_eq!(refused, (403, "forbidden".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_trail_is_kept_for_ever_unless_the_account_says_for_how_long() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db);
        let admin = scene.desk.of(1, Role::Administrator);
        for n in 0..600 {
            scene.note(1, Some(10), "list.create", &format!("list:{n}"), json!({})).await;
        }
        scene.note(2, Some(20), "list.create", "list:1", json!({})).await;
        let day = Duration::from_hours(24);
        scene.world.hand.advance(day * 40);
        scene.note(1, Some(10), "list.delete", "list:1", json!({})).await;
        assert_eq!(admin.get("/audit/retention").await.ok(), json!({ "days": 0 }));
        let effect = admin.get("/audit/retention/effect?days=30").await.ok();
        assert_eq!(effect, json!({ "removed": 600 }));
        let wrong = admin.put("/audit/retention", json!({ "days": 40_000 })).await;
        assert_eq!(wrong.faults(), ["days: out_of_range"]);
        admin.put("/audit/retention", json!({ "days": 30 })).await.ok();
        scene.world.handles.jobs.drain().await.unwrap();
        let left = admin.get("/audit").await.ok();
        assert_eq!(actions(&left), ["audit.retention", "list.delete"]);
        assert_eq!(left["items"][0]["changes"][0]["after"], 30);
        let other = scene.desk.of(2, Role::Administrator).get("/audit").await.ok();
        assert_eq!(actions(&other), ["list.create"], "another account keeps its own");
        scene.world.hand.advance(day * 31);
        scene.world.handles.jobs.drain().await.unwrap();
        assert_eq!(actions(&admin.get("/audit").await.ok()), [] as [&str; 0]);
        admin.put("/audit/retention", json!({ "days": 0 })).await.ok();
        scene.world.hand.advance(day * 31);
        assert_eq!(scene.world.handles.jobs.drain().await, Ok(0));
    })
    .await;
}
