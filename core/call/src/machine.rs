//! The life of one outbound call: ring, answer, play, hang up, and let go of everything.

use std::{fmt, time::Duration};

use base::{Id, Machine, Timestamp, kind::Audio};

use crate::{
    CallPlan, Cause, Dialog, End, EndedBy, LocalCause, OnAnswer, Progress, RecordingMade,
    RtpFigures,
};

/// How long an answered call may last when nothing ends it: no prompt is longer.
pub const LONGEST_TALK: Duration = Duration::from_hours(1);
/// How long signalling may take to end a call: Timer B, then 64·T1 after a CANCEL.
const SIGNALLING_GRACE: Duration = Duration::from_secs(70);
/// How long the recording may take to be on the disk.
const MEDIA_GRACE: Duration = Duration::from_secs(15);

/// Something that happened to the call.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Begin.
    Start,
    /// A socket for the sound is open.
    MediaOpened,
    /// There is none: no port, no prompt, or the media thread is busy.
    MediaRefused,
    /// The INVITE was handed to the socket.
    Sent,
    /// It rings.
    Ringing,
    /// The callee picked up.
    Answered(Dialog),
    /// The signalling of the call is over; nothing of it follows.
    Over {
        /// Who ended it.
        by: EndedBy,
        /// What was heard last.
        cause: Cause,
    },
    /// The prompt was played to its end.
    Played,
    /// The sound's socket is closed and its recording on the disk.
    MediaClosed {
        /// The recording, if one was made.
        recording: Option<RecordingMade>,
        /// What was counted, if anything flowed.
        rtp: Option<RtpFigures>,
    },
    /// Nobody wants the call any more.
    Withdraw,
}

/// Something to do outside, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a socket for the sound.
    OpenMedia,
    /// Send the INVITE.
    Invite,
    /// Record both directions from now on.
    Record,
    /// Play the prompt.
    Play(Id<Audio>),
    /// End the signalling: CANCEL or BYE.
    HangUp,
    /// Close the sound's socket.
    CloseMedia,
    /// Tell whoever asked for the call.
    Report(Progress),
}

/// What is held of one leg's half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// Not begun.
    None,
    /// Asked for.
    Opening,
    /// There.
    Open,
    /// Asked to end.
    Closing,
    /// Ended.
    Released,
}

impl Half {
    const fn is_free(self) -> bool {
        matches!(self, Self::None | Self::Released)
    }
}

/// One outbound call with one leg: its signalling and its sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    plan: CallPlan,
    signalling: Half,
    sound: Half,
    invited: bool,
    ringing: bool,
    answered_at: Option<Timestamp>,
    by: Option<EndedBy>,
    cause: Cause,
    recording: Option<RecordingMade>,
    rtp: Option<RtpFigures>,
    /// When to act next.
    due: Option<Timestamp>,
    /// When its signalling or its answered part ended.
    over_at: Option<Timestamp>,
    ended: bool,
}

impl Call {
    /// A call that has not begun.
    pub fn new(plan: CallPlan) -> Self {
        Self {
            plan,
            signalling: Half::None,
            sound: Half::None,
            invited: false,
            ringing: false,
            answered_at: None,
            by: None,
            cause: Cause::default(),
            recording: None,
            rtp: None,
            due: None,
            over_at: None,
            ended: false,
        }
    }

    /// What it was begun with.
    pub const fn plan(&self) -> &CallPlan {
        &self.plan
    }

    /// Whether its end was told; nothing is held any more.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Our own reason to end it, unless there is one already.
    fn give_up(&mut self, now: Timestamp, why: Option<LocalCause>, effects: &mut Vec<Effect>) {
        if self.signalling.is_free() {
            self.cause.local = self.cause.local.or(why);
            self.over(now, effects);
        } else if self.signalling != Half::Closing {
            self.by = Some(EndedBy::Us);
            self.cause.local = self.cause.local.or(why);
            self.signalling = Half::Closing;
            self.over_at = Some(now);
            self.due = Some(now.plus(SIGNALLING_GRACE));
            effects.push(Effect::HangUp);
        }
    }

