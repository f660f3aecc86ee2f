//! Kill -9, again and again: every phone that rang has its attempt, and no attempt stays open.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    Database, known_plant,
    sipp::Callee,
    world::{World, wait_for},
};
use crate::tone;

/// Where the process can be told to die; see the manual page on planted faults.
const POINTS: [&str; 4] = ["after_claim", "after_invite", "after_answer", "before_finish"];
/// Attempts that a contact may have in all.
const MAX_ATTEMPTS: u64 = 3;

pub(super) fn run(database: Database, rounds: u32, seed: u64, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["invite-before-commit"])?;
    let mut world = World::new("kill", database)?;
    let callee = Callee::start(world.dir())?;
    world.start_and_set_up(&[])?;
    let contacts = 200 + rounds as usize * 60;
    let rows: Vec<_> = (0..contacts)
        .map(|n| (format!("p{n}"), format!("+38093{:06}{}", 100_000 + n, n % 5 + 1)))
        .collect();
    let line = world.line(callee.port, 20, 40)?;
    let audio = world.audio(&tone::wav(8_000, 1.0, 440.0))?;
    let list = world.list(&rows)?;
    let limits = json!({"max_attempts": MAX_ATTEMPTS, "concurrency": 15, "always_active": true});
    let campaign = world.campaign(&line, &audio, &list, &limits)?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    // The kills are meant for calls, not for the job that makes the campaign's contacts.
    wait_for("the first call", Duration::from_secs(30), || {
        let row = world.client.get(&format!("/campaigns/{campaign}"))?;
        let calling = row["counters"]["open"].as_u64() > Some(0);
        Ok((row["preparing"] == false && calling).then_some(()))
    })?;

    let mut dice = base::Dice::new(seed);
    for round in 0..rounds {
        world.kill();
        let point = POINTS[round as usize % POINTS.len()];
        // Every fifth round dies at a moment of no particular meaning.
        let named = round % 5 != 4;
        let place = format!("{point}:{}", 1 + dice.roll(12));
        let mut variables = Vec::new();
        if named {
            variables.push(("SWITCHBELL_KILL_AT", place.as_str()));
        }
        if let Some(fault) = plant {
            variables.push(("SWITCHBELL_PLANT", fault));
        }
        // A start may meet its end before it is ready: the recovery itself is part of the check.
        if world.start(&variables).is_ok() {
            if named {
                // A point that is not met within the time is killed from outside.
                let _ = wait_for(&place, Duration::from_secs(6), || {
                    Ok(world.has_died()?.then_some(()))
                });
            } else {
                thread::sleep(Duration::from_millis(200 + dice.roll(2_500)));
            }
        } else if !world.has_died()? {
            bail!("round {round} ({place}): not ready\n{}", world.log_tail());
        }
    }
    world.kill();
    world.start(&[])?;
    world.client.post(&format!("/campaigns/{campaign}/stop"), &json!({}))?;
    let attempts = wait_for("no attempt to be open", Duration::from_mins(1), || {
        let attempts = world.client.all(&format!("/campaigns/{campaign}/attempts"))?;
        Ok(attempts.iter().all(|attempt| !attempt["ended_at"].is_null()).then_some(attempts))
    })?;
    verdict(database, rounds, &callee, &attempts)
}

fn verdict(database: Database, rounds: u32, callee: &Callee, attempts: &[Value]) -> Result<()> {
    let rang: BTreeSet<String> = callee.calls()?.into_values().flatten().collect();
    let mut known = BTreeSet::new();
    let mut per_contact = BTreeMap::<&str, u64>::new();
    let mut interrupted = 0;
    for attempt in attempts {
        let call_id = attempt["call_id"].as_str().context("an attempt without a Call-ID")?;
        if !known.insert(call_id.to_owned()) {
            bail!("two attempts carry the Call-ID {call_id}");
        }
        interrupted += u64::from(attempt["outcome"] == "interrupted");
        if attempt["spent"] == true {
            let contact = attempt["contact_id"].as_str().context("an attempt without a contact")?;
            *per_contact.entry(contact).or_default() += 1;
        }
    }
    let lost: Vec<_> = rang.difference(&known).collect();
    if let Some(first) = lost.first() {
        bail!("{} calls rang without a committed attempt, {first} the first", lost.len());
    }
    if let Some((contact, n)) = per_contact.iter().find(|(_, n)| **n > MAX_ATTEMPTS) {
        bail!("contact {contact} has {n} spent attempts of {MAX_ATTEMPTS}");
    }
    if interrupted == 0 {
        bail!("no attempt was interrupted: the kills hit nothing");
    }
    println!(
        "kill {}: {rounds} rounds, {} Call-IDs in SIPp's log, {} attempts, 0 without attempt, \
         0 over their attempts, 0 open, {interrupted} interrupted",
        database.name(),
        rang.len(),
        attempts.len()
    );
    Ok(())
}
