//! The run page of a campaign with a million contacts: every request that it makes.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{now, release};
use crate::{
    e2e::{
        Database,
        world::{World, free_udp_port, id_of, wait_for},
    },
    tone,
};

const CONTACTS: usize = 1_000_000;
const ATTEMPTS: usize = 400_000;
/// How often each request is made.
const TIMES: usize = 40;

/// A million contacts made of one, in the list and in the campaign, and counted.
fn copies(list: &str, campaign: &str) -> [String; 3] {
    let last = CONTACTS - 1;
    let numbers =
        format!("WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {last})");
    [
        format!(
            "INSERT INTO list_contact (id, account, list, external_id, name, first_phone, zone,
               variables, source, import, search, created_at, updated_at)
             {numbers}
             SELECT s.id + n, s.account, s.list, 'g' || n, 'Person ' || n,
               '+38093' || (1000000 + n), s.zone, s.variables, s.source, s.import,
               'person ' || n, s.created_at, s.updated_at
             FROM list_contact s, g WHERE s.list = {list} AND s.external_id = 'p0'"
        ),
        format!(
            "INSERT INTO campaign_contact (id, account, campaign, list_contact, external_id, name,
               phone, first_phone, number, numbers, zone, state, state_group, next_at, attempts,
               ordinal, created_at, updated_at)
             {numbers}
             SELECT c.id + n, c.account, c.campaign, c.list_contact + n, 'g' || n, 'Person ' || n,
               '+38093' || (1000000 + n), '+38093' || (1000000 + n), c.number, c.numbers, c.zone,
               c.state, c.state_group, c.next_at, 0, 0, c.created_at, c.updated_at
             FROM campaign_contact c, g
             WHERE c.campaign = {campaign} AND c.external_id = 'p0'"
        ),
        format!(
            "UPDATE campaign_count SET n = {CONTACTS}
             WHERE campaign = {campaign} AND what = 'contact:callable'"
        ),
    ]
}

/// Calls over three days, as many as there are contacts of an even id, with their roll-ups. The same
/// words are understood by both engines.
fn history(campaign: &str, at: i64) -> [String; 4] {
    let quarter = 900_000_000;
    [
        format!(
            "INSERT INTO attempt (id, account, campaign, contact, ordinal, phone, line, boot,
               call_id, settings_version, claimed_at, invited_at, answered_at, ended_at, outcome,
               sip_code, spent)
             SELECT id, account, campaign, id, 1, phone, 5, 1, CAST(id AS TEXT), 1,
               {at} - id % 259200000000, {at} - id % 259200000000,
               CASE WHEN id % 3 = 0 THEN {at} - id % 259200000000 + 4000000 END,
               {at} - id % 259200000000 + 20000000,
               CASE id % 3 WHEN 0 THEN 'success' WHEN 1 THEN 'busy' ELSE 'no_answer' END,
               CASE id % 3 WHEN 0 THEN 200 WHEN 1 THEN 486 ELSE 487 END, TRUE
             FROM campaign_contact WHERE campaign = {campaign} ORDER BY 1 LIMIT {ATTEMPTS}"
        ),
        format!(
            "UPDATE campaign_contact SET attempts = 1, ordinal = 1,
               last_outcome = (SELECT outcome FROM attempt WHERE attempt.id = campaign_contact.id),
               next_at = {at} + 86400000000
             WHERE id IN (SELECT id FROM attempt WHERE campaign = {campaign})"
        ),
        format!(
            "INSERT INTO campaign_pulse (account, campaign, span, began_at, outcome, calls, answered)
             SELECT account, campaign, 900, claimed_at / {quarter} * {quarter}, outcome, COUNT(*),
               SUM(CASE WHEN answered_at IS NULL THEN 0 ELSE 1 END)
             FROM attempt WHERE campaign = {campaign}
             GROUP BY account, campaign, claimed_at / {quarter} * {quarter}, outcome"
        ),
        format!(
            "INSERT INTO campaign_pulse (account, campaign, span, began_at, outcome, calls, answered)
             SELECT account, campaign, 60, claimed_at / 60000000 * 60000000, outcome, COUNT(*),
               SUM(CASE WHEN answered_at IS NULL THEN 0 ELSE 1 END)
             FROM attempt WHERE campaign = {campaign}
             GROUP BY account, campaign, claimed_at / 60000000 * 60000000, outcome"
        ),
    ]
}

