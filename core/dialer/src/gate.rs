//! The gate: the only way to a permit, and a permit is the only way to a call.

use std::time::Duration;

use base::{PhoneNumber, Timestamp};
use calendar::Window;
use serde::{Deserialize, Serialize};

use crate::{Caps, ContactState, states::words};

words! {
    /// Why a number is called.
    Purpose {
        /// A campaign's attempt.
        Campaign = "campaign",
        /// A person tries a campaign's settings on one number.
        TestCall = "test_call",
        /// The second leg of a call that is forwarded outside.
        OutsideLeg = "outside_leg",
        /// A person asked to be called back.
        Callback = "callback",
        /// An operator's registered device.
        OwnPhone = "own_phone",
    }
}

/// What is known about whom to call, read in the transaction that claims.
#[derive(Debug, Clone)]
pub struct Callee<'a> {
    /// The campaign contact as stored; `None` when the call is for none.
    pub contact: Option<Waiting>,
    /// Whether the number is on the account's do-not-call list.
    pub do_not_call: bool,
    /// When calls to the number counted, newest first: every attempt that was sent, was interrupted
    /// or is open, of the last 7 days. [`Caps::per_week`] or more of them suffice.
    pub calls: &'a [Timestamp],
    /// When the callee may be called.
    pub window: &'a Window,
}

/// A campaign contact, as far as the gate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its state.
    pub state: ContactState,
    /// Attempts already spent.
    pub attempts: u32,
    /// When it may be called again.
    pub next_at: Timestamp,
}

/// What the campaign and the account allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Calls per number.
    pub caps: Caps,
    /// Attempts per contact.
    pub max_attempts: u32,
    /// Whether the line is the demo carrier's.
    pub demo_line: bool,
}

/// Leave to call one number, once, soon.
///
/// Cannot be copied, stored or made otherwise than by [`may_dial`]; used up by
/// [`Permit::redeem`].
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    number: PhoneNumber,
    purpose: Purpose,
    valid_until: Timestamp,
}

/// A permit that came too late.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the permit to call {number} was valid until {valid_until}")]
pub struct Expired {
    /// The number.
    pub number: PhoneNumber,
    /// Until when.
    pub valid_until: Timestamp,
}

impl Permit {
    /// How long a permit lasts.
    pub const LIFE: Duration = Duration::from_secs(2);

    /// The number that may be called.
    pub const fn number(&self) -> &PhoneNumber {
        &self.number
    }

    /// Why.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The last moment at which it may be used.
    pub const fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Uses it up, for the one number that it names.
    pub fn redeem(self, now: Timestamp) -> Result<PhoneNumber, Expired> {
        let Self { number, purpose: _, valid_until } = self;
        if now > valid_until {
            return Err(Expired { number, valid_until });
        }
        Ok(number)
    }
}

/// Why a number may not be called now. Not an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// On the do-not-call list.
    #[error("the number is on the do-not-call list")]
    DoNotCall,
    /// A number of the demo carrier on a real line.
    #[error("numbers under +999 belong to the demo carrier and are never called on a real line")]
    DemoNumber,
    /// A number of a real phone on a line of the demo carrier.
    #[error("the demo carrier reaches numbers under +999 only")]
    RealNumber,
    /// The number had its calls of a day.
    #[error("the number had {limit} calls within 24 hours")]
    DayCap {
        /// The cap.
        limit: u32,
        /// When the first of them falls out of the count; none when the cap is 0.
        until: Option<Timestamp>,
    },
    /// The number had its calls of a week.
    #[error("the number had {limit} calls within 7 days")]
    WeekCap {
        /// The cap.
        limit: u32,
        /// When the first of them falls out of the count; none when the cap is 0.
        until: Option<Timestamp>,
    },
    /// Outside the hours or the period.
    #[error("outside the hours in which the contact may be called")]
    Shut {
        /// When they begin, if ever.
        until: Option<Timestamp>,
    },
    /// The contact does not wait for a call (any more, or yet).
    #[error("the contact does not wait for a call")]
    NotWaiting,
    /// The contact had all its attempts.
    #[error("all attempts are spent")]
    AttemptsSpent,
}

