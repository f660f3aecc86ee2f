//! What a job may count on, on both engines.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use base::{
    Id, Timestamp,
    kind::{Account, Job},
};
use clock::{Clock, Ids, ManualClock};
use db::{Db, Engine, Error, args, sql, testing};
use jobs::{Cause, Handler, JobContext, JobEnd, JobState, JobView, Jobs, Why};
use parking_lot::Mutex;
use serde_json::{Value, json};

const ACCOUNT: Id<Account> = Id::from_raw(7);
const KIND: &str = "test.count";

/// What a scripted handler does at its next attempt.
enum Act {
    End(JobEnd),
    Panic,
    /// Tells more progress and is to be asked again.
    Step(u64),
    /// Saves the cursor and never returns.
    Hang(i64),
    /// Tells progress and waits until it is asked to stop.
    UntilCancelled,
    /// Returns when the process is about to end.
    UntilStopping,
}

/// Attempt and cursor.
type Given = (i64, Option<Value>);

/// A handler that follows a script and notes what it was given.
#[derive(Clone, Default)]
struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    seen: Arc<Mutex<Vec<Given>>>,
    begun: Arc<tokio::sync::Notify>,
}

impl Script {
    fn of(acts: impl IntoIterator<Item = Act>) -> Self {
        Self { acts: Arc::new(Mutex::new(acts.into_iter().collect())), ..Self::default() }
    }

    fn take_seen(&self) -> Vec<Given> {
        std::mem::take(&mut self.seen.lock())
    }
}

impl Handler for Script {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        self.seen.lock().push((job.attempt, job.cursor.clone()));
        let act = self.acts.lock().pop_front().unwrap_or(Act::End(JobEnd::Done));
        match act {
            Act::End(end) => end,
            Act::Panic => panic!("on purpose"),
            Act::Step(done) => {
                job.progress(done, None).await.unwrap();
                JobEnd::Retry { after: Duration::ZERO, why: Why::new(Cause::InTheWay, "not yet") }
            }
            Act::Hang(cursor) => {
                job.save(json!(cursor)).await.unwrap();
                self.begun.notify_one();
                std::future::pending().await
            }
            Act::UntilCancelled => {
                job.progress(3, Some(10)).await.unwrap();
                self.begun.notify_one();
                while !job.is_cancelled().await.unwrap() {
                    tokio::task::yield_now().await;
                }
                JobEnd::Cancelled
            }
            Act::UntilStopping => {
                self.begun.notify_one();
                while !job.is_stopping() {
                    tokio::task::yield_now().await;
                }
                JobEnd::Retry { after: Duration::ZERO, why: Why::new(Cause::InTheWay, "stopped") }
            }
        }
    }
}

struct Scene {
    db: Db,
    ids: Ids,
    hand: ManualClock,
}

impl Scene {
    fn new(db: &Db) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        Self { db: db.clone(), ids: Ids::new(0, clock), hand }
    }

    fn worker(&self, script: &Script) -> Jobs {
        let jobs = Jobs::new(self.db.clone(), &self.ids);
        jobs.add(script.clone());
        jobs
    }

    async fn enqueue(&self, dedupe: Option<&'static str>) -> Id<Job> {
        let ids = self.ids.clone();
        let now = ids.clock().now();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    jobs::enqueue(tx, &ids, ACCOUNT, KIND, json!({"n": 1}), dedupe, now).await
                })
            })
            .await
            .unwrap()
    }

    async fn view(&self, id: Id<Job>) -> JobView {
        self.db.read(move |tx| Box::pin(jobs::view(tx, ACCOUNT, id))).await.unwrap()
    }

    async fn cancel(&self, id: Id<Job>) -> db::Result<()> {
        let now = self.ids.clock().now();
        self.db.write(move |tx| Box::pin(jobs::cancel(tx, ACCOUNT, id, now))).await
    }
}

fn retry(seconds: u64) -> Act {
    Act::End(JobEnd::Retry {
        after: Duration::from_secs(seconds),
        why: Why::new(Cause::InTheWay, "not yet"),
    })
}

