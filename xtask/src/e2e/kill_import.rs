//! Kill -9 while a file is imported, a feed is pulled and an export is written: no row twice, none
//! lost, and the job goes on by itself.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    Database, export, feed, known_plant,
    world::{World, id_of, wait_for},
};

/// Rows of the file: forty units, the last one not full.
const ROWS: usize = 19_900;
/// Elements of the feed: eleven units.
const ELEMENTS: usize = 5_300;
/// Every so many-th row of the file has no number.
const BAD: usize = 97;
/// Deaths of the import at its own point, and from outside at whatever moment.
const PLANNED: [&str; 4] = ["import_unit:3", "import_unit:1", "import_unit:6", "import_unit:2"];
const RANDOM: usize = 3;
/// Deaths of the pull.
const PULLED: [&str; 3] = ["pull_stored", "import_unit:2", "import_unit:3"];

/// With `few`, each dies once: on PostgreSQL whoever goes on waits for the lease of the dead.
pub(super) fn run(database: Database, few: bool, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["forget-unit"])?;
    let fault = ("SWITCHBELL_PLANT", plant.unwrap_or_default());
    let allowed = ("SWITCHBELL_ALLOWED_HOSTS", "127.0.0.1");
    let mut world = World::new("kill-import", database)?;
    world.start_and_set_up(&[allowed])?;
    let (planned, random) = if few { (&PLANNED[..1], 0) } else { (&PLANNED[..], RANDOM) };
    let deaths = import(&mut world, &[allowed, fault], planned, random)?;
    let planned = if few { &PULLED[..1] } else { &PULLED[..] };
    let pulled = pull(&mut world, &[allowed, fault], planned)?;
    println!(
        "kill-import {}: {deaths} deaths in an import of {ROWS} rows and {pulled} in a pull of \
         {ELEMENTS} elements, 0 twice, 0 lost",
        database.name()
    );
    drop(world);
    if few {
        return Ok(());
    }
    // An export has its own run, with a planted fault of its own.
    export::run(database, None)
}

fn import(
    world: &mut World,
    more: &[(&str, &str)],
    planned: &[&str],
    random: usize,
) -> Result<usize> {
    let list = id_of(&world.client.post("/lists", &json!({"name": "People"}))?)?;
    let mut file = "id,phone,name\n".to_owned();
    for n in 0..ROWS {
        let phone = if n % BAD == 0 { "none".to_owned() } else { phone(n) };
        file += &format!("p{n},{phone},Person {n}\n");
    }
    let path = format!("/lists/{list}/imports?filename=people.csv");
    let import = world.client.upload(&path, "text/csv", file.as_bytes())?;
    let id = id_of(&import)?;
    let place = format!("/imports/{id}");
    restart(world, more, planned[0])?;
    let body = json!({"mapping": import["mapping"], "region": "UA"});
    // The process may be gone before it can answer.
    let _ = world.client.post(&format!("{place}/start"), &body);
    let mut deaths = 0;
    for next in planned.iter().skip(1).copied().chain([""]) {
        wait_for("the planted death", Duration::from_mins(1), || {
            Ok(world.has_died()?.then_some(()))
        })?;
        deaths += 1;
        restart(world, more, next)?;
    }
    for _ in 0..random {
        let rows = |world: &World| -> Result<u64> {
            world.client.get(&place)?["counts"]["rows"].as_u64().context("no counts")
        };
        let before = rows(world)?;
        if before >= ROWS as u64 - 2_000 {
            break;
        }
        wait_for("more rows", Duration::from_mins(1), || {
            Ok((rows(world)? >= before + 500).then_some(()))
        })?;
        world.kill();
        deaths += 1;
        restart(world, more, "")?;
    }
    let done = until_done(world, &place)?;
    let bad = ROWS.div_ceil(BAD);
    told(&done["counts"], "rows", ROWS)?;
    told(&done["counts"], "rejected", bad)?;
    told(&done["counts"], "kept", bad)?;
    told(&done["counts"], "added", ROWS - bad)?;
    told(&done["counts"], "duplicates", 0)?;
    everybody(world, &list, (0..ROWS).filter(|n| n % BAD != 0).map(|n| format!("p{n}")))?;
    Ok(deaths)
}

