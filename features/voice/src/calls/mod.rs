//! Calls: the way in for whoever wants one, and the reports of what became of them.

pub(crate) mod convert;
mod engine;
mod trunks;

use std::{fmt, net::IpAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use base::{
    Id, PhoneNumber,
    kind::{Account, Attempt, Audio, Line},
};
use call::{CallPlan, Cause, Dialog, End, EndedBy, LocalCause, Progress, WireIds};
use clock::Clock;
use dialer::{LineHealth, Permit, Rate, Speed};
use media::{Codec, Recorded};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::engine::Engine;
use crate::{
    Later,
    audio::Library,
    lines::{Book, SlotGuard},
    recordings::Shelf,
};

/// Reports that may wait for whoever listens; beyond them the calls keep their own back.
const REPORTS: usize = 4_096;
/// How long a check of a line may take: a registration's own time-out, and a little.
const CHECK: Duration = Duration::from_secs(34);

/// How calls reach the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The UDP port of SIP; the next free one of ten when it is taken, any when it is 0.
    pub sip_port: u16,
    /// The address at which the world outside the local network reaches us.
    pub public_address: Option<IpAddr>,
    /// UDP ports of RTP and RTCP.
    pub media_ports: RangeInclusive<u16>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { sip_port: 5_060, public_address: None, media_ports: 10_000..=32_766 }
    }
}

/// One channel of a line, kept for one call; free again when it is dropped.
#[derive(Debug)]
pub struct Slot {
    line: Id<Line>,
    guard: SlotGuard,
}

impl Slot {
    /// The line.
    pub const fn line(&self) -> Id<Line> {
        self.line
    }
}

/// A call that an earlier process left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// The attempt.
    pub attempt: Id<Attempt>,
    /// The line that it left on.
    pub line: Id<Line>,
    /// Who was called.
    pub to: PhoneNumber,
    /// Its identifiers on the wire.
    pub wire: WireIds,
    /// Its dialog, when it was answered.
    pub dialog: Option<Dialog>,
}

/// A line, as whoever calls over it sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct LineState {
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

/// What became of one call. Exactly one [`Progress::Ended`] follows every [`Calls::place`].
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Whose.
    pub account: Id<Account>,
    /// Which.
    pub attempt: Id<Attempt>,
    /// What happened.
    pub progress: Progress,
}

/// Where prompts come from and recordings go.
pub(crate) trait Sounds: Send + Sync + 'static {
    /// The bytes of a prompt in the codec of a call.
    fn prompt(
        &self,
        account: Id<Account>,
        audio: Id<Audio>,
        codec: Codec,
    ) -> Later<'_, Result<Arc<[u8]>, String>>;

    /// Notes a recording that is on the disk.
    fn keep(&self, made: Recorded) -> Later<'_, Result<(), String>>;
}

/// The feature's own.
pub(crate) struct Shelves {
    pub(crate) library: Arc<Library>,
    pub(crate) shelf: Arc<Shelf>,
}

impl Sounds for Shelves {
    fn prompt(
        &self,
        account: Id<Account>,
        audio: Id<Audio>,
        codec: Codec,
    ) -> Later<'_, Result<Arc<[u8]>, String>> {
        Box::pin(async move {
            let found = self.library.prompt(account, audio, codec).await;
            found.map_err(|error| error.to_string())
        })
    }

    fn keep(&self, made: Recorded) -> Later<'_, Result<(), String>> {
        Box::pin(async move { self.shelf.keep(&made).await.map_err(|error| error.to_string()) })
    }
}

/// What the engine is told.
enum Command {
    Place(Box<Placed>),
    Withdraw(Id<Attempt>),
    Recover(Vec<Abandoned>),
    Check(Id<Line>, oneshot::Sender<sip::Check>),
}

/// A call to be carried, with leave to do so.
struct Placed {
    permit: Permit,
    guard: SlotGuard,
    plan: CallPlan,
}

