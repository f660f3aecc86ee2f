//! The main job, whole: from a CSV to phones that ring, counted at both ends.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use serde_json::json;

use super::{Database, known_plant, sipp::Callee, world::World};
use crate::tone;

/// Contacts of each manner.
const EACH: u64 = 40;

pub(super) fn run(database: Database, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["one-attempt"])?;
    let mut world = World::new("first-ring", database)?;
    let callee = Callee::start(world.dir())?;
    world.start_and_set_up(&[])?;
    let rows: Vec<_> = (0..EACH * 5)
        .map(|n| (format!("p{n}"), format!("+38093{:06}{}", 100_000 + n / 5, n % 5 + 1)))
        .collect();
    let line = world.line(callee.port, 200, 100)?;
    let audio = world.audio(&tone::wav(8_000, 2.0, 440.0))?;
    let list = world.list(&rows)?;
    let attempts = if plant == Some("one-attempt") { 1 } else { 2 };
    let campaign = world.campaign(&line, &audio, &list, &json!({"max_attempts": attempts}))?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    let done = world.until(&campaign, "completed", Duration::from_mins(4))?;

    let heard = callee.calls()?;
    let heard = |deed: &str| heard.get(deed).map_or(0, std::collections::BTreeSet::len) as u64;
    let mut counted = BTreeMap::<String, u64>::new();
    let mut call_ids = BTreeMap::<String, String>::new();
    for attempt in world.client.all(&format!("/campaigns/{campaign}/attempts"))? {
        let outcome = attempt["outcome"].as_str().unwrap_or("open").to_owned();
        *counted.entry(outcome.clone()).or_default() += 1;
        call_ids.insert(attempt["call_id"].as_str().unwrap_or_default().to_owned(), outcome);
    }
    let counted_as = |outcome: &str| counted.get(outcome).copied().unwrap_or_default();
    let table = [
        ("answered", "success", EACH),
        ("busy", "busy", EACH * 2),
        ("rung_out", "no_answer", EACH * 2),
        ("rejected", "rejected", EACH),
        ("failed", "failed", EACH * 2),
    ];
    let mut line = format!("first-ring {}:", database.name());
    for (deed, outcome, expected) in table {
        line += &format!(" {deed} {}/{}/{expected}", heard(deed), counted_as(outcome));
        if (heard(deed), counted_as(outcome)) != (expected, expected) {
            bail!(
                "{deed}: {} distinct Call-IDs in SIPp's log, {} attempts of the API, {expected} expected",
                heard(deed),
                counted_as(outcome)
            );
        }
    }
    if call_ids.len() as u64 != EACH * 8 {
        bail!("{} distinct Call-IDs in the API, {} expected", call_ids.len(), EACH * 8);
    }
    check_counters(&done["counters"])?;
    println!("{line} (SIPp/API/expected), counters {}", done["counters"]);
    Ok(())
}

/// The counters of NOVA-70 after the end: disjoint, their sum the total.
fn check_counters(counters: &serde_json::Value) -> Result<()> {
    let of = |name: &str| counters[name].as_u64().unwrap_or_default();
    let sum: u64 =
        ["callable", "planning", "open", "closed", "attempted", "flagged"].map(of).iter().sum();
    if of("total") != EACH * 5 || sum != EACH * 5 {
        bail!("counters do not add up to {}: {counters}", EACH * 5);
    }
    if of("success") != EACH || of("callable") + of("planning") + of("open") != 0 {
        bail!("{EACH} successes and nothing left were expected: {counters}");
    }
    Ok(())
}