    /// The signalling is over or never began: let go of the sound, then tell.
    fn over(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.over_at = self.over_at.or(Some(now));
        match self.sound {
            Half::None | Half::Released => self.tell_end(now, effects),
            Half::Closing => {}
            Half::Opening | Half::Open => {
                self.sound = Half::Closing;
                self.due = Some(now.plus(MEDIA_GRACE));
                effects.push(Effect::CloseMedia);
            }
        }
    }

    fn tell_end(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.ended = true;
        self.due = None;
        effects.push(Effect::Report(Progress::Ended(End {
            at: self.over_at.unwrap_or(now),
            invited: self.invited,
            answered_at: self.answered_at,
            by: self.by.unwrap_or(EndedBy::Us),
            cause: self.cause.clone(),
            recording: self.recording.take(),
            rtp: self.rtp.take(),
        })));
    }

    fn answered(&mut self, now: Timestamp, dialog: Dialog, effects: &mut Vec<Effect>) {
        if self.signalling != Half::Open || self.answered_at.is_some() {
            return;
        }
        self.answered_at = Some(now);
        self.due = Some(now.plus(LONGEST_TALK));
        if self.plan.record {
            effects.push(Effect::Record);
        }
        let OnAnswer::Audio { audio } = self.plan.on_answer;
        effects.push(Effect::Play(audio));
        effects.push(Effect::Report(Progress::Answered { at: now, dialog }));
    }

    fn signalling_over(
        &mut self,
        now: Timestamp,
        by: EndedBy,
        heard: Cause,
        effects: &mut Vec<Effect>,
    ) {
        if self.signalling.is_free() {
            return;
        }
        self.signalling = Half::Released;
        let ours = self.cause.local;
        // Nobody ever answered: that tells more than our ring time, which ran out meanwhile.
        self.cause = heard;
        if !matches!((ours, self.cause.local), (Some(LocalCause::RingTimeOver) | None, Some(_))) {
            self.cause.local = ours;
        }
        self.by = self.by.or(Some(by));
        self.over(now, effects);
    }
}

