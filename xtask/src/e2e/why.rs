//! Why is it not dialling: the world is driven into every reason there is, and each has its words.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Write},
    net::UdpSocket,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use base::Timestamp;
use calendar::{WallHour, Zone};
use proc_macro2::{TokenStream, TokenTree};
use serde_json::{Value, json};

use super::{
    Database, known_plant,
    world::{World, free_udp_port, id_of, wait_for},
};
use crate::{generate::LANGUAGES, shell, tone};

/// Where the reasons are told.
const REASONS: &str = "core/dialer/src/why.rs";
/// The last digits of phones of the demo carrier: one is busy, one rings and rings.
const BUSY: u8 = 1;
const RINGS: u8 = 2;
/// A number of Tonga, where it is always the day after that of American Samoa.
const TONGA: &str = "+6767712345";

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["forget", "wordless"])?;
    let mut stage = Stage::open()?;
    states(&mut stage)?;
    hours(&mut stage)?;
    limits(&mut stage)?;
    ends(&mut stage)?;
    lines(&mut stage, plant == Some("forget"))?;
    store(&mut stage)?;
    installation(&mut stage)?;
    let there_are = variants(&fs::read_to_string(shell::root().join(REASONS))?)?;
    let seen: BTreeSet<_> = stage.seen.keys().cloned().collect();
    if seen != there_are {
        let of = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
            a.difference(b).cloned().collect::<Vec<_>>().join(", ")
        };
        bail!("never seen: {}; unknown: {}", of(&there_are, &seen), of(&seen, &there_are));
    }
    let sentences = sentences(&stage.seen, plant == Some("wordless"))?;
    let langs = LANGUAGES.len();
    println!(
        "why: {} of {} reasons seen, {sentences} sentences in {langs} languages",
        seen.len(),
        there_are.len()
    );
    Ok(())
}

/// A server on PostgreSQL, since only there a second process can be on the same data.
struct Stage {
    world: World,
    audio: String,
    /// A line of the demo carrier in real time.
    line: String,
    scenes: u32,
    /// What the API said for each reason that was seen.
    seen: BTreeMap<String, Value>,
}

impl Stage {
    fn open() -> Result<Self> {
        let mut world = World::new("why", Database::Postgres)?;
        world.start_and_set_up(&[])?;
        let audio = world.audio(&tone::wav(8_000, 1.0, 440.0))?;
        let mut stage =
            Self { world, audio, line: String::new(), scenes: 0, seen: BTreeMap::new() };
        stage.line = stage.demo_line(50, 100, "none")?;
        Ok(stage)
    }

    fn demo_line(&mut self, channels: u32, per_second: u32, failure: &str) -> Result<String> {
        self.line_of(&json!({
            "mode": "demo", "channels": channels, "calls_per_second": per_second,
            "demo": {"speed": 1, "seed": 1, "failure": failure},
        }))
    }

    fn line_of(&mut self, wish: &Value) -> Result<String> {
        self.scenes += 1;
        let mut wish = wish.clone();
        wish["name"] = json!(format!("Line {}", self.scenes));
        wish["enabled"] = json!(true);
        id_of(&self.world.client.post("/lines", &wish)?)
    }

    /// A line by address to a peer on loopback.
    fn peer(&mut self, port: u16) -> Result<String> {
        self.line_of(&json!({
            "mode": "address", "host": "127.0.0.1", "port": port, "channels": 5,
            "calls_per_second": 10, "caller_id": "+380441234567",
        }))
    }

    /// A draft over contacts of its own, one for each ending of `phones`.
    fn scene(&mut self, phones: &[u8], line: &str, more: &Value) -> Result<String> {
        let phones: Vec<_> = (0..).zip(phones).map(|(n, ending)| self.phone(n, *ending)).collect();
        self.scene_of(&phones, line, more)
    }

    /// A number of the demo carrier that no other scene has.
    fn phone(&self, n: u32, ending: u8) -> String {
        format!("+999{:03}{n:04}{ending:02}", self.scenes)
    }

    fn scene_of(&mut self, phones: &[String], line: &str, more: &Value) -> Result<String> {
        self.scenes += 1;
        let rows: Vec<_> =
            phones.iter().enumerate().map(|(n, phone)| (n.to_string(), phone.clone())).collect();
        let list = self.world.list_named(&format!("Scene {}", self.scenes), &rows)?;
        self.world.campaign(line, &self.audio, &list, more)
    }

