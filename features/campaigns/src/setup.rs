//! The settings of a campaign, as the form shows them and the row keeps them.

use std::time::Duration;

use base::{
    Id,
    kind::{AttemptRule, Audio, Calendar, Line},
};
use calendar::{Exception, Hours, HoursError, Period, WeeklyHours, Zone};
use call::OnAnswer;
use dialer::{Batch, Caps, Delays, Rate, Rules, defaults};
use http_kit::Fields;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::presets::{CalendarRow, RuleRow};

/// What the callee hears. The registry of on-answer actions is this enum: the form offers its
/// variants and nothing else (ALO-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    /// A recording of the audio library is played once, then the call is ended.
    Audio {
        /// The recording; none while the draft is incomplete.
        #[schema(value_type = Option<String>)]
        audio_id: Option<Id<Audio>>,
    },
}

/// The kinds of on-answer actions that exist, in the order of the form.
pub(crate) const ACTIONS: &[&str] = &["audio"];

/// When to try again, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelaysS {
    /// After busy, in seconds.
    pub(crate) busy: u32,
    /// After nobody answered, in seconds.
    pub(crate) no_answer: u32,
    /// After a failure, in seconds.
    pub(crate) failed: u32,
    /// After a talk that was too short, in seconds.
    pub(crate) short_talk: u32,
    /// After an answering machine, in seconds.
    pub(crate) machine: u32,
}

/// How many calls one number may get from the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapsBody {
    /// Within any 24 hours.
    pub(crate) per_day: u32,
    /// Within any 7 days.
    pub(crate) per_week: u32,
}

/// Days on which calls may be made, both in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PeriodBody {
    /// First day, `2026-11-20`.
    #[schema(value_type = Option<String>)]
    pub(crate) from: Option<calendar::Date>,
    /// Last day.
    #[schema(value_type = Option<String>)]
    pub(crate) to: Option<calendar::Date>,
}

/// Calls in waves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchS {
    /// Calls of one wave, 1 to 1,000.
    pub(crate) calls: u32,
    /// From the last call of a wave to the first of the next, 1 s to a day.
    pub(crate) gap_s: u32,
}

/// A date with other hours than the week's; without any, a holiday.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes what calendar's type writes")]
pub(crate) struct ExceptionBody {
    /// `2026-12-25`.
    date: String,
    /// `[["10:00", "14:00"]]`; empty when nothing is open.
    hours: Vec<Vec<String>>,
}

/// How often, when and on which numbers a contact is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the fields are named as in the API")]
pub(crate) struct Attempts {
    /// Attempts per contact, the first one included.
    pub(crate) max_attempts: u32,
    /// How long a phone rings, in seconds.
    pub(crate) ring_s: u32,
    /// How much talk makes a success, in seconds.
    pub(crate) min_talk_s: u32,
    /// How long after an attempt the next one may start, by outcome, in seconds.
    pub(crate) delays_s: DelaysS,
    /// Whether a talk that was too short is followed by another attempt.
    pub(crate) retry_short_talk: bool,
    /// How often a number may be called.
    pub(crate) caps: CapsBody,
    /// Calls in waves with a pause between them; steadily when absent.
    #[serde(default)]
    pub(crate) batch: Option<BatchS>,
    /// Each attempt goes to the contact's next number.
    #[serde(default)]
    pub(crate) every_number: bool,
}

impl Attempts {
    /// What is wrong with the values.
    pub(crate) fn check(&self, fields: &mut Fields) {
        fields.number("max_attempts", self.max_attempts, 1..=20);
        let (min, max) = (Rules::MIN_RING.as_secs() as u32, Rules::MAX_RING.as_secs() as u32);
        fields.number("ring_s", self.ring_s, min..=max);
        fields.number("min_talk_s", self.min_talk_s, 0..=3_600);
        let DelaysS { busy, no_answer, failed, short_talk, machine } = self.delays_s;
        for (field, delay) in [
            ("delays_s.busy", busy),
            ("delays_s.no_answer", no_answer),
            ("delays_s.failed", failed),
            ("delays_s.short_talk", short_talk),
            ("delays_s.machine", machine),
        ] {
            fields.number(field, delay, 1..=30 * 86_400);
        }
        fields.number("caps.per_day", self.caps.per_day, 1..=100);
        fields.number("caps.per_week", self.caps.per_week, 1..=700);
        if let Some(BatchS { calls, gap_s }) = self.batch {
            fields.number("batch.calls", calls, 1..=1_000);
            fields.number("batch.gap_s", gap_s, 1..=86_400);
        }
    }
}