impl Machine for Call {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Timestamp, event: Event, effects: &mut Vec<Effect>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start if self.sound == Half::None => {
                self.sound = Half::Opening;
                effects.push(Effect::OpenMedia);
            }
            Event::MediaOpened if self.sound == Half::Opening => {
                self.sound = Half::Open;
                self.signalling = Half::Open;
                effects.push(Effect::Invite);
            }
            Event::MediaRefused if !self.sound.is_free() => {
                if self.sound != Half::Closing {
                    self.cause.local = self.cause.local.or(Some(LocalCause::NoResource));
                }
                self.sound = Half::Released;
                self.give_up(now, None, effects);
            }
            Event::Sent if !self.signalling.is_free() && !self.invited => {
                self.invited = true;
                if self.signalling == Half::Open {
                    self.due = Some(now.plus(self.plan.ring_time));
                }
                effects.push(Effect::Report(Progress::Invited { at: now }));
            }
            Event::Ringing if self.signalling == Half::Open && !self.ringing => {
                self.ringing = true;
                effects.push(Effect::Report(Progress::Ringing { at: now }));
            }
            Event::Answered(dialog) => self.answered(now, dialog, effects),
            Event::Over { by, cause } => self.signalling_over(now, by, cause, effects),
            Event::Played if self.answered_at.is_some() => self.give_up(now, None, effects),
            Event::MediaClosed { recording, rtp } if !self.sound.is_free() => {
                (self.recording, self.rtp) = (recording, rtp);
                self.sound = Half::Released;
                if self.signalling.is_free() {
                    self.over(now, effects);
                } else {
                    self.give_up(now, Some(LocalCause::NoResource), effects);
                }
            }
            Event::Withdraw => self.give_up(now, Some(LocalCause::Withdrawn), effects),
            // Late, or twice.
            Event::Start
            | Event::MediaOpened
            | Event::MediaRefused
            | Event::Sent
            | Event::Ringing
            | Event::Played
            | Event::MediaClosed { .. } => {}
        }
    }

    fn wake(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.due.is_none_or(|due| due > now) || self.ended {
            return;
        }
        self.due = None;
        match (self.signalling, self.sound) {
            // Rung out; or talked for longer than any prompt lasts.
            (Half::Open | Half::Opening, _) => {
                let why = self.answered_at.is_none().then_some(LocalCause::RingTimeOver);
                self.give_up(now, why, effects);
            }
            // Signalling owes an answer: go on without.
            (Half::Closing, _) => {
                let cause = Cause::default();
                self.signalling_over(now, EndedBy::Network, cause, effects);
            }
            (Half::None | Half::Released, Half::Closing) => {
                self.sound = Half::Released;
                self.tell_end(now, effects);
            }
            (Half::None | Half::Released, _) => {}
        }
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.due
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plan,
            signalling,
            sound,
            invited,
            ringing,
            answered_at,
            by,
            cause,
            recording: _,
            rtp: _,
            due,
            over_at: _,
            ended,
        } = self;
        write!(f, "call {} on line {}: ", plan.attempt, plan.line)?;
        write!(f, "signalling {signalling:?}, sound {sound:?}")?;
        for (is, word) in [(*invited, "invited"), (*ringing, "ringing"), (*ended, "ended")] {
            if is {
                write!(f, ", {word}")?;
            }
        }
        if let Some(at) = answered_at {
            write!(f, ", answered at {at}")?;
        }
        if let Some(by) = by {
            write!(f, ", by {by:?} ({cause:?})")?;
        }
        due.map_or(Ok(()), |due| write!(f, ", acts at {due}"))
    }
}

#[cfg(test)]
mod tests {
    use base::Dice;

    use super::*;
    use crate::{Outcome, WireIds, outcome};

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn plan(record: bool) -> CallPlan {
        let attempt = Id::from_raw(9);
        CallPlan {
            account: Id::from_raw(1),
            attempt,
            line: Id::from_raw(2),
            to: "+380931234567".parse().unwrap(),
            caller_id: None,
            ring_time: Duration::from_secs(15),
            on_answer: OnAnswer::Audio { audio: Id::from_raw(3) },
            record,
            wire: WireIds::of(&[7; 32], attempt),
        }
    }

    fn dialog() -> Dialog {
        Dialog {
            local: String::new(),
            remote: String::new(),
            target: String::new(),
            routes: Vec::new(),
            cseq: 1,
        }
    }

    struct Story {
        call: Call,
        now: Timestamp,
    }

    impl Story {
        fn begin(record: bool) -> Self {
            Self { call: Call::new(plan(record)), now: START }
        }

        fn on(&mut self, event: Event) -> Vec<Effect> {
            let mut effects = Vec::new();
            self.call.handle(self.now, event, &mut effects);
            effects
        }

        fn after(&mut self, seconds: u64) -> Vec<Effect> {
            self.now = self.now.plus(Duration::from_secs(seconds));
            let mut effects = Vec::new();
            self.call.wake(self.now, &mut effects);
            effects
        }

        fn calling(record: bool) -> Self {
            let mut story = Self::begin(record);
            assert_eq!(story.on(Event::Start), [Effect::OpenMedia]);
            assert_eq!(story.on(Event::MediaOpened), [Effect::Invite]);
            story.on(Event::Sent);
            story
        }
    }

    fn end(effects: &[Effect]) -> &End {
        match effects.last() {
            Some(Effect::Report(Progress::Ended(end))) => end,
            other => panic!("no end but {other:?}"),
        }
    }

