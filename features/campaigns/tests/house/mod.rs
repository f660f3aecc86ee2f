//! A house for the stories of campaigns: their routes and loops over a fresh database, tables that
//! stand in for contacts and people, and a switchboard that stands in for the wire.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use access::Role;
use base::{
    Id, PhoneNumber, Timestamp,
    fact::{DoNotCallChanged, ListChanged},
    kind::{Account, Attempt, Audio, Line},
};
use call::{CallPlan, Cause, Dialog, End, EndedBy, LocalCause, Progress};
use campaigns::{
    Campaigns, Held, Later, LineBusy, LineView, Phones, Prompts, PromptsAway, Report, Slot,
    Unfinished,
};
use clock::Clock;
use db::{Chain, Db, Migration, Tx, args, sql};
use dialer::{LineHealth, Permit, Rate};
use host::{
    Handles, Running,
    testing::{Desk, World},
};
use jobs::JobState;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

/// Stands in for the tables of contacts and people.
const OTHERS: Chain = Chain {
    feature: "others",
    migrations: &[Migration {
        name: "20261120000000_others",
        sql: "CREATE TABLE stand_list (account BIGINT NOT NULL, list BIGINT PRIMARY KEY, name TEXT NOT NULL);
              CREATE TABLE stand_contact (account BIGINT NOT NULL, list BIGINT NOT NULL,
                contact BIGINT PRIMARY KEY, external_id TEXT, name TEXT NOT NULL, zone TEXT,
                variables JSONB NOT NULL, updated_at BIGINT NOT NULL);
              CREATE TABLE stand_number (account BIGINT NOT NULL, contact BIGINT NOT NULL,
                phone TEXT NOT NULL, ordinal BIGINT NOT NULL, kind TEXT NOT NULL);
              CREATE TABLE stand_forbidden (account BIGINT NOT NULL, phone TEXT NOT NULL,
                scope TEXT NOT NULL, target BIGINT NOT NULL, expires_at BIGINT);
              CREATE TABLE stand_account (account BIGINT PRIMARY KEY, name TEXT NOT NULL,
                time_zone TEXT NOT NULL, country TEXT NOT NULL, language TEXT NOT NULL);
              INSERT INTO stand_account VALUES (1, 'One', 'UTC', 'UA', 'uk');
              INSERT INTO stand_list VALUES (1, 10, 'Spring');",
    }],
    views: "CREATE VIEW v_contact_list AS SELECT account, list, name FROM stand_list;
            CREATE VIEW v_list_contact AS SELECT account, list, contact, external_id, name, zone,
              variables, updated_at FROM stand_contact;
            CREATE VIEW v_list_number AS SELECT account, contact, phone, ordinal, kind FROM stand_number;
            CREATE VIEW v_do_not_call AS SELECT account, phone, scope, target, expires_at
              FROM stand_forbidden;
            CREATE VIEW v_account AS SELECT account, name, time_zone, country, language FROM stand_account;",
};

/// The line, the recording and the list that everything uses.
pub(crate) const LINE: Id<Line> = Id::from_raw(5);
pub(crate) const AUDIO: Id<Audio> = Id::from_raw(6);
pub(crate) const LIST: i64 = 10;

/// What a phone of the switchboard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phone {
    /// Is answered, for so many seconds.
    Answers(u64),
    /// Ends with this status.
    Says(u16),
    /// Rings out: we cancel.
    RingsOut,
    /// Rings until the story does something about it.
    Rings,
    /// Nothing comes back.
    Dead,
}

/// A call that is up.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) plan: CallPlan,
    pub(crate) answered_at: Option<Timestamp>,
    _slot: Slot,
}

/// What the switchboard saw and holds.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Manners by number; `Says(486)` for others.
    pub(crate) manners: BTreeMap<String, Vec<Phone>>,
    /// Every INVITE: number and moment.
    pub(crate) invites: Vec<(String, Timestamp)>,
    pub(crate) up: BTreeMap<Id<Attempt>, Up>,
    pub(crate) recovered: Vec<Unfinished>,
    pub(crate) probes: usize,
    pub(crate) forgotten: Vec<Id<Attempt>>,
    pub(crate) lines: Vec<LineView>,
    used: Arc<Mutex<u32>>,
}

