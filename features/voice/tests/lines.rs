//! Lines through HTTP, on both engines.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use access::Role;
use base::{Id, kind};
use db::{Tx, args, record, sql};
use host::testing::{Desk, World};
use serde_json::json;
use voice::{AudioUses, Later, LineUses, Setup, Voice};

/// Lines named `Busy` are used by a campaign.
struct Uses;

impl LineUses for Uses {
    fn in_use<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<kind::Account>,
        line: Id<kind::Line>,
    ) -> Later<'a, db::Result<Option<String>>> {
        Box::pin(async move {
            let (name,): (String,) = tx
                .one(
                    sql!("SELECT name FROM line WHERE account = $1 AND id = $2"),
                    args![account, line],
                )
                .await?;
            Ok((name == "Busy").then(|| "Spring".to_owned()))
        })
    }
}

impl AudioUses for Uses {
    fn in_use<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<kind::Account>,
    ) -> Later<'a, db::Result<BTreeMap<Id<kind::Audio>, String>>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }
}

struct House {
    world: World,
    desk: Desk,
}

async fn story<F, R>(tell: F)
where
    F: Fn(House) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&[], |db| {
        let tell = &tell;
        async move {
            let world = World::new(db.clone());
            let voice =
                Voice::new(world.handles.clone(), Setup::default(), Arc::new(Uses), Arc::new(Uses))
                    .unwrap();
            let own = host::Feature::chain(&voice);
            db.migrate(&[http_kit::chain(), jobs::chain(), host::chain(), own]).await.unwrap();
            let desk = world.desk(&[&voice]);
            tell(House { world, desk }).await;
        }
    })
    .await;
}

record! {
    struct Stored {
        password: Option<Vec<u8>>,
    }
}

#[tokio::test]
async fn a_line_is_added_shown_changed_and_deleted_and_its_password_never_comes_back() {
    story(|House { world, desk }| async move {
        let admin = desk.of(1, Role::Administrator);
        let wish = json!({
            "name": "Kyiv", "mode": "registration", "host": "sip.example.com", "user": "1001",
            "password": "very secret", "channels": 10, "calls_per_second": 2.5,
        });
        let made = admin.post("/lines", wish).await;
        assert_eq!(made.status.as_u16(), 201);
        let text = String::from_utf8(made.bytes.to_vec()).unwrap();
        assert!(!text.contains("very secret"), "{text}");
        let line = made.value();
        assert_eq!((&line["has_password"], &line["port"]), (&json!(true), &json!(5060)));
        let path = format!("/lines/{}", line["id"].as_str().unwrap());

        let stored: Vec<Stored> = world
            .handles
            .db
            .read(|tx| Box::pin(tx.all(sql!("SELECT password FROM line"), args![])))
            .await
            .unwrap();
        let sealed = stored[0].password.clone().unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));

        let version = line["version"].as_i64().unwrap();
        let changed = admin.patch(&path, json!({"channels": 20, "version": version})).await;
        assert_eq!(changed.value()["channels"], 20);
        assert_eq!(changed.value()["has_password"], true);
        let late = admin.patch(&path, json!({"channels": 30, "version": version})).await;
        assert_eq!(late.value()["code"], "line_changed");

        assert_eq!(desk.of(2, Role::Administrator).get(&path).await.status.as_u16(), 404);
        assert_eq!(admin.get("/lines").await.value().as_array().unwrap().len(), 1);
        assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
        assert_eq!(admin.get(&path).await.status.as_u16(), 404);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_given_once_and_a_used_line_stays() {
    story(|House { desk, .. }| async move {
        let admin = desk.of(1, Role::Administrator);
        let wish = json!({"name": "Busy", "mode": "address", "host": "192.0.2.1"});
        let made = admin.post("/lines", wish.clone()).await.value();
        assert_eq!(admin.post("/lines", wish.clone()).await.value()["code"], "line_name_taken");
        assert_eq!(desk.of(2, Role::Administrator).post("/lines", wish).await.status.as_u16(), 201);
        let path = format!("/lines/{}", made["id"].as_str().unwrap());
        let refused = admin.delete(&path).await.value();
        assert_eq!(refused["code"], "line_in_use");
        assert_eq!(refused["params"]["campaign"], "Spring");
    })
    .await;
}

#[tokio::test]
async fn every_fault_of_a_line_is_named_by_its_field() {
    story(|House { desk, .. }| async move {
        let admin = desk.of(1, Role::Administrator);
        let wish = json!({
            "name": "", "mode": "registration", "host": "a b", "channels": 0,
            "calls_per_second": 0.0, "caller_id": "a\"b", "codecs": ["pcmu", "pcmu"],
        });
        let refused = admin.post("/lines", wish).await;
        assert_eq!(refused.status.as_u16(), 422);
        let body = refused.value();
        let mut fields: Vec<_> =
            body["errors"].as_array().unwrap().iter().map(|fault| &fault["field"]).collect();
        fields.sort_by_key(|field| field.as_str().unwrap_or_default().to_owned());
        let expected = [
            "caller_id",
            "calls_per_second",
            "channels",
            "codecs",
            "host",
            "name",
            "password",
            "user",
        ];
        assert_eq!(fields, expected);
    })
    .await;
}
