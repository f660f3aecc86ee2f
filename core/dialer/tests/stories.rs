//! Tells the stories of `stories/*.md`: a line of a code block is an event, what follows it with
//! `→` is what the machine then wished. `UPDATE=1` writes what it wishes now.
//!
//! Words: `+SPAN` moves the clock (`s`, `m`, `h`) and wakes the machine whenever it wishes;
//! `line L channels=N rate=R [down|off|registering]`; `run C [key=value …]`, `pause C`, `stop C`;
//! `have C [CONTACT:PHONE …] [later=SPAN]` answers a refill; `work C`; `claimed A`, `refused A
//! [in=SPAN]`, `busy A`, `lost A`; `ringing A`, `answered A`; `ended A WORD [talk=SPAN]
//! [fault[=SPAN]|congested]`, `finished A`; `probed L yes|no`; `store away|back`; `shutdown`;
//! `why C [STATE]`; `show`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc, time::Duration};

use base::{Id, Machine as _, Timestamp};
use calendar::{Interval, Period, WeeklyHours, Zone};
use call::{OnAnswer, Outcome};
use dialer::{
    Batch, CampaignState, Candidate, Caps, Delays, Dialer, Effect, Ending, Event, History,
    LineFact, LineHealth, LineSign, Next, NotClaimed, Rate, Rules, Standing, why,
};

/// Friday 2026-11-20 08:00 UTC.
const START: Timestamp = Timestamp::from_seconds(1_795_161_600);

struct Story {
    now: Timestamp,
    dialer: Dialer,
    rules: BTreeMap<i64, Arc<Rules>>,
}

#[test]
fn stories() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are stories");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let told = tell(&text);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, told).unwrap();
        } else {
            assert_eq!(told, text, "{}: told otherwise; UPDATE=1 writes it", file.display());
        }
    }
}

/// The text with every code block told anew; each block begins a new story.
fn tell(text: &str) -> String {
    let mut out = String::new();
    let mut story = None;
    for line in text.lines() {
        if line.starts_with("```") {
            story = if story.is_none() {
                Some(Story { now: START, dialer: Dialer::new(), rules: BTreeMap::new() })
            } else {
                None
            };
        } else if line.starts_with("  ") && story.is_some() {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if let Some(story) = story.as_mut().filter(|_| !line.starts_with("```") && !line.is_empty())
        {
            story.step(line, &mut out);
        }
    }
    out
}

fn span(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("{text:?} is no span"));
    Duration::from_secs(match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3_600,
        _ => panic!("{text:?} is no span"),
    })
}

fn id<K>(text: &str) -> Id<K> {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no id"))
}

impl Story {
    fn step(&mut self, line: &str, out: &mut String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let options: BTreeMap<&str, &str> =
            words.iter().filter_map(|word| word.split_once('=')).collect();
        match words[0] {
            "why" => {
                let state =
                    words.get(2).map_or(CampaignState::Running, |word| word.parse().unwrap());
                let campaign = id(words[1]);
                let rules = self.rules.get(&campaign.raw()).map(AsRef::as_ref);
                let reason = why(&Standing { campaign, state, rules }, &self.dialer, self.now);
                let until = reason.until().map(Self::clock);
                let params = reason.params();
                write!(out, "  {} · {}", reason.badge(), reason.code()).unwrap();
                for (name, n) in params {
                    write!(out, " {name}={n}").unwrap();
                }
                if let Some(at) = until {
                    write!(out, " until {at}").unwrap();
                }
                out.push('\n');
            }
            "show" => {
                self.dialer.to_string().lines().for_each(|line| writeln!(out, "  {line}").unwrap());
            }
            word if word.starts_with('+') => self.wait(span(&word[1..]), out),
            _ => {
                let event = self.event(&words, &options);
                let mut effects = Vec::new();
                self.dialer.handle(self.now, event, &mut effects);
                self.write(&effects, out);
            }
        }
    }

