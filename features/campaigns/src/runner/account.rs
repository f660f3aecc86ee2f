//! The loop of one account: the machine's owner.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use base::{
    Id, Machine as _, Timestamp,
    kind::{Account, Attempt, Campaign, Line},
};
use call::{End, Progress};
use dialer::{
    CampaignState, Dialer, Effect, Event, Finish, PROBE_EVERY, Permit, Shortage, Stage, Standing,
};
use futures::FutureExt;
use tokio::sync::{mpsc, oneshot};

use super::{
    ActiveCall, Command, Dialers, Shared, TestEnd,
    claiming::{self, Answers, Wish},
    pipeline::{self, BOUND, PAUSE, Step, Work},
    start::{self, Started},
};
use crate::{
    effects,
    phones::{Report, Slot},
    plant::Point,
    store::{
        claims,
        finishes::{Mark, Wire},
        lease::Lease,
        pulse,
    },
};

/// How often the loop looks after what nothing wakes it for.
const CARE: Duration = Duration::from_secs(30);
/// How often figures are told at most.
const COUNT: Duration = Duration::from_secs(1);
/// How long a refusal stays in the log.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// Events taken in before their effects are carried out together.
const TOGETHER: usize = 64;

/// A committed attempt whose INVITE has not left.
pub(crate) struct Ready {
    pub(crate) permit: Permit,
    pub(crate) slot: Slot,
    pub(crate) plan: call::CallPlan,
}

/// Something that a task of the loop brings back.
enum Done {
    Step(Step),
    Claims(Answers),
    Probed {
        line: Id<Line>,
        answered: bool,
    },
    Forgotten(db::Result<Vec<Finish>>),
    Disk(Option<Shortage>),
    /// The pause after a failed batch is over.
    Rested,
}

/// One account's dialler.
pub(crate) struct Runner {
    pub(crate) core: Arc<Dialers>,
    pub(crate) account: Id<Account>,
    pub(crate) shared: Arc<Shared>,
    lease: Lease,
    pub(crate) effects: VecDeque<Effect>,
    pub(crate) queue: VecDeque<Work>,
    writing: bool,
    /// The database could not be written.
    away: bool,
    pub(crate) claims: Vec<Wish>,
    /// Planted: claims that wait for their INVITE to leave.
    pub(crate) held: HashMap<Id<Attempt>, Wish>,
    pub(crate) ready: HashMap<Id<Attempt>, Ready>,
    /// How calls ended, until that is written.
    pub(crate) ends: HashMap<Id<Attempt>, Wire>,
    tests: HashMap<Id<Attempt>, oneshot::Sender<Result<Id<Attempt>, TestEnd>>>,
    running: BTreeSet<Id<Campaign>>,
    /// Who waits until the machine knows of a campaign's row.
    waiting: Vec<(Id<Campaign>, oneshot::Sender<()>)>,
    pub(crate) touched: BTreeSet<Id<Campaign>>,
    /// Whose calls' ends are being written: pages look again when they are, also where a campaign
    /// runs no more.
    ending: BTreeSet<Id<Campaign>>,
    done: mpsc::UnboundedSender<Done>,
    next_care: Timestamp,
    next_count: Timestamp,
    /// Reasons that `/metrics` has shown.
    told: BTreeSet<&'static str>,
    pub(crate) drained: bool,
}

/// Runs an account's loop until the server stops; starts it again when it falls over.
pub(super) async fn supervise(
    core: Arc<Dialers>,
    account: Id<Account>,
    shared: Arc<Shared>,
    mut commands: mpsc::Receiver<Command>,
    mut reports: mpsc::Receiver<Report>,
) {
    let shutdown = core.handles.shutdown.clone();
    loop {
        let started = tokio::select! {
            started = start::start(&core, account) => started,
            () = shutdown.stopping() => return,
        };
        match started {
            Ok(started) => {
                let run = Runner::run(
                    Arc::clone(&core),
                    account,
                    Arc::clone(&shared),
                    started,
                    &mut commands,
                    &mut reports,
                );
                // What it held is dropped with it; rows and machine are made anew.
                if AssertUnwindSafe(run).catch_unwind().await.is_ok() {
                    return;
                }
                tracing::error!(account.id = %account, "the dialler of account {account} fell over");
            }
            Err(error) => {
                tracing::warn!(account.id = %account, %error, "the dialler cannot start yet");
            }
        }
        tokio::select! {
            () = core.handles.clock.sleep(PAUSE) => {}
            () = shutdown.stopping() => return,
        }
    }
}