/// Stands in for the wire.
pub(crate) struct Switchboard {
    clock: Clock,
    pub(crate) board: Mutex<Board>,
    send: mpsc::Sender<Report>,
    heard: Mutex<Option<mpsc::Receiver<Report>>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Channel(Arc<Mutex<u32>>);

impl Held for Channel {
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any + Send> {
        self
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        *self.0.lock().unwrap() -= 1;
    }
}

impl Switchboard {
    fn new(clock: Clock) -> Arc<Self> {
        let (send, heard) = mpsc::channel(10_000);
        let line = LineView {
            id: LINE,
            name: "Kyiv".to_owned(),
            channels: 50,
            rate: Rate::per_mille(1_000_000),
            enabled: true,
            in_use: 0,
            health: LineHealth::Up,
            demo: None,
        };
        let board = Board { lines: vec![line], ..Board::default() };
        Arc::new(Self {
            clock,
            board: Mutex::new(board),
            send,
            heard: Mutex::new(Some(heard)),
            changes: watch::Sender::new(0),
        })
    }

    pub(crate) fn manner(&self, number: &str, manners: &[Phone]) {
        self.board.lock().unwrap().manners.insert(number.to_owned(), manners.to_vec());
    }

    pub(crate) fn change_line(&self, change: impl FnOnce(&mut LineView)) {
        change(&mut self.board.lock().unwrap().lines[0]);
        self.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn report(&self, plan: &CallPlan, progress: Progress) {
        let report = Report { account: plan.account, attempt: plan.attempt, progress };
        self.send.try_send(report).expect("room for a report");
    }

    /// The callee of a ringing call picks up.
    pub(crate) fn answer(&self, attempt: Id<Attempt>) {
        let at = self.clock.now();
        let mut board = self.board.lock().unwrap();
        let up = board.up.get_mut(&attempt).expect("a call that is up");
        up.answered_at = Some(at);
        let dialog = Dialog {
            local: "<sip:us@x>;tag=1".to_owned(),
            remote: "<sip:them@x>;tag=2".to_owned(),
            target: "sip:them@x".to_owned(),
            routes: Vec::new(),
            cseq: 1,
        };
        self.report(&up.plan, Progress::Answered { at, dialog });
    }

    /// A call ends as `cause` says.
    pub(crate) fn end(&self, attempt: Id<Attempt>, at: Timestamp, cause: Cause) {
        let up = self.board.lock().unwrap().up.remove(&attempt).expect("a call that is up");
        let end = End {
            at,
            invited: true,
            answered_at: up.answered_at,
            by: EndedBy::Callee,
            cause,
            recording: None,
            rtp: None,
        };
        self.report(&up.plan, Progress::Ended(end));
    }

    pub(crate) fn numbers_called(&self) -> Vec<String> {
        self.board.lock().unwrap().invites.iter().map(|(number, _)| number.clone()).collect()
    }
}

fn said(status: u16) -> Cause {
    Cause { sip: Some(status), ..Cause::default() }
}

fn local(cause: LocalCause) -> Cause {
    Cause { local: Some(cause), ..Cause::default() }
}

impl Phones for Switchboard {
    #[expect(clippy::unwrap_in_result, reason = "a poisoned lock is a failed test already")]
    fn reserve(&self, _: Id<Account>, line: Id<Line>) -> Result<Slot, LineBusy> {
        let board = self.board.lock().unwrap();
        let channels = board.lines.iter().find(|view| view.id == line).ok_or(LineBusy)?.channels;
        let mut used = board.used.lock().unwrap();
        if *used >= channels {
            return Err(LineBusy);
        }
        *used += 1;
        Ok(Slot::new(line, Channel(Arc::clone(&board.used))))
    }

    fn place(&self, permit: Permit, slot: Slot, plan: CallPlan) {
        let now = self.clock.now();
        let Ok(number) = permit.redeem(now) else {
            let end = End {
                at: now,
                invited: false,
                answered_at: None,
                by: EndedBy::Us,
                cause: local(LocalCause::Withdrawn),
                recording: None,
                rtp: None,
            };
            return self.report(&plan, Progress::Ended(end));
        };
        assert_eq!(number, plan.to, "the permit is for the number that is called");
        let (attempt, number) = (plan.attempt, number.to_string());
        let manner = {
            let mut board = self.board.lock().unwrap();
            board.invites.push((number.clone(), now));
            let manners = board.manners.entry(number).or_default();
            let manner = match manners.len() {
                0 => Phone::Says(486),
                1 => manners[0],
                _ => manners.remove(0),
            };
            let up = Up { plan: plan.clone(), answered_at: None, _slot: slot };
            board.up.insert(attempt, up);
            manner
        };
        self.report(&plan, Progress::Invited { at: now });
        match manner {
            Phone::Answers(talk) => {
                self.answer(attempt);
                self.end(attempt, now.plus(Duration::from_secs(talk)), Cause::default());
            }
            Phone::Says(status) => self.end(attempt, now, said(status)),
            Phone::RingsOut => self.end(attempt, now, local(LocalCause::RingTimeOver)),
            Phone::Dead => self.end(attempt, now, local(LocalCause::TimedOut)),
            Phone::Rings => self.report(&plan, Progress::Ringing { at: now }),
        }
    }