#[tokio::test]
async fn a_job_runs_when_its_unit_was_kept_and_only_then() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::default();
        let worker = scene.worker(&script);
        let (ids, now) = (scene.ids.clone(), scene.ids.clock().now());
        let undone: db::Result<()> = db
            .write(move |tx| {
                Box::pin(async move {
                    jobs::enqueue(tx, &ids, ACCOUNT, KIND, json!(1), None, now).await?;
                    Err(Error::NotFound)
                })
            })
            .await;
        assert_eq!(undone, Err(Error::NotFound));
        assert_eq!(worker.drain().await, Ok(0));
        let id = scene.enqueue(None).await;
        assert_eq!(scene.view(id).await.state, JobState::Ready);
        assert_eq!(worker.drain().await, Ok(1));
        let done = scene.view(id).await;
        assert_eq!((done.state, done.attempt, done.reason), (JobState::Done, 1, None));
        assert_eq!(done.ended_at, Some(now));
        assert_eq!(script.take_seen(), [(1, None)]);
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_failed_is_made_again_later() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let why = Why::new(Cause::GaveUp, "the file is empty").param("attempts", 3);
        let no = JobEnd::Fail { why };
        let script = Script::of([retry(10), Act::Panic, Act::End(no)]);
        let worker = scene.worker(&script);
        let id = scene.enqueue(None).await;
        assert_eq!(worker.drain().await, Ok(1));
        let waiting = scene.view(id).await;
        assert_eq!(waiting.state, JobState::Retry);
        assert_eq!(waiting.reason.as_deref(), Some("not yet"));
        scene.hand.advance(Duration::from_secs(9));
        assert_eq!(worker.drain().await, Ok(0));
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(worker.drain().await, Ok(1), "it panics");
        assert_eq!(scene.view(id).await.state, JobState::Retry);
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(worker.drain().await, Ok(0), "the second pause is two seconds");
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(worker.drain().await, Ok(1));
        let failed = scene.view(id).await;
        assert_eq!(failed.state, JobState::Failed);
        assert_eq!(failed.reason.as_deref(), Some("the file is empty"));
        assert_eq!(failed.reason_code.as_deref(), Some("gave_up"));
        assert_eq!(failed.reason_params, Some(json!({ "attempts": 3 })));
        scene.hand.advance(Duration::from_hours(1));
        assert_eq!(worker.drain().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn a_job_does_not_try_for_ever() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of((0..50).map(|_| retry(0)));
        let worker = scene.worker(&script);
        let id = scene.enqueue(None).await;
        assert_eq!(worker.drain().await, Ok(20));
        assert_eq!(scene.view(id).await.state, JobState::Failed);
    })
    .await;
}

#[tokio::test]
async fn only_attempts_that_got_nowhere_count_against_a_job() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let acts = (0..60).map(|n| if n % 15 == 14 { Act::Step(n) } else { retry(0) });
        let script = Script::of(acts.chain((0..50).map(|_| retry(0))));
        let worker = scene.worker(&script);
        let id = scene.enqueue(None).await;
        assert_eq!(worker.drain().await, Ok(60 + 20));
        let job = scene.view(id).await;
        assert_eq!((job.state, job.attempt), (JobState::Failed, 80));
    })
    .await;
}

#[tokio::test]
async fn after_a_crash_a_job_goes_on_from_its_cursor() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of([Act::Hang(42)]);
        let first = scene.worker(&script);
        let id = scene.enqueue(None).await;
        let crashing = telemetry::spawn("crashing", async move {
            first.run(std::future::pending()).await;
        });
        script.begun.notified().await;
        crashing.abort();
        assert!(crashing.await.unwrap_err().is_cancelled());
        assert_eq!(scene.view(id).await.state, JobState::Running);
        let second = scene.worker(&script);
        if db.engine() == Engine::Postgres {
            assert_eq!(second.drain().await, Ok(0), "the other process may live");
            scene.hand.advance(Duration::from_secs(31));
        }
        assert_eq!(second.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Done);
        assert_eq!(script.take_seen(), [(1, None), (2, Some(json!(42)))]);
    })
    .await;
}

