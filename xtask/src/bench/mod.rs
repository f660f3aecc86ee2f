//! Figures for docs/benchmarks.md. Nothing here gates: machines differ, ratios are kept.

mod import;
mod pull;
mod runpage;

use std::{
    fs,
    io::Read,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{
    e2e::{Database, sipp::Callee, world::World},
    shell::{root, run, target},
    tone, web,
};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bench {
    /// Calls begun per second, processor time per call, INVITE to 200.
    Calls,
    /// Calls held while playing and recording, beside the floor of one send and one receive.
    Media,
    /// A decision of the dialler with a thousand campaigns.
    Dialler,
    /// Start to ready, idle memory, first load of the pages.
    Start,
    /// Every request of the run page of a campaign with a million contacts, on both databases.
    Runpage,
    /// A million rows beside their bare insert on both databases, and the dialler's claims beside
    /// them.
    Import,
    /// A feed of a hundred thousand rows on both databases: new, unchanged, a tenth changed.
    Pull,
}

/// Runs the named benchmarks, or all.
pub(crate) fn run_all(wanted: &[Bench]) -> Result<()> {
    let wanted = if wanted.is_empty() { Bench::value_variants() } else { wanted };
    web::build()?;
    run("cargo", &["build", "--quiet", "--locked", "--release", "--package", "server"])?;
    for bench in wanted {
        match bench {
            Bench::Calls => calls()?,
            Bench::Media => media()?,
            Bench::Dialler => example("dialer", "decision", &[])?,
            Bench::Start => start()?,
            Bench::Runpage => runpage::run()?,
            Bench::Import => import::imports()?,
            Bench::Pull => pull::run()?,
        }
    }
    Ok(())
}

fn release() -> Result<PathBuf> {
    Ok(target()?.join("release/switchbell"))
}

/// Runs an example of a crate, optimised.
fn example(package: &str, name: &str, args: &[&str]) -> Result<()> {
    let mut all =
        vec!["run", "--quiet", "--locked", "--release", "--package", package, "--example", name];
    if !args.is_empty() {
        all.push("--");
        all.extend(args);
    }
    run("cargo", &all)
}

fn media() -> Result<()> {
    for calls in ["100", "500"] {
        let calls = format!("calls={calls}");
        example("media", "floor", &[&calls, "seconds=20"])?;
        example("media", "load", &[&calls, "seconds=20"])?;
    }
    Ok(())
}

fn calls() -> Result<()> {
    for (per_second, record) in [(100_u32, false), (100, true), (200, false), (200, true)] {
        let limits = json!({"record": record});
        let (world, _callee, campaign) = campaign("bench", per_second, 5.0, &limits)?;
        let process = world.process()?;
        let (cpu, began) = (cpu_seconds(process)?, now());
        world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
        world.until(&campaign, "completed", Duration::from_mins(3))?;
        let wall = began.elapsed().as_secs_f64();
        let spent = cpu_seconds(process)? - cpu;
        let memory = resident_mb(process)?;
        let attempts = world.client.all(&format!("/campaigns/{campaign}/attempts"))?;
        let answered = attempts.iter().filter(|one| one["outcome"] == "success").count();
        let setup = spans(&attempts, "invited_at", "answered_at");
        let rows = per_second * SECONDS;
        println!(
            "calls {per_second}/s, 5 s of play{}: {answered} of {rows} answered in {wall:.1} s, \
             {:.2} ms CPU per call, INVITE to 200 p50 {:.1} ms p99 {:.1} ms, {memory} MB",
            if record { " and record" } else { "" },
            spent * 1_000.0 / f64::from(rows),
            at(&setup, 0.5),
            at(&setup, 0.99),
        );
    }
    Ok(())
}

/// Seconds for which calls are begun.
const SECONDS: u32 = 20;

/// A campaign that is ready for its start, of as many contacts as are called in [`SECONDS`], each of
/// whom hears so many seconds of audio.
fn campaign(
    name: &str,
    per_second: u32,
    audio: f64,
    more: &Value,
) -> Result<(World, Callee, String)> {
    let mut world = World::new(name, Database::Sqlite)?;
    world.use_binary(release()?);
    let callee = Callee::start(world.dir())?;
    world.start_and_set_up(&[])?;
    let rows: Vec<_> = (0..per_second * SECONDS)
        .map(|n| (format!("p{n}"), format!("+38093{:06}1", 100_000 + n)))
        .collect();
    let line = world.line(callee.port, 1_000, per_second)?;
    let audio = world.audio(&tone::wav(8_000, audio, 440.0))?;
    let list = world.list(&rows)?;
    let mut limits = json!({"concurrency": 1_000, "calls_per_second": per_second});
    if let (Value::Object(limits), Value::Object(more)) = (&mut limits, more) {
        limits.extend(more.clone());
    }
    let campaign = world.campaign(&line, &audio, &list, &limits)?;
    Ok((world, callee, campaign))
}

/// Milliseconds between two moments of each attempt that has both, the shortest first.
fn spans(attempts: &[Value], from: &str, to: &str) -> Vec<f64> {
    let mut spans: Vec<f64> = attempts
        .iter()
        .filter_map(|one| {
            let from = micros(one[from].as_str()?)?;
            Some((micros(one[to].as_str()?)? - from) as f64 / 1_000.0)
        })
        .collect();
    spans.sort_by(f64::total_cmp);
    spans
}

/// The value below which this share of the `sorted` ones lies.
fn at(sorted: &[f64], share: f64) -> f64 {
    sorted.get(((sorted.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default()
}

fn start() -> Result<()> {
    let mut ready = Vec::new();
    for _ in 0..5 {
        let mut world = World::new("start", Database::Sqlite)?;
        world.use_binary(release()?);
        // The first start makes the database; the second is what people wait for every day.
        world.start_and_set_up(&[])?;
        world.stop()?;
        let began = now();
        world.start(&[])?;
        ready.push(began.elapsed().as_millis());
        if ready.len() == 5 {
            std::thread::sleep(Duration::from_secs(5));
            println!(
                "start: idle memory {} MB (RSS, 5 s after ready)",
                resident_mb(world.process()?)?
            );
        }
    }
    ready.sort_unstable();
    println!("start: ready after {} ms (median of 5, polled every 50 ms)", ready[2]);
    first_load()
}

/// What a browser fetches before the sign-in page shows: the page and what it names, by gzip.
fn first_load() -> Result<()> {
    let dist = root().join("web/dist");
    let page = fs::read_to_string(dist.join("index.html"))?;
    let (mut script, mut style) = (0, 0);
    for name in page.split(['"', '\'']).filter(|part| part.contains("assets/")) {
        let path = dist.join(name.trim_start_matches(['.', '/']));
        let size = gzip(&fs::read(&path).with_context(|| path.display().to_string())?)?;
        match path.extension().and_then(|end| end.to_str()) {
            Some("js") => script += size,
            Some("css") => style += size,
            _ => {}
        }
    }
    println!(
        "pages: first load {:.0} kB of script and {:.0} kB of style, gzip",
        script as f64 / 1_000.0,
        style as f64 / 1_000.0
    );
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut child = Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("no input")?;
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut input, &bytes));
    let mut out = Vec::new();
    child.stdout.take().context("no output")?.read_to_end(&mut out)?;
    writer.join().map_err(|_| anyhow::anyhow!("gzip's writer broke"))??;
    if child.wait()?.success() { Ok(out.len()) } else { bail!("gzip failed") }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn now() -> Instant {
    Instant::now()
}

/// Processor time of a process so far: fields 14 and 15 of proc(5), in ticks of 10 ms.
fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let rest = stat.rsplit(')').next().context("proc has changed its form")?;
    let ticks: f64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

fn resident_mb(process: u32) -> Result<u64> {
    memory_mb(process, "VmRSS")
}

/// A line of proc's status: `VmRSS` for what is resident, `VmHWM` for the most that ever was.
fn memory_mb(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line =
        status.lines().find(|line| line.starts_with(name)).with_context(|| name.to_owned())?;
    let kb: u64 = line.split_whitespace().nth(1).context("no size")?.parse()?;
    Ok(kb / 1_024)
}

/// Microseconds of the day's part of an RFC 3339 moment in UTC, enough to subtract within a day.
fn micros(moment: &str) -> Option<i64> {
    let clock = moment.split('T').nth(1)?.trim_end_matches('Z');
    let mut parts = clock.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    Some((hours * 3_600 + minutes * 60) * 1_000_000 + (seconds * 1_000_000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_apart_by_microseconds() {
        let (a, b) = (micros("2026-11-20T08:00:00.25Z"), micros("2026-11-20T08:00:01Z"));
        assert_eq!(b.unwrap() - a.unwrap(), 750_000);
    }
}