    fn withdraw(&self, attempt: Id<Attempt>) {
        let known = self.board.lock().unwrap().up.contains_key(&attempt);
        if known {
            self.end(attempt, self.clock.now(), local(LocalCause::Withdrawn));
        }
    }

    fn recover(&self, left: Vec<Unfinished>) {
        self.board.lock().unwrap().recovered.extend(left);
    }

    fn probe(&self, _: Id<Account>, _: Id<Line>) -> Later<'_, bool> {
        self.board.lock().unwrap().probes += 1;
        Box::pin(async { true })
    }

    fn forget_recordings<'a>(
        &'a self,
        _: &'a mut Tx<'_>,
        _: Id<Account>,
        attempts: &'a [Id<Attempt>],
        _: Timestamp,
    ) -> Later<'a, db::Result<()>> {
        self.board.lock().unwrap().forgotten.extend(attempts);
        Box::pin(async { Ok(()) })
    }

    fn lines(&self, account: Id<Account>) -> Vec<LineView> {
        if account.raw() == 1 { self.board.lock().unwrap().lines.clone() } else { Vec::new() }
    }

    fn line_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn reports(&self) -> Option<mpsc::Receiver<Report>> {
        self.heard.lock().unwrap().take()
    }
}

struct Library;

impl Prompts for Library {
    fn duration(
        &self,
        _: Id<Account>,
        audio: Id<Audio>,
    ) -> Later<'_, Result<Option<Duration>, PromptsAway>> {
        let found = (audio == AUDIO).then_some(Duration::from_secs(20));
        Box::pin(async move { Ok(found) })
    }
}

type Figures = Vec<(String, i64)>;

/// A house with everything running.
pub(crate) struct House {
    pub(crate) world: World,
    pub(crate) desk: Desk,
    pub(crate) switch: Arc<Switchboard>,
    _running: Running,
}

/// Moves into a database whose tables are there.
pub(crate) fn move_in(db: Db) -> House {
    let world = World::new(db);
    let switch = Switchboard::new(world.handles.clock.clone());
    let phones: Arc<dyn Phones> = Arc::<Switchboard>::clone(&switch);
    let feature = Campaigns::new(world.handles.clone(), phones, Arc::new(Library));
    let (desk, socket) = world.desk_with(&[&feature], Arc::new(host::testing::Badges));
    let running = world.start(socket);
    House { desk: desk.of(1, Role::Administrator), world, switch, _running: running }
}

/// The tables of everything.
pub(crate) fn chains() -> [Chain; 5] {
    [http_kit::chain(), jobs::chain(), host::chain(), OTHERS, campaigns::chain()]
}

/// Tells a story on both engines.
pub(crate) async fn story<F, R>(tell: F)
where
    F: Fn(House) -> R,
    R: Future<Output = ()>,
{
    db::testing::each(&chains(), |db| {
        let tell = &tell;
        async move { tell(move_in(db)).await }
    })
    .await;
}

impl House {
    pub(crate) fn now(&self) -> Timestamp {
        self.world.handles.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.world.hand.advance(Duration::from_secs(seconds));
    }