/// Until when the running job is held, in seconds.
async fn lease(db: &Db) -> i64 {
    let held = sql!("SELECT lease_until FROM job WHERE state = 'running'");
    let until = db
        .read(move |tx| Box::pin(async move { tx.one::<(Timestamp,)>(held, args![]).await }))
        .await
        .unwrap();
    until.0.seconds()
}

#[tokio::test]
async fn a_job_is_held_for_as_long_as_it_runs_and_let_go_when_it_is_lost() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of([Act::Hang(1)]);
        let (first, second) = (scene.worker(&script), scene.worker(&script));
        let id = scene.enqueue(None).await;
        let working = telemetry::spawn("first", async move { first.drain().await });
        script.begun.notified().await;
        for _ in 0..4 {
            let before = lease(&db).await;
            scene.hand.until_asleep(1).await;
            scene.hand.advance(Duration::from_secs(10));
            while lease(&db).await == before {
                tokio::task::yield_now().await;
            }
        }
        if db.engine() == Engine::Postgres {
            assert_eq!(second.drain().await, Ok(0), "40 s have passed, and it is still held");
            working.abort();
            return;
        }
        // A file has one process, so here the second is a later start of it.
        assert_eq!(second.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Done);
        scene.hand.until_asleep(1).await;
        scene.hand.advance(Duration::from_secs(10));
        assert_eq!(working.await.unwrap(), Ok(1), "the first let go");
        assert_eq!(scene.view(id).await.attempt, 2);
    })
    .await;
}

/// Lets its context out, as a task that does not notice the end would.
struct Keep(Arc<Mutex<Option<JobContext>>>);

impl Handler for Keep {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        *self.0.lock() = Some(job.clone());
        JobEnd::Retry { after: Duration::ZERO, why: Why::new(Cause::InTheWay, "again") }
    }
}

#[tokio::test]
async fn who_lost_a_job_can_no_longer_write_to_it() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let held: Arc<Mutex<Option<JobContext>>> = Arc::default();
        let first = Jobs::new(db.clone(), &scene.ids);
        first.add(Keep(Arc::clone(&held)));
        let id = scene.enqueue(None).await;
        assert_eq!(first.drain().await, Ok(20));
        let stale = held.lock().take().unwrap();
        assert!(matches!(stale.save(json!(9)).await, Err(Error::Conflict(_))));
        assert!(matches!(stale.progress(9, None).await, Err(Error::Conflict(_))));
        assert_eq!(scene.view(id).await.done, 0);
    })
    .await;
}

#[tokio::test]
async fn one_job_of_a_key_waits_and_none_runs_twice_at_a_time() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of([Act::UntilStopping]);
        let worker = scene.worker(&script);
        let first = scene.enqueue(Some("list:1")).await;
        assert_eq!(scene.enqueue(Some("list:1")).await, first);
        let other = scene.enqueue(Some("list:2")).await;
        assert_ne!(other, first);
        assert_eq!(worker_runs(&worker, &script, &scene, first).await, JobState::Retry);
        let other = scene.view(other).await;
        assert_eq!(other.state, JobState::Done, "another key does not wait");
        assert_eq!(worker.drain().await, Ok(2), "the first again, then the one that came late");
    })
    .await;
}

