//! The demo carrier: twenty phones, each of which does what the table says, heard in recordings.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    Database,
    audio::Sound,
    known_plant,
    world::{World, free_udp_port, id_of},
};
use crate::correlate::correlate;

/// What the manual says of the endings with a behaviour of their own.
const TABLE: [(&str, &str); 15] = [
    ("00", "success"),
    ("01", "busy"),
    ("02", "no_answer"),
    ("03", "rejected"),
    ("04", "success"),
    ("05", "short_talk"),
    ("06", "success"),
    ("07", "success"),
    ("08", "success"),
    ("09", "success"),
    ("10", "success"),
    ("11", "success"),
    ("12", "invalid_number"),
    ("13", "failed"),
    ("14", "success"),
];
/// The ending of the phone that answers and says nothing.
const SILENT: &str = "11";
/// At least this alike are our recording and what was recorded of it.
const SAME: f64 = 0.9;
/// Root mean square of a sound that can be heard, of 1.
const AUDIBLE: f64 = 0.01;
/// How far two sounds may be apart, in samples.
const MAX_LAG: usize = 8_000;

pub(super) fn run(database: Database, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["drops", "silence"])?;
    let mut world = World::new("demo", database)?;
    world.start_and_set_up(&[])?;
    let client = &world.client;
    let steps = client.post("/demo", &json!({}))?;
    let campaign = steps["demo_campaign_id"].as_str().context("no demo campaign")?.to_owned();
    let line = steps["demo_line_id"].as_str().context("no demo line")?.to_owned();
    let made = client.get(&format!("/campaigns/{campaign}"))?;
    let audio = made["on_answer"]["audio_id"].as_str().context("no demo audio")?.to_owned();
    match plant {
        Some("drops") => {
            let demo = json!({"demo": {"speed": 60, "seed": 1, "failure": "drops"}});
            client.patch(&format!("/lines/{line}"), &demo)?;
        }
        Some("silence") => {
            let hiss = world.audio(&hiss())?;
            let body = json!({"on_answer": {"kind": "audio", "audio_id": hiss}});
            client.patch(&format!("/campaigns/{campaign}"), &body)?;
        }
        _ => {}
    }
    client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    let done = world.until(&campaign, "completed", Duration::from_mins(3))?;
    let outcomes = outcomes(&world, &campaign)?;
    check_counters(&done["counters"])?;
    let heard = check_recordings(&world, &campaign, &audio)?;
    let refused = check_refusals(&world, &campaign, &line, &audio)?;
    check_removal(&world, &campaign)?;
    println!("demo {}: {outcomes} outcomes as in the table, {heard}, {refused}", database.name());
    Ok(())
}

/// Seven seconds of next to nothing: the library takes no sound without any.
fn hiss() -> Vec<u8> {
    let mut wav = crate::tone::wav(8_000, 7.0, 440.0);
    for (n, sample) in wav[44..].chunks_exact_mut(2).enumerate() {
        sample.copy_from_slice(&i16::from(n % 4_001 == 0).to_le_bytes());
    }
    wav
}

/// Every contact's last outcome against the table.
fn outcomes(world: &World, campaign: &str) -> Result<usize> {
    let mut expected: BTreeMap<String, String> = TABLE
        .iter()
        .map(|(ending, outcome)| ((*ending).to_owned(), (*outcome).to_owned()))
        .collect();
    let told = world.client.get("/demo/phones")?;
    for phone in told.as_array().context("no table")? {
        let word = |key: &str| phone[key].as_str().unwrap_or_default().to_owned();
        let before = expected.insert(word("ending"), word("outcome"));
        if before.as_ref().is_some_and(|before| *before != word("outcome")) {
            bail!("{}: the manual says {before:?}, the API {}", word("ending"), word("outcome"));
        }
    }
    let contacts = world.client.all(&format!("/campaigns/{campaign}/contacts"))?;
    for contact in &contacts {
        let phone = contact["phone"].as_str().unwrap_or_default();
        let ending = &phone[phone.len().saturating_sub(2)..];
        let outcome = contact["last_outcome"].as_str().unwrap_or("none");
        let wanted = expected.get(ending).context("an ending without a row")?;
        if outcome != wanted {
            bail!("…{ending}: {wanted} was expected, {outcome} came");
        }
    }
    if contacts.len() != 20 {
        bail!("20 contacts were expected, there are {}", contacts.len());
    }
    Ok(contacts.len())
}

fn check_counters(counters: &Value) -> Result<()> {
    let of = |name: &str| counters[name].as_u64().unwrap_or_default();
    let sum: u64 =
        ["callable", "planning", "open", "closed", "attempted", "flagged"].map(of).iter().sum();
    if (of("total"), sum) != (20, 20) {
        bail!("the counters do not add up to 20: {counters}");
    }
    Ok(())
}