    /// Adds a contact to the list, with its numbers in order.
    pub(crate) async fn contact(&self, id: i64, numbers: &[&str]) {
        let numbers: Vec<String> = numbers.iter().map(|&number| number.to_owned()).collect();
        let now = self.now();
        self.world
            .handles
            .db
            .write(move |tx| {
                Box::pin(async move {
                    tx.exec(
                        sql!(
                            "INSERT INTO stand_contact (account, list, contact, external_id, name,
                               variables, updated_at) VALUES (1, 10, $1, $2, $3, $4, $5)"
                        ),
                        args![
                            id,
                            format!("e{id}"),
                            format!("Contact {id}"),
                            json!({"debt": id}),
                            now
                        ],
                    )
                    .await?;
                    for (n, phone) in numbers.iter().enumerate() {
                        tx.exec(
                            sql!(
                                "INSERT INTO stand_number (account, contact, phone, ordinal, kind)
                                 VALUES (1, $1, $2, $3, 'mobile')"
                            ),
                            args![id, phone, n as i64],
                        )
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    /// Says that the list changed, as contacts do.
    pub(crate) async fn list_changed(&self) {
        let ids = self.world.handles.ids.clone();
        let now = self.now().micros();
        self.world
            .handles
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let fact = ListChanged { list: Id::from_raw(LIST) };
                    let subject = format!("{}:{LIST}", ListChanged::SUBJECT);
                    db::outbox::put(tx, &ids, Id::from_raw(1), &subject, now, &fact).await
                })
            })
            .await
            .unwrap();
    }

    /// Puts a number on the do-not-call list of the account, with or without telling.
    pub(crate) async fn forbid(&self, phone: &str, tell: bool) {
        self.forbid_to(phone, ("account", 0), None).await;
        if tell {
            self.tell_of(phone, 1).await;
        }
    }

    /// Puts a number on a do-not-call list without telling.
    pub(crate) async fn forbid_to(
        &self,
        phone: &str,
        (scope, target): (&'static str, i64),
        expires_at: Option<Timestamp>,
    ) {
        let phone = phone.to_owned();
        let insert = sql!(
            "INSERT INTO stand_forbidden (account, phone, scope, target, expires_at)
             VALUES (1, $1, $2, $3, $4)"
        );
        let write = self.world.handles.db.write(move |tx| {
            let phone = phone.clone();
            Box::pin(async move { tx.exec(insert, args![phone, scope, target, expires_at]).await })
        });
        write.await.unwrap();
    }

    /// Tells that the standing of a number has changed.
    pub(crate) async fn tell_of(&self, phone: &str, version: i64) {
        let (ids, phone) = (self.world.handles.ids.clone(), phone.to_owned());
        let write = self.world.handles.db.write(move |tx| {
            let (ids, phone) = (ids.clone(), phone.clone());
            Box::pin(async move {
                let phone: PhoneNumber = phone.parse().unwrap();
                let subject = format!("{}:{phone}", DoNotCallChanged::SUBJECT);
                let fact = DoNotCallChanged { phone };
                db::outbox::put(tx, &ids, Id::from_raw(1), &subject, version, &fact).await
            })
        });
        write.await.unwrap();
    }

    /// A complete draft, with changes; its id.
    pub(crate) async fn draft(&self, changes: Value) -> String {
        let mut wish = json!({
            "name": "Reminder",
            "line_id": LINE.to_string(),
            "on_answer": {"kind": "audio", "audio_id": AUDIO.to_string()},
            "lists": [LIST.to_string()],
            "hours": {
                "mon": [["00:00", "24:00"]], "tue": [["00:00", "24:00"]],
                "wed": [["00:00", "24:00"]], "thu": [["00:00", "24:00"]],
                "fri": [["00:00", "24:00"]], "sat": [["00:00", "24:00"]],
                "sun": [["00:00", "24:00"]]
            },
            "max_attempts": 2,
        });
        for (key, value) in changes.as_object().unwrap() {
            wish[key] = value.clone();
        }
        let made = self.desk.post("/campaigns", wish).await;
        made.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Lets the database file, of SQLite, grow by so many pages and no more.
    pub(crate) async fn pages(&self, more: i64) {
        self.world
            .handles
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (pages,): (i64,) =
                        tx.one(sql!(sqlite: "PRAGMA page_count"), args![]).await?;
                    // A pragma takes no parameters.
                    let limit: &'static str =
                        format!("PRAGMA max_page_count = {}", pages + more).leak();
                    tx.one::<(i64,)>(limit, args![]).await
                })
            })
            .await
            .unwrap();
    }

    pub(crate) async fn start(&self, id: &str) {
        self.desk.post(&format!("/campaigns/{id}/start"), json!({})).await.ok();
    }

    pub(crate) async fn campaign(&self, id: &str) -> Value {
        self.desk.get(&format!("/campaigns/{id}")).await.ok()
    }

    pub(crate) async fn attempts(&self, id: &str) -> Vec<Value> {
        let page = self.desk.get(&format!("/campaigns/{id}/attempts?limit=200")).await.ok();
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until the campaign is as `right` says. The clock stands meanwhile, so this waits for
    /// work that is under way and for nothing else.
    pub(crate) async fn until(&self, id: &str, right: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..3_000 {
            last = self.campaign(id).await;
            if right(&last) {
                return last;
            }
            if last["why"]["code"] == "line_rate" {
                // A loop that took over a running campaign holds its first call back a little.
                self.world.hand.advance(Duration::from_millis(100));
            }
            tokio::task::yield_now().await;
        }
        let part = |name: &str| last[name].to_string();
        panic!(
            "it never came: {} {} {} {} calls {}\n{:#?}",
            part("state"),
            part("preparing"),
            part("why"),
            part("counters"),
            part("active_calls"),
            self.attempts(id)
                .await
                .iter()
                .map(|a| {
                    format!("{} {} {} {}", a["phone"], a["outcome"], a["claimed_at"], a["ended_at"])
                })
                .collect::<Vec<_>>()
        );
    }

    /// Waits until the only contact of a campaign has this number.
    pub(crate) async fn until_on(&self, id: &str, phone: &str) {
        for _ in 0..3_000 {
            let page = self.desk.get(&format!("/campaigns/{id}/contacts")).await.ok();
            if page["items"][0]["phone"] == phone {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the contact never came to {phone}");
    }

    /// Waits until so many calls are up on the wire.
    pub(crate) async fn until_up(&self, id: &str, calls: usize) {
        self.until(id, |_| self.switch.board.lock().unwrap().up.len() == calls).await;
    }

    /// Waits until every attempt of a campaign has ended.
    pub(crate) async fn until_ended(&self, id: &str) -> Vec<Value> {
        for _ in 0..3_000 {
            let attempts = self.attempts(id).await;
            if attempts.iter().all(|attempt| !attempt["ended_at"].is_null()) {
                return attempts;
            }
            tokio::task::yield_now().await;
        }
        panic!("attempts are open: {:?}", self.attempts(id).await);
    }

    /// Does what is due in the background, and waits until nothing is.
    pub(crate) async fn until_no_job_waits(&self) {
        let Handles { db, jobs, .. } = &self.world.handles;
        for _ in 0..3_000 {
            jobs.drain().await.unwrap();
            let busy = db.read(|tx| {
                Box::pin(async move {
                    let mut busy = 0;
                    for state in [JobState::Ready, JobState::Running] {
                        let some = jobs::page(tx, Id::from_raw(1), Some(state), i64::MAX, 1);
                        busy += some.await?.len();
                    }
                    Ok(busy)
                })
            });
            if busy.await.unwrap() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("jobs are still being done");
    }

    /// Waits until nothing is there any more.
    pub(crate) async fn until_gone(&self, path: &str) {
        self.until_no_job_waits().await;
        let gone = self.desk.get(path).await.problem();
        assert_eq!(gone, (404, "campaign_not_found".to_owned()));
    }

    /// The counters of a campaign are what its rows say.
    pub(crate) async fn counters_are_right(&self, id: &str) {
        let raw: i64 = id.parse().unwrap();
        let (states, counted): (Figures, Figures) = self
            .world
            .handles
            .db
            .read(move |tx| {
                Box::pin(async move {
                    let states = tx
                        .all(
                            sql!(
                                "SELECT 'contact:' || state, COUNT(*) FROM campaign_contact
                                 WHERE campaign = $1 GROUP BY state
                                 UNION ALL SELECT 'outcome:' || outcome, COUNT(*) FROM attempt
                                 WHERE campaign = $1 AND contact IS NOT NULL
                                   AND outcome IS NOT NULL GROUP BY outcome"
                            ),
                            args![raw],
                        )
                        .await?;
                    let counted = tx
                        .all(
                            sql!(
                                "SELECT what, n FROM campaign_count
                                 WHERE campaign = $1 AND n <> 0 AND what <> 'answered'
                                   AND what NOT LIKE 'cause:%'"
                            ),
                            args![raw],
                        )
                        .await?;
                    Ok((states, counted))
                })
            })
            .await
            .unwrap();
        let sorted = |rows: Figures| rows.into_iter().collect::<BTreeMap<_, _>>();
        assert_eq!(sorted(states), sorted(counted));
    }

    /// Actions of the audit trail, the oldest first.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let rows: Vec<(String,)> = self
            .world
            .handles
            .db
            .read(|tx| Box::pin(tx.all(sql!("SELECT action FROM audit ORDER BY id"), args![])))
            .await
            .unwrap();
        rows.into_iter().map(|(action,)| action).collect()
    }
}