fn pull(world: &mut World, more: &[(&str, &str)], planned: &[&str]) -> Result<usize> {
    let body = elements();
    let port = feed::serve(move |_| body.clone())?;
    let list = id_of(&world.client.post("/lists", &json!({"name": "Feed"}))?)?;
    let settings = json!({
        "kind": "feed", "url": format!("http://127.0.0.1:{port}/"), "region": "UA", "timeout_s": 20,
    });
    restart(world, more, planned[0])?;
    let wish = json!({"name": "Feed", "settings": settings, "enabled": true});
    let sources = format!("/lists/{list}/sources");
    // A new source is loaded at once, so the process may be gone before it can answer.
    let _ = world.client.post(&sources, &wish);
    let mut deaths = 0;
    for next in planned.iter().skip(1).copied().chain([""]) {
        wait_for("the planted death", Duration::from_mins(1), || {
            Ok(world.has_died()?.then_some(()))
        })?;
        deaths += 1;
        restart(world, more, next)?;
    }
    let source = world.client.get(&sources)?;
    let source = id_of(source.get(0).context("the source is gone")?)?;
    let pulls = wait_for("the pull", Duration::from_mins(2), || {
        let pulls = world.client.all(&format!("/sources/{source}/pulls"))?;
        Ok(pulls.iter().any(|pull| pull["import"].is_string()).then_some(pulls))
    })?;
    if pulls.len() != 1 {
        bail!("one pull was asked for, {} are told: {pulls:?}", pulls.len());
    }
    let import = pulls[0]["import"].as_str().context("no import")?;
    let done = until_done(world, &format!("/imports/{import}"))?;
    told(&done["counts"], "rows", ELEMENTS)?;
    told(&done["counts"], "added", ELEMENTS)?;
    let imports = world.client.all(&format!("/lists/{list}/imports"))?;
    if imports.len() != 1 {
        bail!("one pull made {} imports", imports.len());
    }
    everybody(world, &list, (0..ELEMENTS).map(|n| format!("f{n}")))?;
    Ok(deaths)
}

fn phone(n: usize) -> String {
    format!("+38093{:07}", 1_000_000 + n)
}

/// Kills what is left of the process and starts it anew. It may die again before it is ready: that
/// is the point.
fn restart(world: &mut World, more: &[(&str, &str)], point: &str) -> Result<()> {
    world.kill();
    let mut variables = more.to_vec();
    if !point.is_empty() {
        variables.push(("SWITCHBELL_KILL_AT", point));
    }
    let started = world.start(&variables);
    if started.is_err() && !world.has_died()? {
        return started;
    }
    Ok(())
}

fn until_done(world: &World, place: &str) -> Result<Value> {
    wait_for("the import", Duration::from_mins(3), || {
        let seen = world.client.get(place)?;
        if seen["state"] == "failed" {
            bail!("the import failed: {seen}");
        }
        Ok((seen["state"] == "done").then_some(seen))
    })
}

fn told(counts: &Value, name: &str, expected: usize) -> Result<()> {
    match counts[name].as_u64() {
        Some(told) if told == expected as u64 => Ok(()),
        told => bail!("{expected} {name} were to be told, not {told:?}: {counts}"),
    }
}

/// The list holds each of these external ids once, and nobody else.
fn everybody(world: &World, list: &str, expected: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = BTreeMap::<String, usize>::new();
    for contact in world.client.all(&format!("/lists/{list}/contacts"))? {
        let id = contact["external_id"].as_str().context("a contact without an id")?;
        *seen.entry(id.to_owned()).or_default() += 1;
    }
    if let Some((id, times)) = seen.iter().find(|(_, times)| **times > 1) {
        bail!("{id} is in the list {times} times");
    }
    let stored = seen.len();
    let mut lost = Vec::new();
    for id in expected {
        if seen.remove(&id).is_none() {
            lost.push(id);
        }
    }
    if let Some(first) = lost.first() {
        bail!("{} rows are lost, {first} the first; {stored} are there", lost.len());
    }
    if let Some(id) = seen.keys().next() {
        bail!("{id} is in the list and was in no file");
    }
    let row = world.client.get(&format!("/lists/{list}"))?;
    told(&row, "contacts", stored)?;
    told(&row, "numbers", stored)
}

/// The feed, which is one answer.
fn elements() -> String {
    let elements: Vec<Value> = (0..ELEMENTS)
        .map(|n| json!({"id": format!("f{n}"), "phone": phone(n), "name": format!("Person {n}")}))
        .collect();
    Value::Array(elements).to_string()
}
