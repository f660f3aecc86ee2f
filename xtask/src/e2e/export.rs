//! Kill -9 while an export is written: the file holds every contact once, and none is lost.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    Database, known_plant,
    world::{World, id_of, wait_for},
};
use crate::tone;

/// Contacts: five parts, the last one not full.
const CONTACTS: usize = 9_100;

pub(super) fn run(database: Database, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["repeat-part"])?;
    let fault = ("SWITCHBELL_PLANT", plant.unwrap_or_default());
    let mut world = World::new("export", database)?;
    world.start_and_set_up(&[])?;
    let rows: Vec<_> =
        (0..CONTACTS).map(|n| (format!("p{n}"), format!("+38093{:07}", 1_000_000 + n))).collect();
    // Nobody answers on this line, and it is asked once in a quarter of an hour.
    let line = world.line(super::world::free_udp_port()?, 1, 1)?;
    let audio = world.audio(&tone::wav(8_000, 1.0, 440.0))?;
    let list = world.list(&rows)?;
    let slow = json!({"concurrency": 1, "calls_per_second": 0.001});
    let campaign = world.campaign(&line, &audio, &list, &slow)?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    wait_for("the campaign's contacts", Duration::from_mins(1), || {
        let row = world.client.get(&format!("/campaigns/{campaign}"))?;
        let whole = row["counters"]["total"].as_u64() == Some(CONTACTS as u64);
        Ok((row["preparing"] == false && whole).then_some(()))
    })?;

    let exports = format!("/campaigns/{campaign}/exports");
    let mut kills = 0;
    world.kill();
    world.start(&[("SWITCHBELL_KILL_AT", "export_part:2"), fault])?;
    let export =
        id_of(&world.client.post(&exports, &json!({"what": "contacts", "format": "csv"}))?)?;
    for at in ["export_part:1", "export_part:2", ""] {
        wait_for("the planted death", Duration::from_mins(1), || {
            Ok(world.has_died()?.then_some(()))
        })?;
        kills += 1;
        // It may die again before it is ready: that is the point.
        let started = world.start(&[("SWITCHBELL_KILL_AT", at), fault]);
        if started.is_err() && !world.has_died()? {
            return started;
        }
    }
    let ready = wait_for("the export", Duration::from_mins(2), || {
        let all = world.client.get(&exports)?;
        let row =
            all.as_array().and_then(|all| all.iter().find(|row| row["id"] == export.as_str()));
        let row = row.cloned().context("the export is gone")?;
        if row["state"] == "failed" {
            bail!("the export failed: {row}");
        }
        Ok((row["state"] == "ready").then_some(row))
    })?;
    let text = String::from_utf8(world.client.bytes(&format!("{exports}/{export}/file"))?)?;
    let mut seen = BTreeMap::<&str, usize>::new();
    for line in text.lines().skip(1) {
        *seen.entry(line.split(',').next().unwrap_or_default()).or_default() += 1;
    }
    if let Some((id, times)) = seen.iter().find(|(_, times)| **times > 1) {
        bail!("{id} is in the file {times} times");
    }
    if seen.len() != CONTACTS || ready["done"].as_u64() != Some(CONTACTS as u64) {
        bail!("{} of {CONTACTS} contacts are in the file, {} are told", seen.len(), ready["done"]);
    }
    println!(
        "export {}: {kills} kills, {} rows, 0 twice, 0 lost, {} bytes",
        database.name(),
        seen.len(),
        text.len()
    );
    Ok(())
}