/// Runs until the first job works, asks for the same work, and stops.
async fn worker_runs(worker: &Jobs, script: &Script, scene: &Scene, first: Id<Job>) -> JobState {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = {
        let worker = worker.clone();
        telemetry::spawn("worker", async move {
            worker
                .run(async {
                    let _ = stopped.await;
                })
                .await;
        })
    };
    script.begun.notified().await;
    let late = scene.enqueue(Some("list:1")).await;
    assert_ne!(late, first, "one that runs may have passed what is new");
    assert_eq!(scene.enqueue(Some("list:1")).await, late);
    assert_eq!(scene.view(late).await.state, JobState::Ready);
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(scene.view(late).await.state, JobState::Ready);
    scene.view(first).await.state
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_at_once_and_a_running_one_says_so_itself() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of([Act::UntilCancelled]);
        let worker = scene.worker(&script);
        let waiting = scene.enqueue(None).await;
        scene.cancel(waiting).await.unwrap();
        scene.cancel(waiting).await.unwrap();
        assert_eq!(scene.view(waiting).await.state, JobState::Cancelled);
        assert_eq!(scene.cancel(Id::from_raw(1)).await, Err(Error::NotFound));
        let id = scene.enqueue(None).await;
        let drained = {
            let worker = worker.clone();
            telemetry::spawn("worker", async move { worker.drain().await })
        };
        script.begun.notified().await;
        scene.cancel(id).await.unwrap();
        let asked = scene.view(id).await;
        assert_eq!((asked.state, asked.done, asked.total), (JobState::Running, 3, Some(10)));
        assert_eq!(drained.await.unwrap(), Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Cancelled);
        assert_eq!(worker.drain().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn a_new_job_is_taken_as_soon_as_its_unit_is_kept() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::of([Act::Hang(1), Act::Hang(2)]);
        let worker = scene.worker(&script);
        let running = telemetry::spawn("worker", async move {
            worker.run(std::future::pending()).await;
        });
        // The clock stands still: only the wake-up of the commit can be the reason.
        for _ in 0..2 {
            scene.enqueue(None).await;
            script.begun.notified().await;
        }
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
    })
    .await;
}

#[tokio::test]
async fn a_schedule_enqueues_on_its_beat_and_makes_up_for_a_pause_once() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::default();
        let worker = scene.worker(&script);
        let hour = Duration::from_hours(1);
        let now = scene.ids.clock().now();
        let put = db.write(move |tx| {
            Box::pin(async move {
                jobs::schedule(tx, ACCOUNT, KIND, "k", json!(1), hour, now.plus(hour)).await
            })
        });
        put.await.unwrap();
        assert_eq!(worker.drain().await, Ok(0));
        scene.hand.advance(hour);
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(worker.drain().await, Ok(0), "the next moment is an hour away");
        // Half a day without a process: one job, and the beat is kept.
        scene.hand.advance(hour * 12 + hour / 2);
        let other = scene.worker(&script);
        assert_eq!(other.drain().await, Ok(1));
        assert_eq!(worker.drain().await, Ok(0));
        let read = db.read(move |tx| Box::pin(jobs::next_at(tx, ACCOUNT, KIND, "k")));
        assert_eq!(read.await.unwrap(), Some(now.plus(hour * 14)));
        let end = db.write(move |tx| Box::pin(jobs::unschedule(tx, ACCOUNT, KIND, "k")));
        end.await.unwrap();
        scene.hand.advance(hour * 10);
        assert_eq!(worker.drain().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn a_job_that_waits_or_failed_is_hurried_and_an_ended_one_is_not() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let fail = || Act::End(JobEnd::Fail { why: Why::new(Cause::InTheWay, "no") });
        let script = Script::of([retry(600), fail()]);
        let worker = scene.worker(&script);
        let id = scene.enqueue(None).await;
        let now = scene.ids.clock().now();
        let hurry = async |again| {
            db.write(move |tx| Box::pin(jobs::hurry(tx, ACCOUNT, id, again, now))).await.unwrap()
        };
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(worker.drain().await, Ok(0));
        assert!(hurry(false).await);
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Failed);
        assert!(!hurry(false).await, "its kind does not allow that");
        assert!(hurry(true).await);
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Done);
        assert!(!hurry(true).await);
        let page = async |state| {
            let read = db.read(move |tx| Box::pin(jobs::page(tx, ACCOUNT, state, i64::MAX, 10)));
            read.await.unwrap().len()
        };
        assert_eq!(page(Some(JobState::Done)).await, 1);
        assert_eq!(page(Some(JobState::Failed)).await, 0);
        assert_eq!(page(None).await, 1);
    })
    .await;
}

/// Ends what it was for itself: it may be stopped.
#[derive(Clone, Default)]
struct Owner {
    asked: Arc<Mutex<Vec<bool>>>,
}

