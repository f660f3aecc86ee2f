//! The order on the disk and on the wire, as the kernel saw it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{Database, known_plant, sipp::Callee, world::World};
use crate::tone;

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["synchronous-off"])?;
    let mut world = World::new("wal", Database::Sqlite)?;
    let callee = Callee::start(world.dir())?;
    let trace = world.dir().join("trace");
    let path = trace.to_str().context("the temporary folder's name is not UTF-8")?.to_owned();
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-s",
        "65536",
        "-e",
        "trace=pwrite64,fdatasync,fsync,sendto,sendmsg",
        "-e",
        "signal=none",
        "-o",
        &path,
    ];
    let plants: &[(&str, &str)] = match plant {
        Some(fault) => &[("SWITCHBELL_PLANT", fault)],
        None => &[],
    };
    world.start_under(&strace, plants)?;
    let set_up = world.printed.first().cloned().unwrap_or_default();
    world.client.set_up(&set_up)?;
    let line = world.line(callee.port, 10, 10)?;
    let audio = world.audio(&tone::wav(8_000, 0.5, 440.0))?;
    let rows: Vec<_> = (0..5).map(|n| (format!("p{n}"), format!("+3809310000{n}1"))).collect();
    let list = world.list(&rows)?;
    let campaign = world.campaign(&line, &audio, &list, &json!({"concurrency": 1}))?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    world.until(&campaign, "completed", Duration::from_mins(2))?;
    let attempts = world.client.all(&format!("/campaigns/{campaign}/attempts"))?;
    world.kill();
    let trace = std::fs::read_to_string(&trace)?;
    for attempt in &attempts {
        order(&trace, attempt["call_id"].as_str().context("an attempt without a Call-ID")?)?;
    }
    println!(
        "wal: {0} of {0} INVITEs left after the sync (fdatasync or fsync) of their claim had returned",
        attempts.len()
    );
    Ok(())
}

/// Checks one call: its claim is written to the log, synced, and only then sent for.
fn order(trace: &str, call_id: &str) -> Result<()> {
    let mut written = false;
    let mut syncing = None;
    let mut synced = false;
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if call.starts_with("pwrite64") && call.contains("-wal>") && call.contains(call_id) {
            written = true;
        } else if written && is_sync(call) && call.contains("-wal>") {
            if call.ends_with("= 0") {
                synced = true;
            } else {
                syncing = Some(thread);
            }
        } else if is_sync_resumed(call) && syncing == Some(thread) {
            synced |= call.ends_with("= 0");
        } else if call.starts_with("send") && call.contains("INVITE sip:") && call.contains(call_id)
        {
            return match (written, synced) {
                (true, true) => Ok(()),
                (true, false) => {
                    bail!("INVITE of {call_id} left before the sync of its claim returned")
                }
                (false, _) => bail!("INVITE of {call_id} left before its claim was written"),
            };
        }
    }
    bail!("no INVITE of {call_id} in the trace")
}

/// Either call makes the log's content durable; which one SQLite makes is settled when it is built.
fn is_sync(call: &str) -> bool {
    call.starts_with("fdatasync(") || call.starts_with("fsync(")
}

fn is_sync_resumed(call: &str) -> bool {
    call.starts_with("<... fdatasync resumed>") || call.starts_with("<... fsync resumed>")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: &str = "11 pwrite64(7</d/a.db-wal>, \"..abc..\", 24, 0) = 24\n";
    const SYNC: &str = "11 fdatasync(7</d/a.db-wal>) = 0\n";
    const SEND: &str =
        "12 sendto(9<socket:[1]>, \"INVITE sip:1@h SIP/2.0\\r\\nCall-ID: abc\", 9, 0) = 9\n";

    #[test]
    fn the_order_is_told_apart() {
        assert!(order(&format!("{WRITE}{SYNC}{SEND}"), "abc").is_ok());
        let late = order(&format!("{WRITE}{SEND}{SYNC}"), "abc").unwrap_err().to_string();
        assert!(late.contains("before the sync"), "{late}");
        let never = order(SEND, "abc").unwrap_err().to_string();
        assert!(never.contains("before its claim was written"), "{never}");
        let split =
            "11 fdatasync(7</d/a.db-wal> <unfinished ...>\n11 <... fdatasync resumed>) = 0\n";
        assert!(order(&format!("{WRITE}{split}{SEND}"), "abc").is_ok());
    }
}
