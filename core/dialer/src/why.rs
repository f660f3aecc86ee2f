//! Why a campaign is, or is not, dialling: one value behind badge, panel, metric and API.

use std::collections::BTreeMap;

use base::{Id, Timestamp, kind::Campaign};
use serde::{Deserialize, Serialize};

use crate::{CampaignState, Dialer, LineHealth, Rules, Stage, states::words};

words! {
    /// The one word beside a campaign's name.
    Badge {
        /// Never started.
        Draft = "draft",
        /// Its period lies ahead.
        Scheduled = "scheduled",
        /// Calls, or is about to.
        Running = "running",
        /// Runs, and waits for its hours.
        Waiting = "waiting_for_window",
        /// Paused.
        Paused = "paused",
        /// Makes no new calls; some are still up.
        Draining = "draining",
        /// Nobody was left to call.
        Completed = "completed",
        /// Ended by a person.
        Stopped = "stopped",
        /// Runs, and cannot call until a person does something.
        NeedsAttention = "needs_attention",
    }
}

/// What is stored about a campaign, as far as the reason needs it.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Which.
    pub campaign: Id<Campaign>,
    /// Its stored state.
    pub state: CampaignState,
    /// Its rules, when they are complete.
    pub rules: Option<&'a Rules>,
}

/// Why a campaign is, or is not, dialling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// A draft.
    NotStarted,
    /// Paused; nothing is up.
    Paused,
    /// Paused or stopped; calls are still up.
    Draining {
        /// How many.
        calls: u64,
    },
    /// Completed.
    Completed,
    /// Stopped.
    Stopped,
    /// The process is about to end.
    ShuttingDown,
    /// The database cannot be written.
    StoreAway,
    /// Another process dials for this account.
    Fenced,
    /// The disk is nearly full, and the campaign records.
    DiskLow {
        /// What is free, in percent.
        free: u8,
        /// What has to stay free, in percent.
        least: u8,
    },
    /// The period lies ahead.
    Scheduled {
        /// When it begins.
        until: Timestamp,
    },
    /// The period is over.
    PeriodOver,
    /// The hours are shut.
    WindowShut {
        /// When they open.
        until: Timestamp,
    },
    /// The hours never open.
    NeverOpens,
    /// The line is gone.
    LineMissing,
    /// The line is switched off.
    LineDisabled,
    /// The line is not registered.
    LineUnregistered,
    /// The line does not answer.
    LineDown {
        /// Since when.
        since: Timestamp,
    },
    /// The far end asked to be left alone.
    LinePaused {
        /// Until when.
        until: Timestamp,
    },
    /// Contacts are being made from the lists.
    Preparing,
    /// The campaign's own limit of calls at once is reached.
    Concurrency {
        /// The limit.
        limit: u32,
    },
    /// All channels of the line are busy.
    LineFull {
        /// How many it has.
        channels: u32,
    },
    /// The campaign's own rate lets the next call go later.
    CampaignRate {
        /// When.
        until: Timestamp,
    },
    /// A wave of calls is out; the next one goes later.
    BatchGap {
        /// When.
        until: Timestamp,
    },
    /// The line's rate lets the next call go later.
    LineRate {
        /// When.
        until: Timestamp,
    },
    /// Everybody left waits: for a retry, a cap, or their own hours.
    AllWait {
        /// When the first of them becomes due.
        until: Timestamp,
    },
    /// Those who are left can never be called under these rules.
    NobodyCallable,
    /// Everybody was called; more contacts may come.
    ListFinished,
    /// The last calls are up.
    LastCalls {
        /// How many.
        calls: u64,
    },
    /// Contacts are being fetched.
    Fetching,
    /// Calling.
    Dialling {
        /// How many calls are up.
        calls: u64,
    },
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most reasons have no end and no numbers; the badge names every one"
)]
impl Reason {
    /// The word that pages translate.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Paused => "paused",
            Self::Draining { .. } => "draining",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting_down",
            Self::StoreAway => "store_away",
            Self::Fenced => "fenced",
            Self::DiskLow { .. } => "disk_low",
            Self::Scheduled { .. } => "scheduled",
            Self::PeriodOver => "period_over",
            Self::WindowShut { .. } => "window_shut",
            Self::NeverOpens => "never_opens",
            Self::LineMissing => "line_missing",
            Self::LineDisabled => "line_disabled",
            Self::LineUnregistered => "line_unregistered",
            Self::LineDown { .. } => "line_down",
            Self::LinePaused { .. } => "line_paused",
            Self::Preparing => "preparing",
            Self::Concurrency { .. } => "concurrency",
            Self::LineFull { .. } => "line_full",
            Self::CampaignRate { .. } => "campaign_rate",
            Self::BatchGap { .. } => "batch_gap",
            Self::LineRate { .. } => "line_rate",
            Self::AllWait { .. } => "all_wait",
            Self::NobodyCallable => "nobody_callable",
            Self::ListFinished => "list_finished",
            Self::LastCalls { .. } => "last_calls",
            Self::Fetching => "fetching",
            Self::Dialling { .. } => "dialling",
        }
    }

    /// Until when it holds, if it ends by itself at a known moment.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Scheduled { until }
            | Self::WindowShut { until }
            | Self::LinePaused { until }
            | Self::CampaignRate { until }
            | Self::BatchGap { until }
            | Self::LineRate { until }
            | Self::AllWait { until } => Some(*until),
            _ => None,
        }
    }

    /// Since when it holds, where that says more than until when.
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::LineDown { since } => Some(*since),
            _ => None,
        }
    }

    /// The numbers in its sentence, by name.
    pub fn params(&self) -> BTreeMap<&'static str, i64> {
        let one = |name, value| BTreeMap::from([(name, value)]);
        match self {
            Self::Draining { calls } | Self::LastCalls { calls } | Self::Dialling { calls } => {
                one("calls", *calls as i64)
            }
            Self::DiskLow { free, least } => {
                BTreeMap::from([("free", i64::from(*free)), ("least", i64::from(*least))])
            }
            Self::Concurrency { limit } => one("limit", i64::from(*limit)),
            Self::LineFull { channels } => one("channels", i64::from(*channels)),
            _ => BTreeMap::new(),
        }
    }

    /// The badge that goes with it.
    pub const fn badge(&self) -> Badge {
        match self {
            Self::NotStarted => Badge::Draft,
            Self::Paused => Badge::Paused,
            Self::Draining { .. } => Badge::Draining,
            Self::Completed => Badge::Completed,
            Self::Stopped => Badge::Stopped,
            Self::Scheduled { .. } => Badge::Scheduled,
            Self::WindowShut { .. } => Badge::Waiting,
            Self::StoreAway
            | Self::Fenced
            | Self::DiskLow { .. }
            | Self::PeriodOver
            | Self::NeverOpens
            | Self::LineMissing
            | Self::LineDisabled
            | Self::LineUnregistered
            | Self::LineDown { .. }
            | Self::NobodyCallable => Badge::NeedsAttention,
            Self::ShuttingDown
            | Self::LinePaused { .. }
            | Self::Preparing
            | Self::Concurrency { .. }
            | Self::LineFull { .. }
            | Self::CampaignRate { .. }
            | Self::BatchGap { .. }
            | Self::LineRate { .. }
            | Self::AllWait { .. }
            | Self::ListFinished
            | Self::LastCalls { .. }
            | Self::Fetching
            | Self::Dialling { .. } => Badge::Running,
        }
    }
}

