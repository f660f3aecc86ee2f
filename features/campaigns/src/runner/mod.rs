//! The dialler at run time: one loop per account, facts and clock in, effects out.

pub(crate) mod account;
pub(crate) mod claiming;
pub(crate) mod pipeline;
mod start;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Account, Attempt, Campaign, CampaignContact, Line},
};
use dialer::{Dialer, Purpose, Rules, Stage, TestRefused};
use host::{Handles, Shutdown};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    phones::{Phones, Prompts, Report},
    plant::Plants,
};

/// A wish of a person, to one account's loop.
#[derive(Debug)]
pub(crate) enum Command {
    /// The row of a campaign changed: read it again, and say when the machine knows.
    Changed(Id<Campaign>, Option<oneshot::Sender<()>>),
    /// Contacts of a campaign became callable.
    Work(Id<Campaign>),
    /// Call one number to hear a campaign.
    Test {
        campaign: Id<Campaign>,
        rules: Arc<Rules>,
        phone: PhoneNumber,
        reply: oneshot::Sender<Result<Id<Attempt>, TestEnd>>,
    },
}

/// Why a test call is not made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TestEnd {
    /// The line or the number is in use, or nothing can be called now.
    Now(TestRefused),
    /// The gate refused.
    Gate(dialer::Refusal),
    /// The database refused.
    Store,
}

/// A call that is up, for the live page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveCall {
    pub(crate) campaign: Id<Campaign>,
    pub(crate) contact: Option<Id<CampaignContact>>,
    pub(crate) phone: PhoneNumber,
    pub(crate) line: Id<Line>,
    pub(crate) purpose: Purpose,
    pub(crate) stage: Stage,
    pub(crate) since: Timestamp,
    pub(crate) ringing_at: Option<Timestamp>,
}

/// What an account's loop and the routes share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The machine. Held for moments only.
    pub(crate) dialer: Mutex<Dialer>,
    /// The calls that are up.
    pub(crate) active: Mutex<BTreeMap<Id<Attempt>, ActiveCall>>,
}

#[derive(Clone)]
struct Seat {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    reports: mpsc::Sender<Report>,
}

/// The diallers of all accounts.
pub(crate) struct Dialers {
    pub(crate) handles: Handles,
    pub(crate) phones: Arc<dyn Phones>,
    pub(crate) prompts: Arc<dyn Prompts>,
    pub(crate) plants: Plants,
    seats: Mutex<HashMap<Id<Account>, Seat>>,
    reports: tokio::sync::Mutex<Option<mpsc::Receiver<Report>>>,
    /// How many contacts of large campaigns were planned, and when that was counted.
    planned: Mutex<HashMap<Id<Campaign>, (Timestamp, i64)>>,
    /// How many loops have calls up.
    busy: watch::Sender<usize>,
    /// Where loops are spawned: an account may first be asked for on a thread of the database.
    runtime: tokio::runtime::Handle,
}

/// How long a count of planned contacts is good for.
const COUNTED_FOR: Duration = Duration::from_secs(5);
/// How long calls that were ended at the last moment have to report and be written.
const LAST_WORDS: Duration = Duration::from_secs(4);
/// How long a person waits for the dialler to follow.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);
/// Wishes that may wait for one account's loop.
const COMMANDS: usize = 256;
/// Reports that may wait for one account's loop.
const REPORTS: usize = 1_024;

impl Dialers {
    /// Must be called within a tokio runtime, which will run the accounts' loops.
    pub(crate) fn new(
        handles: Handles,
        phones: Arc<dyn Phones>,
        prompts: Arc<dyn Prompts>,
    ) -> Arc<Self> {
        let reports = phones.reports();
        Arc::new(Self {
            handles,
            phones,
            prompts,
            plants: Plants::from_env(),
            seats: Mutex::default(),
            reports: tokio::sync::Mutex::new(reports),
            planned: Mutex::default(),
            busy: watch::Sender::new(0),
            runtime: tokio::runtime::Handle::current(),
        })
    }