    fn step(&self, campaign: &str, step: &str) -> Result<()> {
        self.world.client.post(&format!("/campaigns/{campaign}/{step}"), &json!({})).map(drop)
    }

    fn change(&self, campaign: &str, wish: &Value) -> Result<()> {
        self.world.client.patch(&format!("/campaigns/{campaign}"), wish).map(drop)
    }

    /// Waits until the campaign says `code`, and keeps how it said it.
    fn reach(&mut self, campaign: &str, code: &str) -> Result<()> {
        let mut last = Value::Null;
        let found = wait_for(&format!("the reason {code}"), Duration::from_mins(1), || {
            match self.world.client.get(&format!("/campaigns/{campaign}")) {
                Ok(mut row) => last = row["why"].take(),
                // What pages get, too, while the database goes away and comes back.
                Err(error) if error.to_string().contains(": 503 ") => return Ok(None),
                Err(error) => return Err(error),
            }
            Ok((last["code"] == code).then(|| last.clone()))
        });
        let why = found.with_context(|| {
            format!("it says {last}; the server's log:\n{}", self.world.log_tail())
        })?;
        self.seen.insert(code.to_owned(), why);
        Ok(())
    }

    /// A scene on the demo line that is started and says `code`, and is stopped then.
    fn play(&mut self, code: &str, phones: &[u8], more: &Value) -> Result<()> {
        let line = self.line.clone();
        let campaign = self.scene(phones, &line, more)?;
        self.step(&campaign, "start")?;
        self.reach(&campaign, code)?;
        self.step(&campaign, "stop")
    }
}

/// What people do to a campaign.
fn states(stage: &mut Stage) -> Result<()> {
    let line = stage.line.clone();
    let campaign = stage.scene(&[RINGS], &line, &json!({}))?;
    stage.reach(&campaign, "not_started")?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "last_calls")?;
    stage.step(&campaign, "pause")?;
    stage.reach(&campaign, "draining")?;
    stage.reach(&campaign, "paused")?;
    stage.step(&campaign, "stop")?;
    stage.reach(&campaign, "stopped")?;
    let once = json!({"max_attempts": 1});
    let campaign = stage.scene(&[BUSY], &line, &once)?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "completed")
}

/// What its own clock says.
fn hours(stage: &mut Stage) -> Result<()> {
    let line = stage.line.clone();
    // Days that are neither today nor tomorrow, so that midnight may pass meanwhile.
    let later = day("UTC", 2)?;
    let ahead = json!({"period": {"from": later.date.to_string(), "to": null}});
    stage.play("scheduled", &[BUSY], &ahead)?;
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let hours = |weekday: u8| json!({names[usize::from(weekday)]: [["09:00", "10:00"]]});
    stage.play("window_shut", &[BUSY], &json!({"hours": hours(later.weekday)}))?;
    let campaign = stage.scene(&[RINGS, BUSY], &line, &json!({"concurrency": 1}))?;
    stage.step(&campaign, "start")?;
    let one_day = json!({"from": later.date.to_string(), "to": later.date.to_string()});
    let another = hours((later.weekday + 1) % 7);
    stage.change(&campaign, &json!({"period": one_day, "hours": another}))?;
    stage.reach(&campaign, "never_opens")?;
    let over = json!({"period": {"from": null, "to": day("UTC", -2)?.date.to_string()}});
    stage.change(&campaign, &over)?;
    stage.reach(&campaign, "period_over")?;
    stage.step(&campaign, "stop")?;
    // The one day of the period is over for the contact before it begins for the campaign.
    let zone = "Pacific/Pago_Pago";
    let day = day(zone, 0)?.date.to_string();
    let wish = json!({
        "time_zone": zone, "use_contact_zone": true, "period": {"from": day, "to": day},
    });
    let peer = stage.peer(free_udp_port()?)?;
    let campaign = stage.scene_of(&[TONGA.to_owned()], &peer, &wish)?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "nobody_callable")?;
    stage.step(&campaign, "stop")
}