impl Handler for Owner {
    fn kind(&self) -> &'static str {
        "test.own"
    }

    fn ways(&self) -> jobs::Ways {
        jobs::Ways { stop: true, again: false }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        let cancelled = job.is_cancelled().await.unwrap();
        let first = {
            let mut asked = self.asked.lock();
            asked.push(cancelled);
            asked.iter().filter(|cancelled| **cancelled).count() < 2
        };
        // The first try to end it meets a database that is away.
        if cancelled && !first {
            JobEnd::Cancelled
        } else {
            JobEnd::Retry { after: Duration::from_mins(10), why: Why::new(Cause::InTheWay, "away") }
        }
    }
}

#[tokio::test]
async fn a_job_that_is_stopped_is_asked_until_it_has_ended_itself() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let owner = Owner::default();
        let worker = Jobs::new(db.clone(), &scene.ids);
        worker.add(owner.clone());
        let told = Arc::new(Mutex::new(0));
        let tells = Arc::clone(&told);
        worker.on_change(move |account| {
            assert_eq!(account, ACCOUNT);
            *tells.lock() += 1;
        });
        assert!(worker.ways("test.own").stop);
        assert_eq!(worker.ways("test.nobody"), jobs::Ways::default());
        let (ids, later) =
            (scene.ids.clone(), scene.ids.clock().now().plus(Duration::from_hours(1)));
        let id = db.write(move |tx| {
            Box::pin(async move {
                jobs::enqueue(tx, &ids, ACCOUNT, "test.own", json!({}), None, later).await
            })
        });
        let id = id.await.unwrap();
        assert_eq!(worker.drain().await, Ok(0), "its moment has not come");
        let stop = async || {
            let now = scene.ids.clock().now();
            db.write(move |tx| Box::pin(jobs::stop(tx, ACCOUNT, id, now))).await.unwrap()
        };
        assert!(stop().await);
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Retry, "not ended, so it goes on");
        scene.hand.advance(Duration::from_mins(10));
        assert_eq!(worker.drain().await, Ok(1));
        assert_eq!(scene.view(id).await.state, JobState::Cancelled);
        assert!(!stop().await);
        assert_eq!(*owner.asked.lock(), [true, true]);
        assert_eq!(*told.lock(), 4, "the beginning and the end of each attempt");
        let unknown = db.write(|tx| {
            Box::pin(jobs::stop(tx, ACCOUNT, Id::from_raw(1), Timestamp::from_seconds(0)))
        });
        assert_eq!(unknown.await, Err(Error::NotFound));
    })
    .await;
}

#[tokio::test]
async fn a_schedule_is_listed_and_run_out_of_turn() {
    testing::each(&[jobs::chain()], |db| async move {
        let scene = Scene::new(&db);
        let script = Script::default();
        let worker = scene.worker(&script);
        let hour = Duration::from_hours(1);
        let now = scene.ids.clock().now();
        let put = db.write(move |tx| {
            Box::pin(async move {
                for key in ["a", "b", "c"] {
                    jobs::schedule(tx, ACCOUNT, KIND, key, json!(key), hour, now.plus(hour))
                        .await?;
                }
                // One that is there is left alone.
                jobs::ensure(tx, ACCOUNT, KIND, "a", json!(0), hour, now.plus(hour * 9)).await?;
                Ok(())
            })
        });
        put.await.unwrap();
        let keys = async |after: &'static str| {
            let read = db.read(move |tx| {
                Box::pin(async move { jobs::schedules(tx, ACCOUNT, (KIND, after), 2).await })
            });
            read.await.unwrap().into_iter().map(|row| row.key).collect::<Vec<_>>()
        };
        assert_eq!(keys("").await, ["a", "b"]);
        assert_eq!(keys("b").await, ["c"]);
        let run = async |key: &'static str| {
            let ids = scene.ids.clone();
            db.write(move |tx| {
                Box::pin(async move { jobs::run_now(tx, &ids, ACCOUNT, KIND, key, now).await })
            })
            .await
        };
        let first = run("a").await.unwrap();
        assert_eq!(run("a").await, Ok(first), "one waits already");
        assert_eq!(run("d").await, Err(Error::NotFound));
        assert_eq!(worker.drain().await, Ok(1));
        let read = db.read(move |tx| Box::pin(jobs::next_at(tx, ACCOUNT, KIND, "a")));
        assert_eq!(read.await.unwrap(), Some(now.plus(hour)), "the beat stays");
    })
    .await;
}