    /// Runs until the server stops: wakes the accounts that have something to dial or to end, and
    /// hands reports to their loops.
    pub(crate) async fn run(self: Arc<Self>, shutdown: Shutdown) {
        let mut reports = self.reports.lock().await;
        let Some(reports) = reports.as_mut() else {
            tracing::error!("the phones gave their reports to somebody else");
            return shutdown.stopping().await;
        };
        tokio::select! {
            () = self.wake_busy() => {}
            () = shutdown.stopping() => return,
        }
        let over = async {
            shutdown.stopping().await;
            // Within the time that the host gives a loop to return.
            let _ = self.handles.clock.timeout(LAST_WORDS, self.drained()).await;
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                report = reports.recv() => {
                    let Some(report) = report else { return shutdown.stopping().await };
                    let seat = self.seat(report.account);
                    if seat.reports.send(report).await.is_err() {
                        tracing::error!("a report found no dialler");
                    }
                }
                () = &mut over => return,
            }
        }
    }

    async fn wake_busy(self: &Arc<Self>) {
        loop {
            let found = self
                .handles
                .db
                .read(|tx| {
                    Box::pin(async move { crate::store::campaigns::busy_accounts(tx).await })
                })
                .await;
            match found {
                Ok(accounts) => {
                    for account in accounts {
                        self.seat(account);
                    }
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the accounts to dial for could not be read");
                    self.handles.clock.sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// The account's loop, started if it is not running.
    fn seat(self: &Arc<Self>, account: Id<Account>) -> Seat {
        self.seats
            .lock()
            .entry(account)
            .or_insert_with(|| {
                let (commands, wishes) = mpsc::channel(COMMANDS);
                let (reports, heard) = mpsc::channel(REPORTS);
                let shared = Arc::new(Shared::default());
                let seat = Seat { shared: Arc::clone(&shared), commands, reports };
                let work = account::supervise(Arc::clone(self), account, shared, wishes, heard);
                let _here = self.runtime.enter();
                telemetry::spawn("campaigns.dialer", work);
                seat
            })
            .clone()
    }

    /// What the loop of an account shares; it is started if it is not running.
    pub(crate) fn shared(self: &Arc<Self>, account: Id<Account>) -> Arc<Shared> {
        self.seat(account).shared
    }

    /// Tells an account's loop of a wish.
    pub(crate) async fn tell(self: &Arc<Self>, account: Id<Account>, command: Command) {
        if self.seat(account).commands.send(command).await.is_err() {
            tracing::error!(account.id = %account, "the dialler of account {account} is gone");
        }
    }

    /// Tells an account's loop that a campaign's row changed, and waits until its dialler knows: a
    /// campaign that a person paused makes no new call once the page says so.
    pub(crate) async fn changed(self: &Arc<Self>, account: Id<Account>, campaign: Id<Campaign>) {
        let (done, known) = oneshot::channel();
        self.tell(account, Command::Changed(campaign, Some(done))).await;
        if self.handles.clock.timeout(KNOWN_WITHIN, known).await.is_err() {
            tracing::warn!(campaign.id = %campaign, "campaign {campaign} changed, its dialler is slow to follow");
        }
    }

    /// How many contacts of a campaign are planned, if that was counted just before.
    pub(crate) fn planned_before(&self, campaign: Id<Campaign>, now: Timestamp) -> Option<i64> {
        let planned = self.planned.lock();
        planned.get(&campaign).filter(|(at, _)| now.since(*at) < COUNTED_FOR).map(|(_, n)| *n)
    }

    /// Keeps how many contacts of a campaign are planned.
    pub(crate) fn keep_planned(&self, campaign: Id<Campaign>, now: Timestamp, planned: i64) {
        self.planned.lock().insert(campaign, (now, planned));
    }

    /// Returns when no loop has calls up any more, after the server began to drain.
    pub(crate) async fn drained(&self) {
        // The sender lives in `self`.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }
}
