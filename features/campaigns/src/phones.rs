//! What campaigns need of whoever carries calls, and of the audio library. Tied in the server.

use std::{future::Future, pin::Pin};

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Attempt, Audio, Line},
};
use call::{CallPlan, Dialog, Progress, WireIds};
use db::Tx;
use dialer::{LineHealth, Permit, Rate, Speed};
use tokio::sync::{mpsc, watch};

/// A future that a trait object can return.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One channel of a line, kept for one call; free again when it is dropped.
#[derive(Debug)]
pub struct Slot {
    line: Id<Line>,
    held: Box<dyn Held>,
}

/// What a [`Slot`] holds on to: dropping it frees the channel.
pub trait Held: std::fmt::Debug + Send + Sync + 'static {
    /// Gives the concrete guard back to the carrier that made it.
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send>;
}

impl Slot {
    /// A slot of `line` that `held` keeps.
    pub fn new(line: Id<Line>, held: impl Held) -> Self {
        Self { line, held: Box::new(held) }
    }

    /// The line.
    pub const fn line(&self) -> Id<Line> {
        self.line
    }

    /// What was given to [`Slot::new`].
    pub fn into_held(self) -> Box<dyn Held> {
        self.held
    }
}

/// The line has no channel left, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the line has no free channel")]
pub struct LineBusy;

/// A call that a process left open which no longer lives.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// The attempt.
    pub attempt: Id<Attempt>,
    /// Whose.
    pub account: Id<Account>,
    /// The line that it left on.
    pub line: Id<Line>,
    /// Who was called.
    pub to: PhoneNumber,
    /// Its identifiers on the wire.
    pub wire: WireIds,
    /// Whether the INVITE is known to have left. It may have left even if not.
    pub invited: bool,
    /// The dialog, when it was answered: it is ended with BYE. Without, CANCEL is sent, and a late
    /// 2xx gets ACK and BYE.
    pub dialog: Option<Dialog>,
}

/// A line, as campaigns see it.
#[derive(Debug, Clone, PartialEq)]
pub struct LineView {
    /// Which.
    pub id: Id<Line>,
    /// Its name, for pages.
    pub name: String,
    /// Calls at once.
    pub channels: u32,
    /// Calls begun per second.
    pub rate: Rate,
    /// Whether it may be used.
    pub enabled: bool,
    /// Channels in use, by anybody.
    pub in_use: u32,
    /// Whether it answers.
    pub health: LineHealth,
    /// The demo carrier's speed, when the line is one of its.
    pub demo: Option<Speed>,
}

/// What a carrier reports of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The account of [`CallPlan::account`].
    pub account: Id<Account>,
    /// The attempt of [`CallPlan::attempt`].
    pub attempt: Id<Attempt>,
    /// What happened. Exactly one [`Progress::Ended`] follows every [`Phones::place`].
    pub progress: Progress,
}

/// Whoever carries calls.
pub trait Phones: Send + Sync + 'static {
    /// Keeps a channel of the line for one call.
    fn reserve(&self, account: Id<Account>, line: Id<Line>) -> Result<Slot, LineBusy>;

    /// Carries a call. The permit is redeemed just before the INVITE leaves; if it is too late, the
    /// call ends as never invited, [`call::LocalCause::Withdrawn`]. Returns at once.
    fn place(&self, permit: Permit, slot: Slot, plan: CallPlan);

    /// Ends a call: CANCEL before it is answered, BYE after. Its end is reported as always; an
    /// unknown attempt is ignored.
    fn withdraw(&self, attempt: Id<Attempt>);

    /// Ends what a dead process left open on the wire. Nothing is reported.
    fn recover(&self, left: Vec<Unfinished>);

    /// Asks the line whether it lives, now; true when anything came back.
    fn probe(&self, account: Id<Account>, line: Id<Line>) -> Later<'_, bool>;

    /// Has the recordings of attempts removed, save those that a person keeps. In the transaction
    /// that forgets the attempts.
    fn forget_recordings<'a>(
        &'a self,
        tx: &'a mut Tx<'_>,
        account: Id<Account>,
        attempts: &'a [Id<Attempt>],
        now: Timestamp,
    ) -> Later<'a, db::Result<()>>;

    /// The account's lines, as of now.
    fn lines(&self, account: Id<Account>) -> Vec<LineView>;

    /// Changes whenever an answer of [`Phones::lines`] may have changed, for any account.
    fn line_changes(&self) -> watch::Receiver<u64>;

    /// Everything that is reported of calls, of every account; bounded, and given out once.
    fn reports(&self) -> Option<mpsc::Receiver<Report>>;
}

/// The audio library.
pub trait Prompts: Send + Sync + 'static {
    /// How long a prompt of the account lasts; `None` when there is no such prompt.
    fn duration(
        &self,
        account: Id<Account>,
        audio: Id<Audio>,
    ) -> Later<'_, Result<Option<std::time::Duration>, PromptsAway>>;
}

/// The audio library cannot be read at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audio library cannot be read: {0}")]
pub struct PromptsAway(pub String);
