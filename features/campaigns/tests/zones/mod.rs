//! A campaign over people in twelve zones, across midnights and a change of clocks, with the clock
//! moved by hand. What it exports is judged by somebody else: `cargo xtask e2e zones` runs this
//! with a folder to write to, and has Python read it.

use std::{fs, path::PathBuf};

use base::Timestamp;
use db::{args, sql};
use http_kit::Time;
use serde_json::{Value, json};

use crate::house::{House, Phone, story};

/// Where the export and what it is judged by are written; a small campaign otherwise.
const FOLDER: &str = "SWITCHBELL_ZONES";
/// What is done wrong on purpose: `hours`, `caps` or `forbidden`.
const FAULT: &str = "SWITCHBELL_ZONES_PLANT";

/// A zone, the beginning of numbers there, and whether the number alone tells the zone.
const ZONES: [(&str, &str, bool); 12] = [
    ("Europe/Kyiv", "+38093", true),
    ("Asia/Tashkent", "+99890", true),
    ("Asia/Ho_Chi_Minh", "+8490", true),
    ("Europe/London", "+44770", true),
    ("Europe/Berlin", "+49151", true),
    ("Asia/Tokyo", "+8190", true),
    ("Asia/Kolkata", "+9198", true),
    ("Asia/Kathmandu", "+97798", true),
    ("America/New_York", "+1212", false),
    ("America/Los_Angeles", "+1213", false),
    ("America/St_Johns", "+1709", false),
    ("Australia/Sydney", "+6140", false),
];

/// Saturday, 27 March 2027, 12:00: clocks of Europe are turned the night after.
const BEGIN_S: i64 = 1_806_148_800;
const STEP_S: u64 = 900;
const DAYS: u64 = 4;
const PER_DAY: u32 = 2;
const PER_WEEK: u32 = 3;

fn week() -> Value {
    let day = json!([["09:00", "13:00"], ["14:00", "19:30"]]);
    // At night, where clocks are turned and where midnight has to be seen.
    let sunday = json!([["00:00", "04:00"], ["10:00", "12:00"], ["22:00", "24:00"]]);
    json!({
        "mon": [["00:00", "01:00"], ["09:00", "18:00"]], "tue": day, "wed": day, "thu": day,
        "fri": day, "sat": [["10:00", "16:00"]], "sun": sunday,
    })
}

struct Person {
    id: i64,
    phone: String,
    zone: (&'static str, bool),
}

fn people(count: usize) -> Vec<Person> {
    let person = |n: usize| {
        let (zone, prefix, told) = ZONES[n % ZONES.len()];
        Person {
            id: n as i64 + 1,
            phone: format!("{prefix}{:07}", 2_000_000 + n),
            zone: (zone, told),
        }
    };
    (0..count).map(person).collect()
}

/// Each does its own: answers long or shortly, is busy, rings out, is away.
fn manners(n: usize) -> Vec<Phone> {
    match n % 7 {
        0 | 1 => vec![Phone::Says(486), Phone::RingsOut, Phone::Answers(20)],
        2 => vec![Phone::Answers(1), Phone::Answers(20)],
        3 => vec![Phone::RingsOut],
        4 => vec![Phone::Says(480), Phone::Says(486)],
        5 => vec![Phone::Answers(20)],
        _ => vec![Phone::Says(486)],
    }
}

async fn fill(house: &House, people: &[Person]) {
    for chunk in people.chunks(200) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|one| (one.id, one.phone.clone(), (!one.zone.1).then_some(one.zone.0)))
            .collect();
        let write = house.world.handles.db.write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                for (id, phone, zone) in rows {
                    tx.exec(
                        sql!(
                            "INSERT INTO stand_contact (account, list, contact, external_id, name,
                               zone, variables, updated_at)
                             VALUES (1, 10, $1, $2, $3, $4, $5, 0)"
                        ),
                        args![id, format!("e{id}"), format!("Contact {id}"), zone, json!({})],
                    )
                    .await?;
                    tx.exec(
                        sql!(
                            "INSERT INTO stand_number (account, contact, phone, ordinal, kind)
                             VALUES (1, $1, $2, 0, 'mobile')"
                        ),
                        args![id, phone],
                    )
                    .await?;
                }
                Ok(())
            })
        });
        write.await.unwrap();
    }
}