    fn wait(&mut self, span: Duration, out: &mut String) {
        let end = self.now.plus(span);
        while let Some(at) = self.dialer.next_wake().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let mut effects = Vec::new();
            self.dialer.wake(self.now, &mut effects);
            self.write(&effects, out);
        }
        self.now = end;
    }

    /// Hours, minutes and seconds after the start's midnight.
    fn clock(at: Timestamp) -> String {
        if at == Timestamp::MAX {
            return "never".to_owned();
        }
        let seconds = at.seconds() - START.seconds() + 8 * 3_600;
        let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let weekday = ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"][day.rem_euclid(7) as usize];
        format!("{weekday} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
    }

    fn write(&self, effects: &[Effect], out: &mut String) {
        for effect in effects {
            let said = match effect {
                Effect::Refill { campaign, n } => format!("refill {campaign}, {n} contacts"),
                Effect::Claim(claim) => format!(
                    "claim {}: {} of campaign {} on line {}",
                    claim.attempt, claim.phone, claim.campaign, claim.line
                ),
                Effect::Place { attempt } => format!("place {attempt}"),
                Effect::Withdraw { attempt } => format!("withdraw {attempt}"),
                Effect::Return { contact, at, because, .. } => {
                    format!("return contact {contact} until {}, {because:?}", Self::clock(*at))
                }
                Effect::Finish(finish) if finish.contact.is_none() => {
                    format!("finish {}: {:?}, a test", finish.attempt, finish.verdict.outcome)
                }
                Effect::Finish(finish) => {
                    let verdict = finish.verdict;
                    let spent = if verdict.spent { "counts" } else { "does not count" };
                    let next = match verdict.next {
                        Next::Retry { at, other_number: false } => {
                            format!("again {}", Self::clock(at))
                        }
                        Next::Retry { at, other_number: true } => {
                            format!("next number {}", Self::clock(at))
                        }
                        Next::Done { state } => state.to_string(),
                    };
                    format!("finish {}: {:?}, {spent}, {next}", finish.attempt, verdict.outcome)
                }
                Effect::GiveBack { attempts, .. } => format!("give back {attempts:?}"),
                Effect::Probe { line } => format!("probe line {line}"),
                Effect::Complete { campaign } => format!("complete {campaign}"),
                Effect::Drained => "drained".to_owned(),
            };
            writeln!(out, "  {} → {said}", Self::clock(self.now)).unwrap();
        }
    }

    fn event(&mut self, words: &[&str], options: &BTreeMap<&str, &str>) -> Event {
        let campaign = || id(words[1]);
        let attempt = || id(words[1]);
        match words[0] {
            "line" => Event::Lines(vec![line(words, options)]),
            "run" => {
                let rules = Arc::new(rules(options));
                self.rules.insert(campaign().raw(), Arc::clone(&rules));
                let preparing = words.contains(&"preparing");
                Event::Running { campaign: campaign(), rules, started_at: self.now, preparing }
            }
            "pause" => Event::Paused { campaign: campaign() },
            "stop" => Event::Stopped { campaign: campaign() },
            "work" => Event::Work { campaign: campaign(), at: self.now },
            "have" => Event::Candidates {
                campaign: campaign(),
                batch: words[2..].iter().filter_map(|word| candidate(word)).collect(),
                later: options.get("later").map(|text| self.now.plus(span(text))),
            },
            "test" => Event::Test {
                attempt: id(words[2]),
                campaign: campaign(),
                rules: Arc::clone(&self.rules[&campaign().raw()]),
                phone: words[3].parse().unwrap(),
            },
            "claimed" => Event::Claimed { attempt: attempt() },
            "refused" => {
                let again_at = options.get("in").map(|text| self.now.plus(span(text)));
                let because = NotClaimed::Refused { again_at };
                Event::NotClaimed { attempt: attempt(), because }
            }
            "busy" => Event::NotClaimed { attempt: attempt(), because: NotClaimed::LineBusy },
            "lost" => Event::NotClaimed { attempt: attempt(), because: NotClaimed::RolledBack },
            "invited" => Event::Invited { attempt: attempt() },
            "ringing" => Event::Ringing { attempt: attempt() },
            "answered" => Event::Answered { attempt: attempt() },
            "ended" => Event::Ended { attempt: attempt(), ending: self.ending(words, options) },
            "finished" => Event::Finished { attempt: attempt() },
            "probed" => Event::Probed { line: id(words[1]), answered: words[2] == "yes" },
            "store" => Event::Store { writable: words[1] == "back" },
            "shutdown" => Event::Shutdown,
            other => panic!("{other:?} is no word of a story"),
        }
    }

    fn ending(&self, words: &[&str], options: &BTreeMap<&str, &str>) -> Ending {
        let talk = options.get("talk").map(|text| span(text));
        let outcome = match words[2] {
            "success" => Outcome::Success,
            "busy" => Outcome::Busy,
            "no_answer" => Outcome::NoAnswer,
            "rejected" => Outcome::Rejected,
            "failed" => Outcome::Failed,
            "invalid" => Outcome::InvalidNumber,
            "cancelled" => Outcome::Cancelled,
            other => panic!("{other:?} is no outcome"),
        };
        let line = if words.contains(&"congested") {
            LineSign::Congested
        } else if let Some(wait) = options.get("fault") {
            LineSign::Fault { retry_after: Some(span(wait)) }
        } else if words.contains(&"fault") {
            LineSign::Fault { retry_after: None }
        } else if outcome == Outcome::Cancelled {
            LineSign::Silent
        } else {
            LineSign::Alive
        };
        let answered_at = talk.map(|talk| self.now.minus(talk));
        Ending { at: self.now, invited: !words.contains(&"unsent"), answered_at, outcome, line }
    }
}