/// Limits of the campaign and of the line.
fn limits(stage: &mut Stage) -> Result<()> {
    stage.play("concurrency", &[RINGS, RINGS], &json!({"concurrency": 1}))?;
    stage.play("campaign_rate", &[BUSY; 3], &json!({"calls_per_second": 0.1}))?;
    let waves = json!({"batch": {"calls": 1, "gap_s": 60}});
    stage.play("batch_gap", &[BUSY; 3], &waves)?;
    let narrow = stage.demo_line(1, 10, "none")?;
    let campaign = stage.scene(&[RINGS, RINGS], &narrow, &json!({}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "line_full")?;
    stage.step(&campaign, "stop")?;
    let slow = stage.line_of(&json!({
        "mode": "demo", "channels": 5, "calls_per_second": 0.1,
        "demo": {"speed": 1, "seed": 1, "failure": "none"},
    }))?;
    for (phone, code) in [(BUSY, "line_rate"), (RINGS, "dialling")] {
        let campaign = stage.scene(&[phone; 3], &slow, &json!({}))?;
        stage.step(&campaign, "start")?;
        stage.reach(&campaign, code)?;
        stage.step(&campaign, "stop")?;
    }
    Ok(())
}

/// How lists come to their end.
fn ends(stage: &mut Stage) -> Result<()> {
    let late = json!({
        "delays_s": {
            "busy": 3_600, "no_answer": 3_600, "failed": 3_600, "short_talk": 3_600,
            "machine": 3_600,
        },
    });
    stage.play("all_wait", &[BUSY], &late)?;
    stage.play("list_finished", &[BUSY], &json!({"max_attempts": 1, "always_active": true}))
}

/// What happens to a line.
fn lines(stage: &mut Stage, forget: bool) -> Result<()> {
    let off = stage.demo_line(5, 10, "none")?;
    let campaign = stage.scene(&[RINGS], &off, &json!({}))?;
    stage.step(&campaign, "start")?;
    stage.world.client.patch(&format!("/lines/{off}"), &json!({"enabled": false}))?;
    stage.reach(&campaign, "line_disabled")?;
    // As after a restore of data that lacks it: the API deletes no line that is in use.
    psql(&stage.world, &format!("DELETE FROM line WHERE id = {off}"))?;
    stage.world.stop()?;
    stage.world.start(&[])?;
    stage.reach(&campaign, "line_missing")?;
    stage.step(&campaign, "stop")?;

    // Bound, so that nobody else answers there, and silent.
    let silent = UdpSocket::bind("127.0.0.1:0")?;
    let wish = json!({
        "mode": "registration", "host": "127.0.0.1", "port": silent.local_addr()?.port(),
        "user": "us", "password": "secret", "channels": 5, "calls_per_second": 10,
    });
    let unregistered = stage.line_of(&wish)?;
    let real = ["+380931110001".to_owned()];
    let campaign = stage.scene_of(&real, &unregistered, &json!({}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "line_unregistered")?;
    stage.step(&campaign, "stop")?;

    let down = stage.demo_line(5, 10, "line_down")?;
    let campaign = stage.scene(&[BUSY; 8], &down, &json!({}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "line_down")?;
    stage.step(&campaign, "stop")?;
    if forget {
        return Ok(());
    }
    let full = stage.peer(refusing_peer()?)?;
    let campaign = stage.scene_of(&["+380931110002".to_owned()], &full, &json!({}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "line_paused")?;
    stage.step(&campaign, "stop")
}

/// What the database makes wait.
fn store(stage: &mut Stage) -> Result<()> {
    let line = stage.line.clone();
    let campaign = stage.scene(&[RINGS; 6], &line, &json!({"concurrency": 1}))?;
    let held = Held::new(&stage.world, "EXCLUSIVE")?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "preparing")?;
    drop(held);
    stage.reach(&campaign, "concurrency")?;
    stage.step(&campaign, "pause")?;
    stage.reach(&campaign, "paused")?;
    // Pages count waiting contacts where there are some, and would wait for the lock as well.
    psql(&stage.world, &format!("UPDATE campaign_count SET n = 0 WHERE campaign = {campaign}"))?;
    let held = Held::new(&stage.world, "ACCESS EXCLUSIVE")?;
    stage.step(&campaign, "resume")?;
    stage.reach(&campaign, "fetching")?;
    drop(held);
    stage.reach(&campaign, "concurrency")?;
    stage.step(&campaign, "stop")?;

    let campaign = stage.scene(&[BUSY; 40], &line, &json!({"calls_per_second": 2}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "campaign_rate")?;
    read_only(&stage.world, true)?;
    let reached = stage.reach(&campaign, "store_away");
    read_only(&stage.world, false)?;
    reached?;
    stage.reach(&campaign, "campaign_rate")?;
    stage.step(&campaign, "stop")
}

/// What happens to the process and its computer.
fn installation(stage: &mut Stage) -> Result<()> {
    let line = stage.line.clone();
    let campaign = stage.scene(&[BUSY; 40], &line, &json!({"calls_per_second": 2}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "campaign_rate")?;
    let mut other = stage.world.beside()?;
    other.start(&[])?;
    stage.reach(&campaign, "fenced")?;
    other.stop()?;
    stage.world.stop()?;
    stage.world.start(&[])?;
    stage.step(&campaign, "stop")?;

    let campaign = stage.scene(&[RINGS; 3], &line, &json!({"record": true}))?;
    stage.step(&campaign, "start")?;
    stage.reach(&campaign, "last_calls")?;
    stage.world.tell_to_stop()?;
    stage.reach(&campaign, "shutting_down")?;
    stage.world.stop()?;
    // The data on a small disk of its own, three quarters of which are taken.
    let script = "size=$(( $(du -sm \"$SWITCHBELL_DATA\" | cut -f1) + 16 )) \
        && copy=\"$SWITCHBELL_DATA.copy\" && cp -a \"$SWITCHBELL_DATA\" \"$copy\" \
        && mount -t tmpfs -o \"size=$((size * 4))m\" tmpfs \"$SWITCHBELL_DATA\" \
        && cp -a \"$copy/.\" \"$SWITCHBELL_DATA/\" \
        && head -c \"$((size * 2))M\" /dev/zero > \"$SWITCHBELL_DATA/ballast\" && exec \"$@\"";
    let small = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
    stage.world.start_under(&small, &[("SWITCHBELL_MIN_FREE_DISK", "50")])?;
    stage.reach(&campaign, "disk_low")
}

/// The date and weekday in `zone`, so many days from now.
#[expect(clippy::disallowed_methods, reason = "a running server is asked, by the real clock")]
fn day(zone: &str, ahead: i64) -> Result<WallHour> {
    let zone: Zone = zone.parse()?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(zone.hour(Timestamp::from_seconds(since.as_secs() as i64 + ahead * 86_400)))
}

/// A peer that answers every INVITE with 503 and asks to be left alone for ten minutes (RFC 3261,
/// 21.5.4). Gives its port; it lives as long as this process.
fn refusing_peer() -> Result<u16> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let port = socket.local_addr()?.port();
    thread::spawn(move || {
        let mut buffer = vec![0_u8; 65_535];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let Some(answer) = refusal(&String::from_utf8_lossy(&buffer[..length])) else {
                continue;
            };
            // Whoever does not get it asks again.
            let _ = socket.send_to(answer.as_bytes(), from);
        }
    });
    Ok(port)
}

/// The answer to a request; none to an ACK.
fn refusal(request: &str) -> Option<String> {
    let (first, headers) = request.split_once("\r\n")?;
    let status = match first.split(' ').next()? {
        "ACK" => return None,
        "INVITE" => "503 Service Unavailable\r\nRetry-After: 600",
        _ => "200 OK",
    };
    let mut answer = format!("SIP/2.0 {status}\r\n");
    for line in headers.lines() {
        let name = line.split(':').next()?.trim().to_ascii_lowercase();
        match name.as_str() {
            "via" | "from" | "call-id" | "cseq" => answer += &format!("{line}\r\n"),
            "to" => answer += &format!("{line};tag=refused\r\n"),
            _ => {}
        }
    }
    Some(answer + "Content-Length: 0\r\n\r\n")
}

/// One statement on the server's database, also while that is read-only to everybody else.
fn psql(world: &World, text: &str) -> Result<()> {
    let out = Command::new("psql")
        .args([world.database_url()?, "-XqAtc", text])
        .env("PGOPTIONS", "-c default_transaction_read_only=off")
        .output()?;
    if out.status.success() { Ok(()) } else { bail!("{}", String::from_utf8_lossy(&out.stderr)) }
}

/// Nothing can be written to the database, as after a failover to a standby; or again it can.
fn read_only(world: &World, on: bool) -> Result<()> {
    let word = if on { "on" } else { "off" };
    let text = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {word}', \
         current_database()); END $$"
    );
    psql(world, &text)?;
    psql(
        world,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
}

/// A lock on the campaigns' contacts, held by somebody else until this is dropped.
struct Held(Child);

impl Held {
    fn new(world: &World, mode: &str) -> Result<Self> {
        let mut child = Command::new("psql")
            .args([world.database_url()?, "-XqAt"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.as_ref().context("no standard input")?;
        writeln!(input, "BEGIN; LOCK TABLE campaign_contact IN {mode} MODE; SELECT 'held';")?;
        let output = child.stdout.take().context("no standard output")?;
        let held = Self(child);
        let mut said = String::new();
        BufReader::new(output).read_line(&mut said)?;
        if said.trim() != "held" {
            bail!("the lock was not given: {said}");
        }
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The server ends the transaction of a client that is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The codes of the reasons, read from the source: a new one must be driven into as well.
fn variants(source: &str) -> Result<BTreeSet<String>> {
    let tokens: Vec<_> =
        source.parse::<TokenStream>().map_err(|e| anyhow!("{e}"))?.into_iter().collect();
    let is =
        |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(ident) if ident == word);
    let body = tokens.windows(3).find_map(|three| match three {
        [first, second, TokenTree::Group(body)] if is(first, "enum") && is(second, "Reason") => {
            Some(body.stream())
        }
        _ => None,
    });
    // Fields and attributes are groups: what stands outside of them are the names.
    let names = body.context("no enum Reason")?.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(snake(&name.to_string())),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    });
    Ok(names.collect())
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Every reason has its sentence in every language, with every number that the API gave.
fn sentences(seen: &BTreeMap<String, Value>, wordless: bool) -> Result<usize> {
    let mut count = 0;
    for language in LANGUAGES {
        let path = format!("web/packages/i18n/locales/{language}/why.json");
        let text = fs::read_to_string(shell::root().join(&path))?;
        let mut words: BTreeMap<String, String> = serde_json::from_str(&text)?;
        if wordless && *language == "uz" {
            words.remove("line_down");
        }
        for (code, why) in seen {
            let forms: Vec<_> = words.iter().filter(|(key, _)| is_form(key, code)).collect();
            if forms.is_empty() {
                bail!("{path}: no words for {code}");
            }
            let numbers = why["params"].as_object().into_iter().flat_map(|params| params.keys());
            let moments = ["until", "since"].into_iter().filter(|key| why[*key].is_string());
            for name in numbers.map(String::as_str).chain(moments) {
                // Where a form is for 1 alone, its words may say so without the figure.
                let silent = |key: &str| key.ends_with("_one") && matches!(*language, "en" | "uz");
                let lacks = |(key, text): &&(&String, &String)| {
                    !silent(key) && !text.contains(&format!("{{{{{name}"))
                };
                if let Some((key, _)) = forms.iter().find(lacks) {
                    bail!("{path}: {key} does not tell {name}");
                }
            }
            count += 1;
        }
    }
    Ok(count)
}

/// Whether `key` is `code`, one of its plural forms, or its form for short waits.
fn is_form(key: &str, code: &str) -> bool {
    let ends = ["", "_in", "_zero", "_one", "_two", "_few", "_many", "_other"];
    key.strip_prefix(code).is_some_and(|end| ends.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_reasons_are_read_from_the_source() {
        let source = "enum Other { A } enum Reason { NotStarted, LineDown { since: u8 } }";
        let codes = variants(source).unwrap();
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["line_down", "not_started"]);
        assert!(variants("enum Other { A }").is_err());
    }

    #[test]
    fn a_sentence_has_forms_and_others_of_a_longer_name_are_not_among_them() {
        assert!(is_form("line_full_one", "line_full") && is_form("line_full", "line_full"));
        assert!(!is_form("line_full_moon", "line_full"));
    }

    #[test]
    fn an_invite_is_refused_with_its_own_headers_and_an_ack_is_not_answered() {
        let request = |verb: &str| {
            format!(
                "{verb} sip:1@a SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9\r\nTo: <sip:1@a>\r\n\
                 From: <sip:2@b>;tag=t\r\nCall-ID: c\r\nCSeq: 1 {verb}\r\n\r\n"
            )
        };
        let answer = refusal(&request("INVITE")).unwrap();
        assert!(answer.starts_with("SIP/2.0 503 Service Unavailable\r\nRetry-After: 600\r\n"));
        assert!(answer.contains("CSeq: 1 INVITE\r\n") && answer.contains(";tag=refused\r\n"));
        assert_eq!(refusal(&request("ACK")), None);
        assert!(refusal(&request("OPTIONS")).unwrap().starts_with("SIP/2.0 200 OK\r\n"));
    }
}