    fn closed() -> Event {
        Event::MediaClosed { recording: None, rtp: None }
    }

    #[test]
    fn an_answered_call_plays_its_prompt_and_hangs_up() {
        let mut story = Story::calling(true);
        story.on(Event::Ringing);
        story.after(5);
        let effects = story.on(Event::Answered(dialog()));
        assert_eq!(effects[..2], [Effect::Record, Effect::Play(Id::from_raw(3))]);
        assert!(matches!(effects[2], Effect::Report(Progress::Answered { .. })));
        assert_eq!(story.after(20), [], "the ring timer is off");
        assert_eq!(story.on(Event::Played), [Effect::HangUp]);
        let over = Event::Over { by: EndedBy::Us, cause: Cause::default() };
        assert_eq!(story.on(over), [Effect::CloseMedia]);
        let effects = story.on(closed());
        let end = end(&effects);
        assert_eq!(
            (end.by, end.at.since(end.answered_at.unwrap())),
            (EndedBy::Us, Duration::from_secs(20))
        );
        assert_eq!(outcome(end, Duration::from_secs(20)), Outcome::Success);
        assert_eq!(outcome(end, Duration::from_secs(21)), Outcome::ShortTalk);
    }

    #[test]
    fn the_talk_ends_when_the_prompt_does_not_when_the_recording_is_written() {
        let mut story = Story::calling(true);
        story.on(Event::Answered(dialog()));
        story.after(3);
        story.on(Event::Played);
        story.on(Event::Over { by: EndedBy::Us, cause: Cause::default() });
        story.now = story.now.plus(Duration::from_secs(9));
        let effects = story.on(closed());
        assert_eq!(end(&effects).at, START.plus(Duration::from_secs(3)));
    }

    #[test]
    fn a_call_that_rings_out_is_hung_up_when_its_ring_time_is_over() {
        let mut story = Story::calling(false);
        story.on(Event::Ringing);
        assert_eq!(story.after(14), []);
        assert_eq!(story.after(1), [Effect::HangUp]);
        let cause = Cause { sip: Some(487), ..Cause::default() };
        story.on(Event::Over { by: EndedBy::Callee, cause });
        let effects = story.on(closed());
        assert_eq!(end(&effects).by, EndedBy::Us);
        assert_eq!(outcome(end(&effects), Duration::ZERO), Outcome::NoAnswer);
    }

    #[test]
    fn a_far_end_that_never_says_anything_has_failed_though_the_ring_time_was_over_first() {
        let mut story = Story::calling(false);
        assert_eq!(story.after(15), [Effect::HangUp]);
        let cause = Cause { local: Some(LocalCause::TimedOut), ..Cause::default() };
        story.on(Event::Over { by: EndedBy::Network, cause });
        let effects = story.on(closed());
        assert_eq!(outcome(end(&effects), Duration::ZERO), Outcome::Failed);
        assert!(end(&effects).cause.is_line_fault());
    }

    #[test]
    fn a_withdrawn_call_is_cancelled_and_one_that_was_never_sent_is_not_spent() {
        let mut story = Story::begin(false);
        story.on(Event::Start);
        assert_eq!(story.on(Event::Withdraw), [Effect::CloseMedia]);
        let effects = story.on(closed());
        assert!(!end(&effects).invited);
        assert_eq!(outcome(end(&effects), Duration::ZERO), Outcome::Cancelled);

        let mut story = Story::calling(false);
        assert_eq!(story.on(Event::Withdraw), [Effect::HangUp]);
        assert_eq!(story.on(Event::Withdraw), [], "once");
        let cause = Cause { sip: Some(487), ..Cause::default() };
        story.on(Event::Over { by: EndedBy::Callee, cause });
        let effects = story.on(closed());
        assert!(end(&effects).invited);
        assert_eq!(outcome(end(&effects), Duration::ZERO), Outcome::Cancelled);
    }