/// Why the campaign is, or is not, dialling at `now`. What a person can change comes first, then
/// what only time changes, then how well it goes.
pub fn why(standing: &Standing<'_>, world: &Dialer, now: Timestamp) -> Reason {
    let open = world.open(standing.campaign).count() as u64;
    let over = |(_, stage): &(_, Stage)| *stage == Stage::Finishing;
    let calls = open - world.open(standing.campaign).filter(over).count() as u64;
    match standing.state {
        CampaignState::Draft => Reason::NotStarted,
        CampaignState::Paused | CampaignState::Stopped if open > 0 => {
            Reason::Draining { calls: open }
        }
        CampaignState::Paused => Reason::Paused,
        CampaignState::Stopped => Reason::Stopped,
        CampaignState::Completed => Reason::Completed,
        CampaignState::Running => {
            let Some(rules) = standing.rules else { return Reason::Preparing };
            world
                .hindered(rules)
                .or_else(|| shut(rules, now))
                .or_else(|| world.line_reason(rules.line, now))
                .unwrap_or_else(|| world.progress(standing.campaign, now, calls))
        }
    }
}

/// Whether the campaign's own clock keeps it from calling.
fn shut(rules: &Rules, now: Timestamp) -> Option<Reason> {
    let window = rules.window();
    if window.is_over(now) {
        return Some(Reason::PeriodOver);
    }
    let begins = |from: calendar::Date| calendar::Date::at(&rules.zone, now) < from;
    let ahead = rules.period.from.is_some_and(begins);
    match window.next_open(now) {
        None => Some(Reason::NeverOpens),
        Some(until) if ahead => Some(Reason::Scheduled { until }),
        Some(until) if until > now && !rules.by_contact_zone => Some(Reason::WindowShut { until }),
        Some(_) => None,
    }
}

/// Why a line carries no calls, apart from being full.
pub(crate) fn line_health(
    known: bool,
    enabled: bool,
    health: LineHealth,
    dead_since: Option<Timestamp>,
) -> Option<Reason> {
    if !known {
        Some(Reason::LineMissing)
    } else if !enabled {
        Some(Reason::LineDisabled)
    } else if let Some(since) = dead_since {
        Some(Reason::LineDown { since })
    } else if health == LineHealth::Registering {
        Some(Reason::LineUnregistered)
    } else {
        None
    }
}