/// What is wrong with hours.
pub(crate) fn check_hours(hours: &Hours, fields: &mut Fields) {
    if let Err(error) = hours.check() {
        let code = match error {
            HoursError::NotATime(_) => "not_a_time",
            HoursError::Backwards => "hours_backwards",
            HoursError::Overlap => "hours_overlap",
            HoursError::NeverOpen => "hours_never_open",
            HoursError::Dates => "dates_repeated",
        };
        let field = if code == "dates_repeated" { "exceptions" } else { "hours" };
        fields.fault(field, code, error.to_string());
    }
    let enough = hours.exceptions.len() <= 1_000;
    fields.check("exceptions", enough, "too_many", "At most 1,000 dates.");
}

/// Settings of a campaign. A draft may lack the line and the recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignSetup)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the form")]
pub(crate) struct Setup {
    /// The line that calls leave on.
    #[schema(value_type = Option<String>)]
    pub(crate) line_id: Option<Id<Line>>,
    /// What the callee hears.
    pub(crate) on_answer: Option<Action>,
    /// Days on which calls may be made.
    pub(crate) period: PeriodBody,
    /// The calendar that zone, hours and exceptions are copied from; its changes are carried over.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) calendar_id: Option<Id<Calendar>>,
    /// Dates on which other hours hold than the week's, in order.
    #[serde(default)]
    #[schema(value_type = Vec<ExceptionBody>)]
    pub(crate) exceptions: Vec<Exception>,
    /// The rule that attempts, ring time, talk, delays, caps, waves and the order of numbers are
    /// copied from; its changes are carried over.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) attempt_rule_id: Option<Id<AttemptRule>>,
    /// Calls in waves with a pause between them; steadily when absent.
    #[serde(default)]
    pub(crate) batch: Option<BatchS>,
    /// Each attempt goes to the contact's next number, instead of only after a number that is none.
    #[serde(default)]
    pub(crate) every_number: bool,
    /// The campaign's time zone, an IANA name.
    #[schema(value_type = String)]
    pub(crate) time_zone: Zone,
    /// Whether the hours are read on the contact's own clock.
    pub(crate) use_contact_zone: bool,
    /// Open hours of each weekday, `{"mon": [["09:00", "20:00"]], …}`.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<Vec<String>>>)]
    pub(crate) hours: WeeklyHours,
    /// Attempts per contact, the first one included: 1 to 20.
    pub(crate) max_attempts: u32,
    /// Calls at once: 1 to 1000.
    pub(crate) concurrency: u32,
    /// Calls begun per second, 0.001 to 1000; not limited when absent.
    pub(crate) calls_per_second: Option<f64>,
    /// How long a phone may ring: 15 to 120.
    pub(crate) ring_s: u32,
    /// Talk from which an answered call is a success: 0 to 3600.
    pub(crate) min_talk_s: u32,
    /// When to try again.
    pub(crate) delays_s: DelaysS,
    /// Whether a talk that was too short is tried again.
    pub(crate) retry_short_talk: bool,
    /// How often a number may be called, over all campaigns.
    pub(crate) caps: CapsBody,
    /// Whether calls are recorded.
    pub(crate) record: bool,
    /// Goes first among equally served campaigns when higher: -100 to 100.
    pub(crate) priority: i32,
    /// Waits for more contacts instead of completing.
    pub(crate) always_active: bool,
}

impl Setup {
    /// What a new campaign starts with.
    pub(crate) fn new(zone: Zone) -> Self {
        let (delays, caps) = (Delays::default(), Caps::default());
        let seconds = |span: Duration| span.as_secs() as u32;
        Self {
            line_id: None,
            on_answer: None,
            period: PeriodBody::default(),
            calendar_id: None,
            exceptions: Vec::new(),
            attempt_rule_id: None,
            batch: None,
            every_number: false,
            time_zone: zone,
            use_contact_zone: false,
            hours: WeeklyHours::usual(),
            max_attempts: defaults::MAX_ATTEMPTS,
            concurrency: defaults::CONCURRENCY,
            calls_per_second: None,
            ring_s: seconds(defaults::RING),
            min_talk_s: 0,
            delays_s: DelaysS {
                busy: seconds(delays.busy),
                no_answer: seconds(delays.no_answer),
                failed: seconds(delays.failed),
                short_talk: seconds(delays.short_talk),
                machine: seconds(delays.machine),
            },
            retry_short_talk: true,
            caps: CapsBody { per_day: caps.per_day, per_week: caps.per_week },
            record: false,
            priority: 0,
            always_active: false,
        }
    }