impl Refusal {
    /// The word in the decision log.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DoNotCall => "do_not_call",
            Self::DemoNumber => "demo_number",
            Self::RealNumber => "real_number",
            Self::DayCap { .. } => "day_cap",
            Self::WeekCap { .. } => "week_cap",
            Self::Shut { .. } => "shut",
            Self::NotWaiting => "not_waiting",
            Self::AttemptsSpent => "attempts_spent",
        }
    }

    /// The cap that binds, where it is one.
    pub const fn limit(&self) -> Option<u32> {
        match self {
            Self::DayCap { limit, .. } | Self::WeekCap { limit, .. } => Some(*limit),
            Self::DoNotCall
            | Self::DemoNumber
            | Self::RealNumber
            | Self::Shut { .. }
            | Self::NotWaiting
            | Self::AttemptsSpent => None,
        }
    }

    /// Until when it holds, if it ends by itself.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::DayCap { until, .. } | Self::WeekCap { until, .. } | Self::Shut { until } => {
                *until
            }
            Self::DoNotCall
            | Self::DemoNumber
            | Self::RealNumber
            | Self::NotWaiting
            | Self::AttemptsSpent => None,
        }
    }

    /// What it makes of a campaign contact.
    pub const fn consequence(&self) -> Consequence {
        match self {
            Self::DoNotCall => Consequence::Become(ContactState::DoNotCall),
            Self::DemoNumber | Self::RealNumber => Consequence::Become(ContactState::InvalidNumber),
            Self::AttemptsSpent => Consequence::Become(ContactState::Attempted),
            Self::NotWaiting => Consequence::Nothing,
            Self::DayCap { until, .. } | Self::WeekCap { until, .. } | Self::Shut { until } => {
                match until {
                    Some(at) => Consequence::WaitUntil(*at),
                    None => Consequence::WaitUntil(Timestamp::MAX),
                }
            }
        }
    }
}

/// What a refusal makes of a campaign contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// It gets this state.
    Become(ContactState),
    /// It waits; for ever when the moment is [`Timestamp::MAX`].
    WaitUntil(Timestamp),
    /// Its row is right already.
    Nothing,
}

const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// Whether `number` may be called at `now`.
///
/// An operator's own phone always may. A test call keeps to the do-not-call list, the demo rule and
/// the caps; everything else also to the hours; a campaign also to the contact's state.
pub fn may_dial(
    callee: &Callee<'_>,
    number: &PhoneNumber,
    purpose: Purpose,
    now: Timestamp,
    policy: &Policy,
) -> Result<Permit, Refusal> {
    if purpose != Purpose::OwnPhone {
        if callee.do_not_call {
            return Err(Refusal::DoNotCall);
        }
        if number.is_demo() && !policy.demo_line {
            return Err(Refusal::DemoNumber);
        }
        if policy.demo_line && !number.is_demo() {
            return Err(Refusal::RealNumber);
        }
        if purpose == Purpose::Campaign {
            waits(callee.contact, now, policy)?;
        }
        under_caps(callee.calls, now, policy.caps)?;
        if purpose != Purpose::TestCall && !callee.window.is_open(now) {
            return Err(Refusal::Shut { until: callee.window.next_open(now) });
        }
    }
    let mut valid_until = now.plus(Permit::LIFE);
    if matches!(purpose, Purpose::Campaign | Purpose::OutsideLeg | Purpose::Callback)
        && let Some(shuts) = callee.window.closes_at(now)
    {
        // Nothing leaves at the minute at which the hours end, either.
        valid_until = valid_until.min(shuts.minus(Duration::from_micros(1)));
    }
    Ok(Permit { number: number.clone(), purpose, valid_until })
}

