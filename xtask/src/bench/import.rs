//! A million rows beside their bare insert, and the dialler's claims beside them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{at, campaign, cpu_seconds, memory_mb, now, release, spans};
use crate::{
    e2e::{
        Database,
        world::{World, id_of, wait_for},
    },
    shell::{run, target},
};

/// Rows of the file that is imported.
const ROWS: usize = 1_000_000;

pub(super) fn imports() -> Result<()> {
    let mut file = "id,phone,name\n".to_owned();
    for n in 0..ROWS {
        file += &format!("p{n},+38093{:07},Person {n}\n", 1_000_000 + n);
    }
    for database in [Database::Sqlite, Database::Postgres] {
        import(database, file.as_bytes())?;
    }
    claims(None)?;
    claims(Some(file.as_bytes()))
}

fn import(database: Database, file: &[u8]) -> Result<()> {
    let bare = bare_insert(database)?;
    let mut world = World::new("bench-import", database)?;
    world.use_binary(release()?);
    world.start_and_set_up(&[])?;
    let process = world.process()?;
    let cpu = cpu_seconds(process)?;
    let (import, began) = begin_import(&world, file)?;
    let arrived = memory_mb(process, "VmHWM")?;
    let done = until_done(&world, &import)?;
    let wall = began.elapsed().as_secs_f64();
    if done["counts"]["added"].as_u64() != Some(ROWS as u64) {
        bail!("not every row was added: {}", done["counts"]);
    }
    println!(
        "import {}: {ROWS} rows in {wall:.1} s, {:.2} times their bare insert of {bare:.1} s \
         (goal 2), {:.1} s CPU, peak {} MB (RSS, goal 200; {arrived} MB before the first row)",
        database.name(),
        wall / bare,
        cpu_seconds(process)? - cpu,
        memory_mb(process, "VmHWM")?
    );
    Ok(())
}

/// Waits for the end of an import, which must be a good one.
pub(super) fn until_done(world: &World, import: &str) -> Result<Value> {
    wait_for("the import", Duration::from_mins(30), || {
        let seen = world.client.get(import)?;
        match seen["state"].as_str() {
            Some("running") => Ok(None),
            Some("done") => Ok(Some(seen)),
            _ => bail!("the import ended otherwise: {seen}"),
        }
    })
}

/// Seconds that the same rows take without an import around them.
fn bare_insert(database: Database) -> Result<f64> {
    // Built as one with the server: alone, what both stand on would be built once more.
    let together = ["--package", "server", "--package", "contacts"];
    let build = ["build", "--quiet", "--locked", "--release", "--bin", "switchbell"];
    run("cargo", &[&build[..], &together, &["--example", "bare"]].concat())?;
    let out = Command::new(target()?.join("release/examples/bare"))
        .args([format!("rows={ROWS}"), format!("engine={}", database.name())])
        .stderr(Stdio::inherit())
        .output()
        .context("the bare insert is missing")?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if !out.status.success() {
        bail!("the bare insert: {} {text}", out.status);
    }
    let seconds = text.split("seconds=").nth(1).context("the bare insert told no time")?;
    Ok(seconds.trim().parse()?)
}

/// Uploads and starts; the import's path and when it was started.
fn begin_import(world: &World, file: &[u8]) -> Result<(String, Instant)> {
    let list = id_of(&world.client.post("/lists", &json!({"name": "Many"}))?)?;
    let path = format!("/lists/{list}/imports?filename=many.csv");
    let ready = world.client.upload(&path, "text/csv", file)?;
    let import = format!("/imports/{}", id_of(&ready)?);
    let body = json!({"mapping": ready["mapping"], "region": "UA"});
    let began = now();
    world.client.post(&format!("{import}/start"), &body)?;
    Ok((import, began))
}

/// How long a claim takes to become an INVITE, alone or while a file is imported.
fn claims(file: Option<&[u8]>) -> Result<()> {
    let per_second = 20;
    let (world, _callee, campaign) = campaign("bench-claims", per_second, 1.0, &json!({}))?;
    let import = file.map(|file| begin_import(&world, file)).transpose()?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    world.until(&campaign, "completed", Duration::from_mins(3))?;
    let beside = match &import {
        Some((import, _)) => {
            let row = world.client.get(import)?;
            format!("beside an import ({}, {} rows)", row["state"], row["counts"]["rows"])
        }
        None => "alone".to_owned(),
    };
    let attempts = world.client.all(&format!("/campaigns/{campaign}/attempts"))?;
    let waits = spans(&attempts, "claimed_at", "invited_at");
    println!(
        "claims {beside}: {} at {per_second}/s, claim to INVITE p50 {:.1} ms p99 {:.1} ms \
         max {:.1} ms",
        waits.len(),
        at(&waits, 0.5),
        at(&waits, 0.99),
        at(&waits, 1.0)
    );
    Ok(())
}