    /// The recording that is played, when one is chosen.
    pub(crate) const fn audio(&self) -> Option<Id<Audio>> {
        match self.on_answer {
            Some(Action::Audio { audio_id }) => audio_id,
            None => None,
        }
    }

    /// The week with its exceptions.
    pub(crate) fn whole_hours(&self) -> Hours {
        Hours { week: self.hours.clone(), exceptions: self.exceptions.clone() }
    }

    /// Goes by the hours of a calendar.
    pub(crate) fn take_calendar(&mut self, calendar: CalendarRow) {
        self.calendar_id = Some(calendar.id);
        self.time_zone = calendar.zone;
        self.hours = calendar.week;
        self.exceptions = calendar.exceptions;
    }

    /// Goes by an attempt rule.
    pub(crate) fn take_rule(&mut self, rule: &RuleRow) {
        self.attempt_rule_id = Some(rule.id);
        self.set_attempts(rule.body);
    }

    /// Tries contacts so.
    pub(crate) fn set_attempts(&mut self, attempts: Attempts) {
        let Attempts {
            max_attempts,
            ring_s,
            min_talk_s,
            delays_s,
            retry_short_talk,
            caps,
            batch,
            every_number,
        } = attempts;
        self.max_attempts = max_attempts;
        self.ring_s = ring_s;
        self.min_talk_s = min_talk_s;
        self.delays_s = delays_s;
        self.retry_short_talk = retry_short_talk;
        self.caps = caps;
        self.batch = batch;
        self.every_number = every_number;
    }

    /// The part of the settings that an attempt rule can give.
    pub(crate) const fn attempts(&self) -> Attempts {
        Attempts {
            max_attempts: self.max_attempts,
            ring_s: self.ring_s,
            min_talk_s: self.min_talk_s,
            delays_s: self.delays_s,
            retry_short_talk: self.retry_short_talk,
            caps: self.caps,
            batch: self.batch,
            every_number: self.every_number,
        }
    }

    const fn period(&self) -> Period {
        Period { from: self.period.from, to: self.period.to }
    }

    /// What is wrong with values that are there; what is missing is another question.
    pub(crate) fn check(&self, fields: &mut Fields) {
        check_hours(&self.whole_hours(), fields);
        let forward = self.period().is_forward();
        fields.check(
            "period.to",
            forward,
            "period_backwards",
            "The last day lies before the first.",
        );
        fields.number("concurrency", self.concurrency, 1..=1_000);
        if let Some(rate) = self.calls_per_second {
            fields.number("calls_per_second", rate, 0.001..=1_000.0);
        }
        self.attempts().check(fields);
        fields.number("priority", self.priority, -100..=100);
    }

    /// What the dialler is told; `None` while the line or the recording is missing.
    pub(crate) fn rules(&self, version: i64) -> Option<Rules> {
        Some(self.rules_for(version, self.line_id?, self.audio()?))
    }

    /// What they tell the judgement of attempts, which asks for neither line nor recording.
    pub(crate) fn rules_of_nothing(&self) -> Rules {
        self.rules_for(0, Id::from_raw(0), Id::from_raw(0))
    }

    fn rules_for(&self, version: i64, line: Id<Line>, audio: Id<Audio>) -> Rules {
        let seconds = |s: u32| Duration::from_secs(s.into());
        Rules {
            version,
            line,
            on_answer: OnAnswer::Audio { audio },
            zone: self.time_zone.clone(),
            by_contact_zone: self.use_contact_zone,
            hours: self.whole_hours(),
            batch: self.batch.map(|BatchS { calls, gap_s }| Batch { calls, gap: seconds(gap_s) }),
            every_number: self.every_number,
            period: self.period(),
            max_attempts: self.max_attempts,
            concurrency: self.concurrency,
            rate: self.calls_per_second.and_then(Rate::per_second),
            ring: seconds(self.ring_s),
            min_talk: seconds(self.min_talk_s),
            delays: Delays {
                busy: seconds(self.delays_s.busy),
                no_answer: seconds(self.delays_s.no_answer),
                failed: seconds(self.delays_s.failed),
                short_talk: seconds(self.delays_s.short_talk),
                machine: seconds(self.delays_s.machine),
            },
            retry_short_talk: self.retry_short_talk,
            caps: Caps { per_day: self.caps.per_day, per_week: self.caps.per_week },
            record: self.record,
            priority: self.priority,
            always_active: self.always_active,
        }
    }
}