/// The way to the calls. Cheap to clone.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    book: Book,
    clock: Clock,
    media: media::Media,
    /// Without a bound of its own: what is placed is bounded by the lines' channels.
    commands: mpsc::UnboundedSender<Command>,
    reports: mpsc::Sender<Report>,
    listener: Mutex<Option<mpsc::Receiver<Report>>>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl Calls {
    /// The way in, and what the engine takes its work from.
    fn new(
        book: Book,
        clock: Clock,
        media: media::Media,
    ) -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (commands, queue) = mpsc::unbounded_channel();
        let (reports, listener) = mpsc::channel(REPORTS);
        let listener = Mutex::new(Some(listener));
        (Self(Arc::new(Inner { book, clock, media, commands, reports, listener })), queue)
    }

    /// Keeps a channel of the line for one call. `None` when all are taken, when the line is gone,
    /// switched off or another account's, and while prompts are about to break up.
    pub fn reserve(&self, account: Id<Account>, line: Id<Line>) -> Option<Slot> {
        if self.0.media.load().is_late() {
            return None;
        }
        self.0.book.reserve(account, line).map(|guard| Slot { line, guard })
    }

    /// Carries a call. The permit is redeemed just before the INVITE leaves; too late, the call
    /// ends as never invited, [`LocalCause::Withdrawn`]. Returns at once.
    pub fn place(&self, permit: Permit, slot: Slot, plan: CallPlan) {
        let (account, attempt) = (plan.account, plan.attempt);
        let placed = Placed { permit, guard: slot.guard, plan };
        if self.0.commands.send(Command::Place(Box::new(placed))).is_err() {
            // The engine is gone, and the server with it: nothing was sent.
            let cause = Cause { local: Some(LocalCause::Withdrawn), ..Cause::default() };
            let end = never_sent(self.0.clock.now(), cause);
            let report = Report { account, attempt, progress: Progress::Ended(end) };
            if self.0.reports.try_send(report).is_err() {
                tracing::warn!(%attempt, "nobody hears that attempt {attempt} was not made");
            }
        }
    }

    /// Ends a call: CANCEL before it is answered, BYE after. An unknown attempt is ignored.
    pub fn withdraw(&self, attempt: Id<Attempt>) {
        self.tell(Command::Withdraw(attempt));
    }

    /// Ends on the wire what an earlier process left open. Nothing is reported.
    pub fn recover(&self, left: Vec<Abandoned>) {
        self.tell(Command::Recover(left));
    }

    /// Asks a line whether it works; `None` when no answer can be had: the line is switched off,
    /// or nobody said anything within half a minute.
    pub async fn check(&self, account: Id<Account>, line: Id<Line>) -> Option<sip::Check> {
        self.0.book.shown(account, line).filter(|shown| shown.line.enabled)?;
        let (asks, answer) = oneshot::channel();
        self.tell(Command::Check(line, asks));
        self.0.clock.timeout(CHECK, answer).await.ok()?.ok()
    }

    /// The account's lines, as of now.
    pub fn lines(&self, account: Id<Account>) -> Vec<LineState> {
        let shown = self.0.book.of(account);
        shown
            .into_iter()
            .map(|shown| LineState {
                id: shown.line.id,
                name: shown.line.name.clone(),
                channels: shown.line.channels,
                rate: shown.line.rate,
                enabled: shown.line.enabled,
                in_use: shown.in_use,
                health: shown.health.state,
                demo: shown.line.demo.map(|demo| demo.speed),
            })
            .collect()
    }

    /// Changes whenever an answer of [`Calls::lines`] may have changed, for any account.
    pub fn line_changes(&self) -> watch::Receiver<u64> {
        self.0.book.changes()
    }

    /// Everything that is reported of calls, of every account; given out once.
    pub fn reports(&self) -> Option<mpsc::Receiver<Report>> {
        self.0.listener.lock().take()
    }

    fn tell(&self, command: Command) {
        if self.0.commands.send(command).is_err() {
            tracing::debug!("calls have ended");
        }
    }
}

/// The end of a call that never left.
fn never_sent(at: base::Timestamp, cause: Cause) -> End {
    End {
        at,
        invited: false,
        answered_at: None,
        by: EndedBy::Us,
        cause,
        recording: None,
        rtp: None,
    }
}