fn waits(contact: Option<Waiting>, now: Timestamp, policy: &Policy) -> Result<(), Refusal> {
    let Some(Waiting { state: ContactState::Callable, attempts, next_at }) = contact else {
        return Err(Refusal::NotWaiting);
    };
    if attempts >= policy.max_attempts {
        return Err(Refusal::AttemptsSpent);
    }
    if next_at > now {
        return Err(Refusal::NotWaiting);
    }
    Ok(())
}

pub(crate) fn under_caps(calls: &[Timestamp], now: Timestamp, caps: Caps) -> Result<(), Refusal> {
    under_cap(calls, now, caps.per_day, DAY)
        .map_err(|until| Refusal::DayCap { limit: caps.per_day, until })?;
    under_cap(calls, now, caps.per_week, WEEK)
        .map_err(|until| Refusal::WeekCap { limit: caps.per_week, until })
}

/// Whether fewer than `limit` of the calls, newest first, lie within the `span` before `now`; else
/// when that will be so.
fn under_cap(
    calls: &[Timestamp],
    now: Timestamp,
    limit: u32,
    span: Duration,
) -> Result<(), Option<Timestamp>> {
    let nth = limit.checked_sub(1).ok_or(None)?;
    match calls.get(nth as usize).map(|call| call.plus(span)) {
        Some(frees) if frees > now => Err(Some(frees)),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use calendar::{Period, WeeklyHours};

    use super::{
        ContactState::{Callable, InAttempt},
        *,
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600); // Friday 2026-11-20 08:00 UTC

    struct World {
        contact: Option<Waiting>,
        do_not_call: bool,
        calls: Vec<Timestamp>,
        hours: WeeklyHours,
        number: &'static str,
        demo_line: bool,
    }

    impl World {
        fn new() -> Self {
            Self {
                contact: Some(Waiting {
                    state: ContactState::Callable,
                    attempts: 0,
                    next_at: Timestamp::EPOCH,
                }),
                do_not_call: false,
                calls: Vec::new(),
                hours: WeeklyHours::always(),
                number: "+380931234567",
                demo_line: false,
            }
        }

        fn ask(&self, purpose: Purpose) -> Result<Permit, Refusal> {
            let window = Window::new(Vec::new(), self.hours.clone(), Period::default());
            let callee = Callee {
                contact: self.contact,
                do_not_call: self.do_not_call,
                calls: &self.calls,
                window: &window,
            };
            let policy =
                Policy { caps: Caps::default(), max_attempts: 3, demo_line: self.demo_line };
            may_dial(&callee, &phone(self.number), purpose, NOW, &policy)
        }
    }

    fn phone(text: &str) -> PhoneNumber {
        text.parse().unwrap()
    }

    fn hours_ago(hours: u64) -> Timestamp {
        NOW.minus(Duration::from_hours(hours))
    }

    #[test]
    fn a_permit_names_one_number_and_lasts_two_seconds() {
        let permit = World::new().ask(Purpose::Campaign).unwrap();
        assert_eq!(permit.valid_until(), NOW.plus(Duration::from_secs(2)));
        assert_eq!(permit.redeem(NOW.plus(Permit::LIFE)).unwrap().as_str(), "+380931234567");
        let late = World::new().ask(Purpose::Campaign).unwrap();
        assert!(late.redeem(NOW.plus(Duration::from_micros(2_000_001))).is_err());
    }

    #[test]
    fn do_not_call_binds_campaigns_and_test_calls_but_not_own_phones() {
        let world = World { do_not_call: true, ..World::new() };
        assert_eq!(world.ask(Purpose::Campaign), Err(Refusal::DoNotCall));
        assert_eq!(world.ask(Purpose::TestCall), Err(Refusal::DoNotCall));
        assert_eq!(world.ask(Purpose::Callback), Err(Refusal::DoNotCall));
        assert!(world.ask(Purpose::OwnPhone).is_ok());
    }

    #[test]
    fn demo_numbers_are_refused_on_real_lines() {
        let world = World { number: "+99900000010", ..World::new() };
        assert_eq!(world.ask(Purpose::Campaign), Err(Refusal::DemoNumber));
        assert_eq!(world.ask(Purpose::TestCall), Err(Refusal::DemoNumber));
    }

    #[test]
    fn real_numbers_are_refused_on_demo_lines_and_demo_numbers_are_not() {
        let world = World { demo_line: true, ..World::new() };
        assert_eq!(world.ask(Purpose::Campaign), Err(Refusal::RealNumber));
        assert_eq!(world.ask(Purpose::TestCall), Err(Refusal::RealNumber));
        let world = World { demo_line: true, number: "+99900000010", ..World::new() };
        assert!(world.ask(Purpose::Campaign).is_ok());
    }

    #[test]
    fn three_calls_in_a_day_and_seven_in_a_week_are_all() {
        let calls = |ages: &[u64]| World {
            calls: ages.iter().map(|age| hours_ago(*age)).collect(),
            ..World::new()
        };
        assert!(calls(&[1, 2]).ask(Purpose::Campaign).is_ok());
        assert_eq!(
            calls(&[1, 2, 23]).ask(Purpose::TestCall),
            Err(Refusal::DayCap { limit: 3, until: Some(hours_ago(23).plus(DAY)) })
        );
        assert!(calls(&[1, 2, 24]).ask(Purpose::Campaign).is_ok());
        assert_eq!(
            calls(&[1, 30, 50, 70, 90, 110, 160]).ask(Purpose::Campaign),
            Err(Refusal::WeekCap { limit: 7, until: Some(hours_ago(160).plus(WEEK)) })
        );
    }

    #[test]
    fn hours_bind_campaigns_but_not_test_calls() {
        let world = World { hours: WeeklyHours::usual(), ..World::new() };
        // 08:00 in UTC, whose hours open at nine.
        let until = Some(NOW.plus(Duration::from_hours(1)));
        assert_eq!(world.ask(Purpose::Campaign), Err(Refusal::Shut { until }));
        assert!(world.ask(Purpose::TestCall).is_ok());
    }

    #[test]
    fn a_permit_does_not_outlive_the_hours() {
        let at = |text: &str| text.parse().unwrap();
        let hours = WeeklyHours {
            fri: vec![calendar::Interval(at("07:00"), at("08:01"))],
            ..WeeklyHours::default()
        };
        let window = Window::new(Vec::new(), hours, Period::default());
        let callee = Callee { contact: None, do_not_call: false, calls: &[], window: &window };
        let policy = Policy { caps: Caps::default(), max_attempts: 3, demo_line: false };
        let number = phone("+380931234567");
        let shuts = NOW.plus(Duration::from_mins(1));
        let late = shuts.minus(Duration::from_secs(1));
        let permit = may_dial(&callee, &number, Purpose::Callback, late, &policy).unwrap();
        assert!(permit.valid_until() < shuts);
    }

    #[test]
    fn only_a_waiting_contact_with_attempts_left_is_called() {
        let contact = |state, attempts, next_at| World {
            contact: Some(Waiting { state, attempts, next_at }),
            ..World::new()
        };
        assert!(contact(Callable, 2, NOW).ask(Purpose::Campaign).is_ok());
        assert_eq!(contact(InAttempt, 0, NOW).ask(Purpose::Campaign), Err(Refusal::NotWaiting));
        assert_eq!(contact(Callable, 3, NOW).ask(Purpose::Campaign), Err(Refusal::AttemptsSpent));
        let later = NOW.plus(Duration::from_micros(1));
        assert_eq!(contact(Callable, 0, later).ask(Purpose::Campaign), Err(Refusal::NotWaiting));
        assert_eq!(
            World { contact: None, ..World::new() }.ask(Purpose::Campaign),
            Err(Refusal::NotWaiting)
        );
    }
}
