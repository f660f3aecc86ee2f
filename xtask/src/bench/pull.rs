//! A feed of a hundred thousand rows: all new, none changed, every tenth changed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{cpu_seconds, import::until_done, memory_mb, now, release};
use crate::e2e::{
    Database, feed,
    world::{World, id_of, wait_for},
};

/// Elements of the feed.
const ELEMENTS: usize = 100_000;
/// Elements of one answer.
const PAGE: usize = 1_000;

pub(super) fn run() -> Result<()> {
    for database in [Database::Sqlite, Database::Postgres] {
        pull(database)?;
    }
    Ok(())
}

fn pull(database: Database) -> Result<()> {
    let edition = Arc::new(AtomicUsize::new(0));
    let port = feed::serve({
        let edition = Arc::clone(&edition);
        move |path| page(path, edition.load(Ordering::Relaxed))
    })?;
    let mut world = World::new("bench-pull", database)?;
    world.use_binary(release()?);
    world.start_and_set_up(&[("SWITCHBELL_ALLOWED_HOSTS", "127.0.0.1")])?;
    let process = world.process()?;
    let list = id_of(&world.client.post("/lists", &json!({"name": "Feed"}))?)?;
    let settings = json!({
        "kind": "feed", "url": format!("http://127.0.0.1:{port}/"), "region": "UA",
        "paging": {"by": "page", "param": "page", "first": 0},
    });
    let wish = json!({"name": "Feed", "settings": settings, "enabled": true});
    let mut source = String::new();
    for (nth, (name, expected)) in
        [("all new", "added"), ("none changed", "unchanged"), ("every tenth changed", "updated")]
            .into_iter()
            .enumerate()
    {
        edition.store(nth / 2, Ordering::Relaxed);
        let (cpu, began) = (cpu_seconds(process)?, now());
        // A new source is loaded at once.
        if nth == 0 {
            source = id_of(&world.client.post(&format!("/lists/{list}/sources"), &wish)?)?;
        } else {
            world.client.post(&format!("/sources/{source}/pull"), &json!({}))?;
        }
        let import = wait_for("the pull", Duration::from_mins(2), || {
            let pulls = world.client.all(&format!("/sources/{source}/pulls"))?;
            let imports = pulls.iter().filter_map(|pull| pull["import"].as_str());
            let imports: Vec<String> = imports.map(str::to_owned).collect();
            Ok((imports.len() > nth).then_some(imports))
        })?;
        let fetched = began.elapsed().as_secs_f64();
        // The newest is told first.
        let import = import.first().context("no import")?;
        let done = until_done(&world, &format!("/imports/{import}"))?;
        let wall = began.elapsed().as_secs_f64();
        let rows = if nth == 2 { ELEMENTS / 10 } else { ELEMENTS };
        if done["counts"][expected].as_u64() != Some(rows as u64) {
            bail!("{rows} rows were to be {expected}: {}", done["counts"]);
        }
        println!(
            "pull {}: {ELEMENTS} rows, {name}, in {wall:.1} s ({fetched:.1} s until they were on \
             the disk), {:.1} s CPU, peak {} MB (RSS)",
            database.name(),
            cpu_seconds(process)? - cpu,
            memory_mb(process, "VmHWM")?
        );
    }
    Ok(())
}

/// One answer; the edition is part of every tenth name.
fn page(path: &str, edition: usize) -> String {
    let number = path.split("page=").nth(1).and_then(|number| number.parse().ok());
    let first = number.map_or(0, |number: usize| number * PAGE).min(ELEMENTS);
    let element = |n: usize| {
        let edition = if n.is_multiple_of(10) { edition } else { 0 };
        let (phone, name) =
            (format!("+38093{:07}", 1_000_000 + n), format!("Person {n}.{edition}"));
        json!({"id": format!("f{n}"), "phone": phone, "name": name})
    };
    Value::Array((first..(first + PAGE).min(ELEMENTS)).map(element).collect()).to_string()
}