impl Runner {
    async fn run(
        core: Arc<Dialers>,
        account: Id<Account>,
        shared: Arc<Shared>,
        started: Started,
        commands: &mut mpsc::Receiver<Command>,
        reports: &mut mpsc::Receiver<Report>,
    ) {
        let (done, mut results) = mpsc::unbounded_channel();
        let mut runner = Self::begin(core, account, shared, started, done);
        let shutdown = runner.core.handles.shutdown.clone();
        let clock = runner.core.handles.clock.clone();
        let mut lines = runner.core.phones.line_changes();
        // They may have changed between the restore and the line before.
        runner.learn_lines();
        let mut draining = false;
        loop {
            runner.carry_out();
            if shutdown.is_stopping() && runner.is_settled() {
                return;
            }
            let wake = runner.next_wake();
            tokio::select! {
                biased;
                Some(result) = results.recv() => runner.take(result),
                Some(report) = reports.recv() => {
                    runner.hear(report);
                    for _ in 0..TOGETHER {
                        let Ok(report) = reports.try_recv() else { break };
                        runner.hear(report);
                    }
                }
                Some(command) = commands.recv() => runner.obey(command),
                Ok(()) = lines.changed() => runner.learn_lines(),
                () = shutdown.draining(), if !draining => {
                    draining = true;
                    runner.feed(Event::Shutdown);
                }
                () = shutdown.stopping(), if draining && runner.is_settled() => return,
                () = clock.sleep_until(wake) => runner.wake(),
            }
        }
    }

    fn begin(
        core: Arc<Dialers>,
        account: Id<Account>,
        shared: Arc<Shared>,
        started: Started,
        done: mpsc::UnboundedSender<Done>,
    ) -> Self {
        let Started { lease, restored, boots, left, running } = started;
        let now = core.handles.clock.now();
        *shared.dialer.lock() = restored.dialer;
        shared.active.lock().clear();
        for call in &left {
            // Also what an earlier loop of this very process left up.
            core.phones.withdraw(call.attempt);
        }
        if !left.is_empty() {
            let calls = left.len();
            tracing::info!(account.id = %account, calls, "calls of a dead process are ended");
            core.phones.recover(left);
        }
        let queue = restored
            .finishes
            .into_iter()
            .zip(boots)
            .map(|(finish, boot)| Work::Finish { boot, finish: Box::new(finish), wire: None })
            .collect();
        core.busy.send_modify(|busy| *busy += 1);
        Self {
            core,
            account,
            shared,
            lease,
            effects: restored.effects.into(),
            queue,
            writing: false,
            away: false,
            claims: Vec::new(),
            held: HashMap::new(),
            ready: HashMap::new(),
            ends: HashMap::new(),
            tests: HashMap::new(),
            touched: running.iter().copied().collect(),
            ending: BTreeSet::new(),
            running: running.into_iter().collect(),
            waiting: Vec::new(),
            done,
            next_care: now,
            next_count: now,
            told: BTreeSet::new(),
            drained: false,
        }
    }

    fn now(&self) -> Timestamp {
        self.core.handles.clock.now()
    }

    /// Nothing is waited for that would be lost.
    fn is_settled(&self) -> bool {
        self.drained && self.queue.is_empty() && !self.writing
    }

    fn next_wake(&self) -> Timestamp {
        let machine = self.shared.dialer.lock().next_wake();
        machine.map_or(self.next_care, |at| at.min(self.next_care))
    }

    /// Tells the machine, and keeps what it wishes.
    pub(crate) fn feed(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.shared.dialer.lock().handle(self.now(), event, &mut effects);
        self.effects.extend(effects);
    }

    fn wake(&mut self) {
        let now = self.now();
        let mut effects = Vec::new();
        self.shared.dialer.lock().wake(now, &mut effects);
        self.effects.extend(effects);
        self.touched.extend(&self.running);
        if now >= self.next_care {
            self.next_care = now.plus(CARE);
            self.count();
            self.care();
        }
    }

