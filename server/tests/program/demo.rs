//! The demo set and the first steps, through the whole program, on both engines.

use serde_json::{Value, json};

use crate::house::{House, id};

async fn story<F, R>(tell: F)
where
    F: Fn(House) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&[], |db| {
        let tell = &tell;
        async move { tell(House::new(db, "127.0.0.1:8080").await).await }
    })
    .await;
}

fn done(steps: &Value) -> Vec<&str> {
    let all = steps["steps"].as_array().unwrap();
    all.iter()
        .filter(|step| step["done"] == true)
        .map(|step| step["id"].as_str().unwrap())
        .collect()
}

fn names(answer: &Value) -> Vec<String> {
    let rows = answer.get("items").unwrap_or(answer).as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_demo_is_loaded_once_and_removed_without_touching_anything_else() {
    story(|house| async move {
        let House { owner, other, .. } = &house;
        let own = id(&owner.post("/lists", json!({ "name": "Demo contacts" })).await.ok());
        assert!(done(&owner.get("/first-steps").await.ok()).is_empty());
        let wish = json!({ "campaign": "Демокампанія", "people": ["Олена"] });
        let steps = owner.post("/demo", wish.clone()).await.ok();
        assert_eq!(done(&steps), ["load_demo"]);
        let campaign = steps["demo_campaign_id"].as_str().unwrap().to_owned();
        let again = owner.post("/demo", wish).await.ok();
        assert_eq!(again["demo_campaign_id"], campaign.as_str());
        assert_eq!(names(&owner.get("/campaigns").await.ok()), ["Демокампанія"]);
        assert_eq!(names(&owner.get("/lines").await.ok()), ["Demo line"]);
        assert_eq!(names(&owner.get("/audio").await.ok()), ["Demo announcement"]);
        let lists = owner.get("/lists").await.ok();
        assert_eq!(names(&lists), ["Demo contacts", "Demo contacts 2"]);
        let made = &owner.get(&format!("/campaigns/{campaign}")).await.ok();
        assert_eq!((&made["simulated"], &made["max_attempts"]), (&json!(true), &json!(2)));
        let list = made["lists"][0].as_str().unwrap();
        let people = owner.get(&format!("/lists/{list}/contacts?limit=100")).await.ok();
        assert_eq!(people["items"].as_array().unwrap().len(), 20);
        assert_eq!(people["items"][0]["name"], "Олена");
        assert!(names(&other.get("/campaigns").await.ok()).is_empty());
        let check = owner.get(&format!("/campaigns/{campaign}/check")).await.ok();
        assert_eq!(check["ready"], true, "{check}");

        let steps = owner.delete("/demo").await.ok();
        assert_eq!(done(&steps), ["load_demo", "remove_demo"]);
        assert_eq!(steps["demo_campaign_id"], Value::Null);
        owner.delete("/demo").await.ok();
        assert!(names(&owner.get("/campaigns").await.ok()).is_empty());
        assert!(names(&owner.get("/lines").await.ok()).is_empty());
        assert!(names(&owner.get("/audio").await.ok()).is_empty());
        assert_eq!(names(&owner.get("/lists").await.ok()), ["Demo contacts"]);
        owner.get(&format!("/lists/{own}")).await.ok();
        let steps = owner.post("/demo", json!({})).await.ok();
        assert_eq!(steps["demo_loaded"], true);
    })
    .await;
}

#[tokio::test]
async fn a_campaign_of_ones_own_on_the_demo_line_keeps_the_line() {
    story(|house| async move {
        let House { owner, .. } = &house;
        let steps = owner.post("/demo", json!({})).await.ok();
        let line = steps["demo_line_id"].as_str().unwrap();
        let demo = steps["demo_campaign_id"].as_str().unwrap();
        let mut body = owner.get(&format!("/campaigns/{demo}")).await.ok();
        let fields = ["lists", "on_answer", "hours"];
        let mut own = json!({ "name": "Mine", "line_id": line, "always_active": true });
        for field in fields {
            own[field] = body[field].take();
        }
        let own = id(&owner.post("/campaigns", own).await.ok());
        owner.post(&format!("/campaigns/{own}/start"), json!({})).await.ok();
        let refused = owner.delete("/demo").await;
        assert_eq!(refused.value()["code"], "list_in_use");
        owner.post(&format!("/campaigns/{own}/stop"), json!({})).await.ok();
        let steps = owner.delete("/demo").await.ok();
        assert_eq!(steps["demo_loaded"], false);
    })
    .await;
}

#[tokio::test]
async fn first_steps_are_put_away_and_brought_back() {
    story(|house| async move {
        let House { owner, .. } = &house;
        for dismissed in [true, true, false] {
            let steps = owner.put("/first-steps", json!({ "dismissed": dismissed })).await.ok();
            assert_eq!(steps["dismissed"], dismissed);
        }
        let line = json!({ "name": "L", "mode": "address", "host": "192.0.2.1", "enabled": false });
        owner.post("/lines", line).await.ok();
        assert_eq!(done(&owner.get("/first-steps").await.ok()), ["connect_line"]);
    })
    .await;
}

#[tokio::test]
async fn a_demo_line_stays_one_and_a_real_line_too() {
    story(|house| async move {
        let House { owner, .. } = &house;
        let demo = owner.post("/lines", json!({ "name": "D", "mode": "demo" })).await.ok();
        assert_eq!(demo["demo"], json!({ "speed": 1, "seed": 1, "failure": "none" }));
        let path = format!("/lines/{}", id(&demo));
        let wish = json!({ "demo": { "speed": 60, "seed": 7, "failure": "congestion" } });
        assert_eq!(owner.patch(&path, wish).await.ok()["demo"]["speed"], 60);
        let wish = json!({ "demo": { "speed": 59, "seed": 7, "failure": "none" } });
        assert_eq!(owner.patch(&path, wish).await.status.as_u16(), 422);
        let real = json!({ "mode": "address", "host": "192.0.2.1" });
        let refused = owner.patch(&path, real).await;
        assert_eq!(refused.value()["errors"][0]["code"], "mode_fixed");
        let line = json!({ "name": "L", "mode": "address", "host": "192.0.2.1", "enabled": false });
        let path = format!("/lines/{}", id(&owner.post("/lines", line).await.ok()));
        let refused = owner.patch(&path, json!({ "mode": "demo" })).await;
        assert_eq!(refused.value()["errors"][0]["code"], "mode_fixed");
        let phones = owner.get("/demo/phones").await.ok();
        assert_eq!(phones.as_array().unwrap().len(), 25);
        assert_eq!(phones[1]["outcome"], "busy");
    })
    .await;
}
