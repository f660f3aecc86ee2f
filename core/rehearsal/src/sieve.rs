//! Who of a list would be called, and who is passed over and why.

use std::collections::BTreeMap;

use base::{PhoneNumber, Timestamp};
use calendar::Zone;
use dialer::{ContactState, Roll, Rules};

use crate::{Guest, place_of};

/// Why a contact is not called. In the order of the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// Its number is one of the demo carrier, and the line is real.
    DemoNumber,
    /// Each of its numbers is on a do-not-call list.
    DoNotCall,
    /// Nothing more is to be done about it.
    Done,
    /// A contact before it has its external id or its first number.
    Duplicate,
    /// A person excluded it, or its source did.
    Excluded,
    /// None of its numbers exists.
    InvalidNumber,
    /// No hour ever comes at which it may be called.
    NeverOpen,
    /// It has no number.
    NoNumber,
    /// Its number is a real one, and the line is the demo carrier's.
    RealNumber,
}

impl Skip {
    /// The word that is shown.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DemoNumber => "demo_number",
            Self::DoNotCall => "do_not_call",
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Excluded => "excluded",
            Self::InvalidNumber => "invalid_number",
            Self::NeverOpen => "never_open",
            Self::NoNumber => "no_number",
            Self::RealNumber => "real_number",
        }
    }

    /// Why a contact that was taken up is not called; `None` for one that is, or is being called.
    pub const fn of(state: ContactState) -> Option<Self> {
        match state {
            ContactState::Callable | ContactState::InAttempt | ContactState::InWork => None,
            ContactState::Success | ContactState::NotSuccess | ContactState::Attempted => {
                Some(Self::Done)
            }
            ContactState::InvalidNumber => Some(Self::InvalidNumber),
            ContactState::NoNumber => Some(Self::NoNumber),
            ContactState::DoNotCall => Some(Self::DoNotCall),
            ContactState::ByHand | ContactState::BySource => Some(Self::Excluded),
        }
    }
}

/// A contact of a list, before a start takes it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What its owner calls it; no two of a campaign have the same.
    pub external_id: Option<String>,
    /// Its first number, by which it is told apart; `None` when it has no number at all.
    pub first: Option<PhoneNumber>,
    /// The first of its numbers that is on no do-not-call list.
    pub phone: Option<PhoneNumber>,
    /// Its own zone.
    pub zone: Option<Zone>,
}

/// Judges contacts one after another as a start will take them up.
#[derive(Debug)]
pub struct Sieve<'a> {
    rules: &'a Rules,
    /// Whether the line is the demo carrier's.
    demo_line: bool,
    now: Timestamp,
    roll: Roll,
    /// Whether a window never opens, by what it depends on.
    never: BTreeMap<(String, Option<String>), bool>,
}

impl<'a> Sieve<'a> {
    /// For a campaign that starts at `now`.
    pub fn new(rules: &'a Rules, demo_line: bool, now: Timestamp) -> Self {
        Self { rules, demo_line, now, roll: Roll::default(), never: BTreeMap::new() }
    }

    /// Whom to call, or why not.
    pub fn judge(&mut self, contact: Listed) -> Result<Guest, Skip> {
        let first = contact.first.ok_or(Skip::NoNumber)?;
        if !self.roll.join(contact.external_id.as_deref(), first.as_str()) {
            return Err(Skip::Duplicate);
        }
        let phone = contact.phone.ok_or(Skip::DoNotCall)?;
        match (phone.is_demo(), self.demo_line) {
            (true, false) => return Err(Skip::DemoNumber),
            (false, true) => return Err(Skip::RealNumber),
            (true, true) | (false, false) => {}
        }
        if self.never_open(&phone, contact.zone.as_ref()) {
            return Err(Skip::NeverOpen);
        }
        Ok(Guest { phone, zone: contact.zone, due: self.now, attempts: 0 })
    }

    fn never_open(&mut self, phone: &PhoneNumber, zone: Option<&Zone>) -> bool {
        let Self { rules, now, .. } = *self;
        *self
            .never
            .entry(place_of(phone, zone))
            .or_insert_with(|| rules.window_of(phone, zone).next_open(now).is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base::Id;
    use calendar::{Period, WeeklyHours};
    use call::OnAnswer;
    use dialer::{Caps, Delays};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

    fn rules(hours: WeeklyHours) -> Rules {
        Rules {
            version: 1,
            line: Id::from_raw(1),
            on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
            zone: Zone::utc(),
            by_contact_zone: true,
            hours: hours.into(),
            batch: None,
            every_number: false,
            period: Period::default(),
            max_attempts: 3,
            concurrency: 10,
            rate: None,
            ring: Duration::from_secs(30),
            min_talk: Duration::ZERO,
            delays: Delays::default(),
            retry_short_talk: true,
            caps: Caps::default(),
            record: false,
            priority: 0,
            always_active: false,
        }
    }

    fn listed(external_id: Option<&str>, first: &str, phone: Option<&str>) -> Listed {
        Listed {
            external_id: external_id.map(str::to_owned),
            first: first.parse().ok(),
            phone: phone.map(|phone| phone.parse().unwrap()),
            zone: None,
        }
    }

    const ONE: &str = "+380930000001";
    const TWO: &str = "+380930000002";
    const DEMO: &str = "+99900000001";

    #[test]
    fn a_contact_is_passed_over_for_the_first_reason_there_is() {
        let always = rules(WeeklyHours::always());
        let mut sieve = Sieve::new(&always, false, NOW);
        let mut judge = |contact| sieve.judge(contact).map(|guest| guest.phone.to_string());
        assert_eq!(judge(listed(Some("a"), "", None)), Err(Skip::NoNumber));
        assert_eq!(judge(listed(Some("a"), ONE, Some(TWO))), Ok(TWO.to_owned()));
        assert_eq!(judge(listed(Some("a"), TWO, Some(TWO))), Err(Skip::Duplicate));
        assert_eq!(judge(listed(Some("b"), ONE, None)), Err(Skip::Duplicate));
        assert_eq!(judge(listed(Some("b"), TWO, None)), Err(Skip::DoNotCall));
        assert_eq!(judge(listed(Some("b"), "+380930000003", None)), Err(Skip::Duplicate));
        assert_eq!(judge(listed(None, DEMO, Some(DEMO))), Err(Skip::DemoNumber));
    }

    #[test]
    fn a_demo_line_calls_demo_numbers_and_no_others() {
        let always = rules(WeeklyHours::always());
        let mut sieve = Sieve::new(&always, true, NOW);
        assert_eq!(sieve.judge(listed(None, ONE, Some(ONE))), Err(Skip::RealNumber));
        let guest = sieve.judge(listed(None, DEMO, Some(DEMO))).unwrap();
        assert_eq!((guest.due, guest.attempts), (NOW, 0));
    }

    #[test]
    fn nobody_is_called_when_it_never_opens() {
        let shut = rules(WeeklyHours::default());
        let mut sieve = Sieve::new(&shut, false, NOW);
        assert_eq!(sieve.judge(listed(None, ONE, Some(ONE))), Err(Skip::NeverOpen));
        assert_eq!(sieve.judge(listed(None, TWO, Some(TWO))), Err(Skip::NeverOpen));
    }

    #[test]
    fn whoever_was_taken_up_waits_is_called_or_is_passed_over() {
        let called = |state: &&ContactState| Skip::of(**state).is_none();
        let called: Vec<_> = ContactState::ALL.iter().filter(called).collect();
        let states = [ContactState::Callable, ContactState::InAttempt, ContactState::InWork];
        assert_eq!(called, states.iter().collect::<Vec<_>>());
    }
}