    /// Carries out every wish, then starts what is written and claimed.
    fn carry_out(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            effects::carry_out(self, effect);
        }
        self.start_claims();
        self.start_step();
        if self.queue.len() > BOUND {
            let works = self.queue.len();
            tracing::warn!(works, "more ends of calls wait for the database than expected");
        }
        let touched = std::mem::take(&mut self.touched);
        if !touched.is_empty() {
            self.core.handles.hub.touch(self.account, "campaigns");
            if self.now() >= self.next_count {
                self.next_count = self.now().plus(COUNT);
                self.count();
            }
        }
        for campaign in touched {
            self.core.handles.hub.touch(self.account, &format!("campaign:{campaign}:live"));
        }
    }

    fn start_claims(&mut self) {
        if self.claims.is_empty() {
            return;
        }
        let wishes = std::mem::take(&mut self.claims);
        let tools = claiming::Tools {
            db: self.core.handles.db.clone(),
            ids: self.core.handles.ids.clone(),
            account: self.account,
            lease: self.lease,
        };
        let done = self.done.clone();
        telemetry::spawn("campaigns.claim", async move {
            let _ = done.send(Done::Claims(claiming::claim(tools, wishes).await));
        });
    }

    fn start_step(&mut self) {
        if self.writing {
            return;
        }
        let Some(batch) = pipeline::next(&mut self.queue) else { return };
        self.writing = true;
        let mut ends = false;
        for work in &batch {
            if let Work::Finish { boot, finish, .. } = work {
                self.ending.insert(finish.campaign);
                ends |= *boot == self.lease.boot;
            }
        }
        if ends {
            self.core.plants.kill.reach(Point::BeforeFinish);
        }
        let tools = pipeline::Tools {
            db: self.core.handles.db.clone(),
            ids: self.core.handles.ids.clone(),
            account: self.account,
            lease: self.lease,
        };
        let done = self.done.clone();
        telemetry::spawn("campaigns.write", async move {
            let _ = done.send(Done::Step(pipeline::step(tools, batch).await));
        });
    }

    fn take(&mut self, done: Done) {
        match done {
            Done::Step(step) => {
                self.writing = false;
                self.take_step(step);
            }
            Done::Claims(answers) => self.take_claims(answers),
            Done::Probed { line, answered } => self.feed(Event::Probed { line, answered }),
            Done::Forgotten(Ok(finishes)) => {
                for finish in finishes {
                    tracing::error!(
                        attempt.id = %finish.attempt,
                        "attempt {} was open and in nobody's hands: it is ended", finish.attempt
                    );
                    let finish = Box::new(finish);
                    self.queue.push_back(Work::Finish {
                        boot: self.lease.boot,
                        finish,
                        wire: None,
                    });
                }
            }
            Done::Forgotten(Err(error)) => {
                tracing::warn!(%error, "the open attempts could not be compared");
            }
            Done::Disk(shortage) => self.feed(Event::Disk { shortage }),
            Done::Rested => self.writing = false,
        }
    }

    fn take_step(&mut self, step: Step) {
        match step {
            Step::Wrote(events) => {
                self.back();
                for event in events {
                    if let Event::Work { campaign, .. } | Event::GivenBack { campaign, .. } = &event
                    {
                        self.touched.insert(*campaign);
                    }
                    self.feed(event);
                }
                self.touched.extend(&self.running);
                self.touched.append(&mut self.ending);
            }
            Step::Refilled { campaign, found: Ok((batch, later)) } => {
                self.feed(Event::Candidates { campaign, batch, later });
            }
            Step::Refilled { campaign, found: Err(error) } => {
                tracing::warn!(campaign.id = %campaign, %error, "contacts could not be read");
                self.fail(&error);
                self.feed(Event::RefillFailed { campaign });
            }
            Step::Reloaded { campaign, row: Ok(row) } => {
                self.reloaded(&row);
                for (_, done) in self.waiting.extract_if(.., |(id, _)| *id == campaign) {
                    // Whoever waited may have gone.
                    let _ = done.send(());
                }
            }
            Step::Reloaded { campaign, row: Err(error) } => {
                if pipeline::is_away(&error) {
                    self.queue.push_front(Work::Reload { campaign });
                }
                self.fail(&error);
            }
            Step::Failed { batch, error } => {
                for work in batch.into_iter().rev() {
                    self.queue.push_front(work);
                }
                self.fail(&error);
            }
        }
    }

    /// The database does not take work: nothing is claimed until a batch is written again.
    fn fail(&mut self, error: &db::Error) {
        if !pipeline::is_away(error) {
            return;
        }
        if !std::mem::replace(&mut self.away, true) {
            tracing::warn!(account.id = %self.account, %error, "the dialler waits for the database");
            self.feed(Event::Store { writable: false });
        }
        if !self.queue.iter().any(|work| !matches!(work, Work::Refill { .. } | Work::Reload { .. }))
        {
            self.queue.push_front(Work::Ping);
        }
        if !std::mem::replace(&mut self.writing, true) {
            let (clock, done) = (self.core.handles.clock.clone(), self.done.clone());
            telemetry::spawn("campaigns.rest", async move {
                clock.sleep(PAUSE).await;
                let _ = done.send(Done::Rested);
            });
        }
    }

    fn back(&mut self) {
        if std::mem::replace(&mut self.away, false) {
            tracing::info!(account.id = %self.account, "the database is back");
            self.feed(Event::Store { writable: true });
        }
    }

    fn reloaded(&mut self, row: &crate::store::campaigns::Row) {
        use dialer::CampaignState;

        let campaign = row.id;
        self.touched.insert(campaign);
        let runs = row.state == CampaignState::Running && row.deleted_at.is_none();
        if let Some(running) = start::running_row(row).filter(|_| runs) {
            self.running.insert(campaign);
            self.feed(Event::Running {
                campaign,
                rules: running.rules,
                started_at: running.started_at,
                preparing: running.preparing,
            });
            return;
        }
        self.running.remove(&campaign);
        self.feed(if row.state == CampaignState::Stopped {
            Event::Stopped { campaign }
        } else {
            Event::Paused { campaign }
        });
    }

    fn take_claims(&mut self, answers: Answers) {
        let Answers { each, error, fenced } = answers;
        if fenced {
            tracing::error!(account.id = %self.account, "another process dials for this account now");
            self.feed(Event::Fenced);
            let up: Vec<_> = self.shared.active.lock().keys().copied().collect();
            for attempt in up {
                self.core.phones.withdraw(attempt);
            }
        }
        if let Some(error) = error {
            tracing::warn!(%error, "claims were rolled back");
            self.fail(&error);
        }
        for (wish, answer) in each {
            effects::claimed(self, wish, answer);
        }
    }

    /// Answers whoever asked for a test call.
    pub(crate) fn answer_test(
        &mut self,
        attempt: Id<Attempt>,
        answer: Result<Id<Attempt>, TestEnd>,
    ) {
        if let Some(reply) = self.tests.remove(&attempt) {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Changed(campaign, done) => {
                self.waiting.extend(done.map(|done| (campaign, done)));
                self.queue.push_back(Work::Reload { campaign });
            }
            Command::Work(campaign) => {
                self.touched.insert(campaign);
                let at = self.now();
                self.feed(Event::Work { campaign, at });
            }
            Command::Test { campaign, rules, phone, reply } => {
                let now = self.now();
                let can = self.shared.dialer.lock().can_test(rules.line, &phone, now);
                if let Err(refused) = can {
                    let _ = reply.send(Err(TestEnd::Now(refused)));
                    return;
                }
                let attempt = self.core.handles.ids.next();
                self.tests.insert(attempt, reply);
                self.feed(Event::Test { attempt, campaign, rules, phone });
            }
        }
    }

    fn learn_lines(&mut self) {
        let lines = start::facts(&self.core.phones.lines(self.account));
        self.feed(Event::Lines(lines));
        self.touched.extend(&self.running);
    }

    fn hear(&mut self, report: Report) {
        let Report { attempt, progress, .. } = report;
        match progress {
            Progress::Invited { at } => {
                self.core.plants.kill.reach(Point::AfterInvite);
                self.claims.extend(self.held.remove(&attempt));
                self.stage(attempt, Stage::Dialling, at);
                self.mark(attempt, Mark::Invited(at));
                self.feed(Event::Invited { attempt });
            }
            Progress::Ringing { at } => {
                self.stage(attempt, Stage::Ringing, at);
                self.feed(Event::Ringing { attempt });
            }
            Progress::Answered { at, dialog } => {
                self.core.plants.kill.reach(Point::AfterAnswer);
                self.stage(attempt, Stage::Answered, at);
                self.mark(attempt, Mark::Answered(at, Box::new(dialog)));
                self.feed(Event::Answered { attempt });
            }
            Progress::Ended(end) => self.ended(attempt, end),
        }
    }

    pub(crate) fn ended(&mut self, attempt: Id<Attempt>, end: End) {
        if !self.shared.dialer.lock().holds(attempt) {
            return;
        }
        let active = self.shared.active.lock().remove(&attempt);
        if let Some(call) = &active {
            self.touched.insert(call.campaign);
        }
        let ending = dialer::Ending::of(&end);
        let ringing_at = active.and_then(|call| call.ringing_at);
        self.ends.entry(attempt).or_insert(Wire { ringing_at, end });
        self.feed(Event::Ended { attempt, ending });
    }

    fn stage(&self, attempt: Id<Attempt>, stage: Stage, at: Timestamp) {
        if let Some(call) = self.shared.active.lock().get_mut(&attempt)
            && call.stage < stage
        {
            call.stage = stage;
            call.since = at;
            if stage == Stage::Ringing {
                call.ringing_at = Some(at);
            }
        }
    }

    fn mark(&mut self, attempt: Id<Attempt>, mark: Mark) {
        let campaign = self.shared.active.lock().get(&attempt).map(|call| call.campaign);
        if let Some(campaign) = campaign {
            self.touched.insert(campaign);
            self.queue.push_back(Work::Mark { attempt, mark });
        }
    }

    /// What is looked after without being woken: open rows nobody holds, the disk, old refusals,
    /// figures.
    fn care(&mut self) {
        let (core, account, boot) = (Arc::clone(&self.core), self.account, self.lease.boot);
        let shared = Arc::clone(&self.shared);
        let (done, quiet) = (self.done.clone(), self.queue.is_empty() && !self.writing);
        let oldest = self.now().minus(KEPT);
        telemetry::spawn("campaigns.care", async move {
            if let Ok(space) = core.handles.blob.space().await {
                let _ = done.send(Done::Disk(shortage(space)));
            }
            if quiet {
                let is_held = |attempt| shared.dialer.lock().holds(attempt);
                let found = start::forgotten(&core, account, boot, is_held).await;
                let _ = done.send(Done::Forgotten(found));
            }
            let now = core.handles.clock.now();
            let forgot = core
                .handles
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        claims::forget_refusals(tx, oldest).await?;
                        pulse::forget_minutes(tx, now).await
                    })
                })
                .await;
            if let Err(error) = forgot {
                tracing::warn!(%error, "old refusals and minutes could not be forgotten");
            }
        });
    }

    /// Shows on `/metrics` what the pages show: how many campaigns run, and why each is, or is not,
    /// dialling.
    fn count(&mut self) {
        let now = self.now();
        let account = self.account.to_string();
        let (mut open, mut reasons) = (0, BTreeMap::<&'static str, u64>::new());
        {
            let dialer: &Dialer = &self.shared.dialer.lock();
            for (campaign, rules) in dialer.running() {
                let state = CampaignState::Running;
                let standing = Standing { campaign, state, rules: Some(rules) };
                *reasons.entry(dialer::why(&standing, dialer, now).code()).or_default() += 1;
                open += dialer.open(campaign).count();
            }
        }
        metrics::gauge!("switchbell_open_attempts", "account" => account.clone()).set(open as f64);
        metrics::gauge!("switchbell_running_campaigns", "account" => account.clone())
            .set(reasons.values().sum::<u64>() as f64);
        // A reason that holds no more is told as 0, not left at what it was.
        for gone in std::mem::take(&mut self.told) {
            reasons.entry(gone).or_default();
        }
        for (why, campaigns) in reasons {
            metrics::gauge!("switchbell_campaigns", "account" => account.clone(), "why" => why)
                .set(campaigns as f64);
            if campaigns > 0 {
                self.told.insert(why);
            }
        }
    }

    /// Asks a line whether it lives.
    pub(crate) fn probe(&self, line: Id<Line>) {
        let (core, account, done) = (Arc::clone(&self.core), self.account, self.done.clone());
        telemetry::spawn("campaigns.probe", async move {
            let answer = core.phones.probe(account, line);
            let answered = core.handles.clock.timeout(PROBE_EVERY, answer).await.unwrap_or(false);
            let _ = done.send(Done::Probed { line, answered });
        });
    }

    /// Shows a call on the live page.
    pub(crate) fn show(&mut self, attempt: Id<Attempt>, call: ActiveCall) {
        self.touched.insert(call.campaign);
        self.shared.active.lock().insert(attempt, call);
    }

    /// After [`Effect::Drained`].
    pub(crate) fn say_drained(&mut self) {
        if !std::mem::replace(&mut self.drained, true) {
            self.core.busy.send_modify(|busy| *busy = busy.saturating_sub(1));
        }
    }

    /// The process number of this loop.
    pub(crate) const fn boot(&self) -> i64 {
        self.lease.boot
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.say_drained();
    }
}

/// What the dialler has to know of the disk.
fn shortage(space: blob::Space) -> Option<Shortage> {
    let percent = |share: f64| share.clamp(0.0, 100.0) as u8;
    space
        .is_low()
        .then(|| Shortage { free: percent(space.free.floor()), least: percent(space.least.ceil()) })
}