/// Runs statements on the data of a server that is stopped.
fn execute(world: &World, database: Database, statements: &[String]) -> Result<()> {
    let text = statements.join(";\n");
    let out = match database {
        Database::Postgres => Command::new("psql")
            .args([world.database_url()?, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", &text])
            .output()?,
        Database::Sqlite => Command::new("python3")
            .args([
                "-c",
                "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])",
            ])
            .arg(world.data().join("switchbell.db"))
            .arg(format!("BEGIN; {text}; COMMIT"))
            .output()?,
    };
    if !out.status.success() {
        bail!("{}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(())
}

pub(super) fn run() -> Result<()> {
    for database in [Database::Sqlite, Database::Postgres] {
        let mut world = World::new("bench-runpage", database)?;
        world.use_binary(release()?);
        world.start_and_set_up(&[])?;
        let campaign = fill(&mut world, database)?;
        let asked = requests(&world, &campaign)?;
        let (mut worst, mut which) = (0.0_f64, String::new());
        for path in &asked {
            let mut spans: Vec<f64> = Vec::with_capacity(TIMES);
            for _ in 0..TIMES {
                let began: Instant = now();
                world.client.get(path)?;
                spans.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
            spans.sort_by(f64::total_cmp);
            let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
            let told = path.replace(&campaign, "ID");
            println!(
                "runpage {}: p50 {:.1} ms, p95 {:.1} ms, max {:.1} ms: GET {told}",
                database.name(),
                at(0.5),
                at(0.95),
                at(1.0)
            );
            if at(0.95) > worst {
                (worst, which) = (at(0.95), told);
            }
        }
        println!(
            "runpage {}: {CONTACTS} contacts, {ATTEMPTS} calls: the worst p95 of {} requests is \
             {worst:.1} ms (goal 50): GET {which}",
            database.name(),
            asked.len()
        );
    }
    Ok(())
}

/// A campaign that runs and waits for its hours, with a history.
#[expect(clippy::disallowed_methods, reason = "a running server is filled, by the real clock")]
fn fill(world: &mut World, database: Database) -> Result<String> {
    let line = world.line(free_udp_port()?, 10, 10)?;
    let audio = world.audio(&tone::wav(8_000, 1.0, 440.0))?;
    // One contact comes in by the product's own ways; the others are its copies.
    let list = world.list(&[("p0".to_owned(), "+380931000000".to_owned())])?;
    let never = json!({
        "hours": {"mon": [["00:00", "00:01"]]}, "period": {"from": "2098-01-01", "to": null},
    });
    let campaign = world.campaign(&line, &audio, &list, &never)?;
    world.client.post(&format!("/campaigns/{campaign}/start"), &json!({}))?;
    wait_for("the campaign's contact", Duration::from_mins(1), || {
        let row = world.client.get(&format!("/campaigns/{campaign}"))?;
        let all = row["counters"]["total"].as_u64() == Some(1);
        Ok((row["preparing"] == false && all).then_some(()))
    })?;
    world.stop()?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    execute(world, database, &copies(&list, &campaign))?;
    execute(world, database, &history(&campaign, since.as_micros() as i64))?;
    if let Database::Postgres = database {
        execute(world, database, &["ANALYZE".to_owned()])?;
    }
    world.start(&[])?;
    Ok(campaign)
}

/// What the page asks for: head, tabs, filters, searches, the last page and one contact.
fn requests(world: &World, campaign: &str) -> Result<Vec<String>> {
    let at = format!("/campaigns/{campaign}");
    let first = world.client.get(&format!("{at}/contacts?limit=50"))?;
    let contact = id_of(first["items"].get(0).context("no contacts")?)?;
    let mut paths = vec!["/campaigns".to_owned(), at.clone()];
    for rest in [
        "contacts?limit=50",
        "contacts?limit=50&state=callable",
        "contacts?limit=50&outcome=busy",
        "contacts?limit=50&q=person%20999999",
        "contacts?limit=50&state=callable&q=0931999999",
        "attempts?limit=50",
        "attempts?limit=50&outcome=busy",
        "attempts?limit=50&sip_code=487",
        "attempts?limit=50&q=0931399999",
        "attempts?limit=50&answered=true&recorded=false",
        "timeline?span=hour",
        "timeline?span=day",
        "timeline?span=week",
        "timeline?span=all",
        "week",
        "exports",
    ] {
        paths.push(format!("{at}/{rest}"));
    }
    paths.push(format!("{at}/contacts/{contact}"));
    let cursor = first["next"].as_str().context("one page only")?;
    paths.push(format!("{at}/contacts?limit=50&cursor={cursor}"));
    Ok(paths)
}