/// Every answered call was recorded: us on the right, and on the left whoever spoke.
fn check_recordings(world: &World, campaign: &str, audio: &str) -> Result<String> {
    let ours = Sound::parse(&world.client.bytes(&format!("/audio/{audio}/file"))?)?.channel(0);
    let (mut calls, mut least) = (0, f64::MAX);
    for attempt in world.client.all(&format!("/campaigns/{campaign}/attempts"))? {
        if attempt["answered_at"].is_null() {
            continue;
        }
        let id = id_of(&attempt)?;
        let phone = attempt["phone"].as_str().unwrap_or_default();
        let recorded = Sound::parse(&world.client.bytes(&format!("/recordings/{id}/file"))?)?;
        let (left, right) = (recorded.channel(0), recorded.channel(1));
        if level(&right) < AUDIBLE {
            bail!("{phone}: our side of the recording cannot be heard ({:.4})", level(&right));
        }
        if !phone.ends_with(SILENT) && level(&left) < AUDIBLE {
            bail!("{phone}: the phone's side cannot be heard ({:.4})", level(&left));
        }
        if attempt["outcome"] == "success" {
            let (_, alike) = correlate(&right, &ours, MAX_LAG);
            if alike < SAME {
                bail!("{phone}: our side is not what was played: correlation {alike:.3}");
            }
            least = least.min(alike);
        }
        calls += 1;
    }
    if calls < 10 {
        bail!("only {calls} calls were answered");
    }
    Ok(format!("{calls} recordings heard, correlation ≥ {least:.3}"))
}

fn level(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Demo numbers that went out and came in again are refused on a real line, real numbers on the
/// demo line.
fn check_refusals(world: &World, campaign: &str, line: &str, audio: &str) -> Result<String> {
    let client = &world.client;
    let contacts = client.all(&format!("/campaigns/{campaign}/contacts"))?;
    let rows: Vec<(String, String)> = contacts
        .iter()
        .filter_map(|contact| {
            let text = |key: &str| contact[key].as_str().map(str::to_owned);
            Some((text("external_id")?, text("phone")?))
        })
        .collect();
    let list = world.list(&rows)?;
    let real = world.line(free_udp_port()?, 5, 5)?;
    let again = world.campaign(&real, audio, &list, &json!({}))?;
    client.post(&format!("/campaigns/{again}/start"), &json!({}))?;
    let over = world.until(&again, "completed", Duration::from_mins(1))?;
    let made = client.all(&format!("/campaigns/{again}/attempts"))?.len();
    if made > 0 || over["counters"]["flagged"].as_u64() != Some(20) {
        bail!("{made} demo numbers were called on a real line: {}", over["counters"]);
    }
    expect_code(world, &again, &rows[0].1, "number_demo")?;
    let own = world.campaign(line, audio, &list, &json!({"name": "Own"}))?;
    expect_code(world, &own, "+380931234567", "number_real")?;
    Ok("20 of 20 refused on a real line (number_demo), a real number on the demo line (number_real)"
        .to_owned())
}

fn expect_code(world: &World, campaign: &str, phone: &str, code: &str) -> Result<()> {
    let path = format!("/campaigns/{campaign}/test-call");
    match world.client.post(&path, &json!({ "phone": phone })) {
        Ok(made) => bail!("{phone} was called, {code} was expected: {made}"),
        Err(error) if error.to_string().contains(code) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{code} was expected")),
    }
}

/// What was made is gone, what was there beside it is not.
fn check_removal(world: &World, campaign: &str) -> Result<()> {
    let client = &world.client;
    let count = |path: &str| -> Result<usize> {
        let answer = client.get(path)?;
        let rows = answer.get("items").unwrap_or(&answer);
        Ok(rows.as_array().context("no rows")?.len())
    };
    let paths = ["/campaigns", "/lists", "/lines", "/audio"];
    let before = paths.map(count).into_iter().collect::<Result<Vec<_>>>()?;
    client.delete("/demo")?;
    client.delete("/demo")?;
    let after = paths.map(count).into_iter().collect::<Result<Vec<_>>>()?;
    for ((path, before), after) in paths.iter().zip(before).zip(after) {
        if before != after + 1 {
            bail!("{path}: {before} before the demo was removed, {after} after");
        }
    }
    let gone = client.get(&format!("/campaigns/{campaign}"))?;
    if gone["deleted_at"].is_null() {
        bail!("the demo campaign is still there");
    }
    Ok(())
}