/// Waits until nothing is left to do at this moment, letting the line's pace go on.
async fn settle(house: &House, campaign: &str) -> Value {
    for _ in 0..200_000 {
        let seen = house.campaign(campaign).await;
        let code = seen["why"]["code"].as_str().unwrap();
        let until: Option<Time> = serde_json::from_value(seen["why"]["until"].clone()).unwrap();
        let quiet = match code {
            "completed" => true,
            "all_wait" | "window_shut" => until.is_some_and(|Time(at)| at > house.now()),
            "line_rate" | "line_paused" | "line_full" => {
                house.world.hand.advance(std::time::Duration::from_millis(20));
                false
            }
            _ => false,
        };
        if quiet && seen["active_calls"] == 0 && seen["preparing"] == false {
            return seen;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to rest: {}", house.campaign(campaign).await["why"]);
}

async fn exported(house: &House, campaign: &str) -> Vec<u8> {
    let exports = format!("/campaigns/{campaign}/exports");
    let wish = json!({"what": "attempts", "format": "csv"});
    let made = house.desk.post(&exports, wish).await.ok();
    for _ in 0..50_000 {
        let all = house.desk.get(&exports).await.ok();
        let row = all.as_array().unwrap().iter().find(|row| row["id"] == made["id"]);
        if row.unwrap()["state"] == "ready" {
            let path = format!("{exports}/{}/file", made["id"].as_str().unwrap());
            return house.desk.get(&path).await.bytes.to_vec();
        }
        tokio::task::yield_now().await;
    }
    panic!("the export never came");
}

#[tokio::test]
async fn people_in_twelve_zones_are_called_in_their_hours_across_a_change_of_clocks() {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let fault = std::env::var(FAULT).unwrap_or_default();
    let count = if folder.is_some() { 1_000 } else { 36 };
    let (folder, fault) = (&folder, fault.as_str());
    story(|house| async move {
        let begin = Timestamp::from_seconds(BEGIN_S);
        house.world.hand.advance(begin.since(house.now()));
        let people = people(count);
        for (n, one) in people.iter().enumerate() {
            house.switch.manner(&one.phone, &manners(n / ZONES.len()));
        }
        fill(&house, &people).await;
        let mut forbidden = Vec::new();
        for one in people.iter().step_by(20) {
            if fault != "forbidden" {
                house.forbid(&one.phone, false).await;
            }
            forbidden.push(json!({"phone": one.phone, "since": BEGIN_S}));
        }
        let hour = 3_600;
        let delays = json!({
            "busy": hour, "no_answer": 2 * hour, "failed": hour, "short_talk": hour,
            "machine": hour,
        });
        let caps = json!({
            "per_day": if fault == "caps" { 9 } else { PER_DAY }, "per_week": PER_WEEK,
        });
        let id = house
            .draft(json!({
                "hours": week(), "time_zone": "UTC", "use_contact_zone": fault != "hours",
                "max_attempts": 6, "delays_s": delays, "caps": caps, "concurrency": 50,
                "retry_short_talk": true, "min_talk_s": 5,
            }))
            .await;
        house.start(&id).await;
        let steps = DAYS * 86_400 / STEP_S;
        for step in 0..steps {
            settle(&house, &id).await;
            if step == steps / 2 {
                for one in people.iter().skip(7).step_by(50) {
                    house.forbid(&one.phone, true).await;
                    let since = house.now().seconds();
                    forbidden.push(json!({"phone": one.phone, "since": since}));
                }
                house.until(&id, |c| c["counters"]["excluded"].as_i64() > Some(0)).await;
            }
            house.advance(STEP_S);
        }
        let last = settle(&house, &id).await;
        assert!(last["counters"]["success"].as_i64() > Some(0), "{last}");
        let called = house.switch.numbers_called().len();
        let csv = exported(&house, &id).await;
        assert_eq!(String::from_utf8_lossy(&csv).lines().count(), called + 1);
        if let Some(folder) = folder {
            let engine = match house.world.handles.db.engine() {
                db::Engine::Sqlite => "sqlite",
                db::Engine::Postgres => "postgres",
            };
            let zones: serde_json::Map<_, _> =
                people.iter().map(|one| (one.phone.clone(), json!(one.zone.0))).collect();
            let world = json!({
                "zones": zones, "hours": week(), "forbidden": forbidden, "per_day": PER_DAY,
                "per_week": PER_WEEK, "called": called,
            });
            fs::write(folder.join(format!("{engine}.csv")), csv).unwrap();
            fs::write(folder.join(format!("{engine}.json")), world.to_string()).unwrap();
        }
    })
    .await;
}