fn line(words: &[&str], options: &BTreeMap<&str, &str>) -> LineFact {
    let health = if words.contains(&"down") {
        LineHealth::Down
    } else if words.contains(&"registering") {
        LineHealth::Registering
    } else {
        LineHealth::Up
    };
    LineFact {
        id: id(words[1]),
        channels: options.get("channels").map_or(10, |n| n.parse().unwrap()),
        rate: Rate::per_second(options.get("rate").map_or(1_000.0, |n| n.parse().unwrap()))
            .unwrap(),
        enabled: !words.contains(&"off"),
        health,
        demo: None,
    }
}

fn rules(options: &BTreeMap<&str, &str>) -> Rules {
    let number = |name, default| options.get(name).map_or(default, |n| n.parse().unwrap());
    let hours = options.get("hours").map_or_else(WeeklyHours::always, |text| {
        let (from, to) = text.split_once('-').unwrap();
        let day = vec![Interval(from.parse().unwrap(), to.parse().unwrap())];
        WeeklyHours { mon: day.clone(), fri: day, ..WeeklyHours::default() }
    });
    Rules {
        version: i64::from(number("version", 1)),
        line: id(options.get("line").copied().unwrap_or("1")),
        on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
        zone: Zone::utc(),
        by_contact_zone: options.contains_key("zones"),
        hours: hours.into(),
        batch: options.get("batch").map(|text| {
            let (calls, gap) = text.split_once('/').unwrap();
            Batch { calls: calls.parse().unwrap(), gap: span(gap) }
        }),
        every_number: options.contains_key("every_number"),
        period: Period::default(),
        max_attempts: number("attempts", 3),
        concurrency: number("concurrency", 5),
        rate: options.get("rate").map(|n| Rate::per_second(n.parse().unwrap()).unwrap()),
        ring: Duration::from_secs(30),
        min_talk: options.get("min_talk").map_or(Duration::ZERO, |text| span(text)),
        delays: Delays::default(),
        retry_short_talk: true,
        caps: Caps::default(),
        record: false,
        priority: number("priority", 0) as i32,
        always_active: options.contains_key("always_active"),
    }
}

/// `7:+380…` is contact 7, whose next attempt has the id 107; `/N` has had N attempts before.
fn candidate(word: &str) -> Option<Candidate> {
    let (contact, rest) = word.split_once(':')?;
    let (phone, attempts) = rest.split_once('/').unwrap_or((rest, "0"));
    let contact: i64 = contact.parse().unwrap();
    Some(Candidate {
        contact: Id::from_raw(contact),
        attempt: Id::from_raw(100 + contact),
        phone: phone.parse().unwrap(),
        history: History {
            attempts: attempts.parse().unwrap(),
            interrupted: false,
            other_number: false,
            zone: None,
        },
    })
}