    #[test]
    fn without_a_port_nothing_is_sent() {
        let mut story = Story::begin(false);
        story.on(Event::Start);
        let effects = story.on(Event::MediaRefused);
        assert_eq!(effects.len(), 1);
        assert_eq!(end(&effects).cause.local, Some(LocalCause::NoResource));
        assert_eq!(outcome(end(&effects), Duration::ZERO), Outcome::Cancelled);
    }

    #[test]
    fn signalling_and_sound_that_owe_an_answer_do_not_hold_the_call_for_ever() {
        let mut story = Story::calling(false);
        story.on(Event::Withdraw);
        assert_eq!(story.after(70), [Effect::CloseMedia]);
        let effects = story.after(15);
        assert_eq!(end(&effects).by, EndedBy::Us);
        let mut story = Story::calling(false);
        story.on(Event::Answered(dialog()));
        assert_eq!(story.after(3_600), [Effect::HangUp], "no talk is endless");
    }

    /// What the world holds for the call.
    #[derive(Default)]
    struct World {
        sound: bool,
        signalling: bool,
        ends: u32,
    }

    fn one_event(dice: &mut Dice, world: &World) -> Event {
        let cause = Cause {
            sip: dice.chance(50).then(|| 300 + dice.roll(400) as u16),
            local: dice.chance(20).then_some(LocalCause::TimedOut),
            ..Cause::default()
        };
        match dice.roll(9) {
            0 => Event::Start,
            1 => Event::MediaOpened,
            2 if dice.chance(20) => Event::MediaRefused,
            3 if world.signalling => Event::Sent,
            4 if world.signalling => Event::Ringing,
            5 if world.signalling => Event::Answered(dialog()),
            6 if world.signalling => Event::Over { by: EndedBy::Callee, cause },
            7 => Event::Played,
            8 if dice.chance(30) => Event::Withdraw,
            _ => closed(),
        }
    }

    /// CALL-1: every leg is released, whatever happens in whatever order, and the end is told once.
    #[test]
    fn call_1_every_leg_is_released() {
        for seed in 0..20_000 {
            let mut dice = Dice::new(seed);
            let mut call = Call::new(plan(dice.chance(50)));
            let (mut world, mut now, mut effects) = (World::default(), START, Vec::new());
            call.handle(now, Event::Start, &mut effects);
            let storm = dice.roll(30);
            for step in 0..200 {
                for effect in effects.drain(..) {
                    assert_eq!(world.ends, 0, "seed {seed}: something after the end");
                    match effect {
                        Effect::OpenMedia => world.sound = true,
                        Effect::Invite => world.signalling = true,
                        Effect::Report(Progress::Ended(_)) => world.ends += 1,
                        Effect::HangUp => assert!(world.signalling, "seed {seed}"),
                        Effect::CloseMedia => assert!(world.sound, "seed {seed}"),
                        Effect::Record | Effect::Play(_) | Effect::Report(_) => {}
                    }
                }
                if step < storm {
                    let event = one_event(&mut dice, &world);
                    match event {
                        Event::Over { .. } => world.signalling = false,
                        Event::MediaRefused | Event::MediaClosed { .. } => world.sound = false,
                        Event::Start
                        | Event::MediaOpened
                        | Event::Sent
                        | Event::Ringing
                        | Event::Answered(_)
                        | Event::Played
                        | Event::Withdraw => {}
                    }
                    call.handle(now, event, &mut effects);
                } else if let Some(due) = call.next_wake() {
                    now = now.plus(due.since(now));
                    call.wake(now, &mut effects);
                } else if world.ends == 0 && effects.is_empty() {
                    // Nothing is due: only the media thread or a wish can move it.
                    call.handle(now, Event::MediaRefused, &mut effects);
                }
            }
            assert_eq!(world.ends, 1, "seed {seed}: {call}");
            assert!(call.is_ended(), "seed {seed}");
        }
    }
}
