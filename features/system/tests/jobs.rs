//! The list of background work, through HTTP, on both databases.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use access::Role;
use base::{Id, kind};
use host::testing::{Badges, Desk, World};
use jobs::{Cause, Handler, JobContext, JobEnd, Ways, Why};
use parking_lot::Mutex;
use serde_json::{Value, json};
use system::System;

/// Work that follows a script.
struct Scripted {
    kind: &'static str,
    ways: Ways,
    ends: Arc<Mutex<VecDeque<JobEnd>>>,
}

impl Handler for Scripted {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn ways(&self) -> Ways {
        self.ways
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        if job.is_cancelled().await.unwrap() {
            return JobEnd::Cancelled;
        }
        job.progress(3, Some(10)).await.unwrap();
        self.ends.lock().pop_front().unwrap_or(JobEnd::Done)
    }
}

struct Scene {
    world: World,
    desk: Desk,
}

impl Scene {
    fn new(db: db::Db, ends: impl IntoIterator<Item = JobEnd>) -> Self {
        let world = World::new(db);
        let system = System::new(world.handles.clone());
        let desk = world.desk(&[&system]);
        let ends = Arc::new(Mutex::new(ends.into_iter().collect()));
        for (kind, ways) in [
            ("test.free", Ways { stop: true, again: true }),
            ("test.fixed", Ways { stop: false, again: false }),
        ] {
            world.handles.jobs.add(Scripted { kind, ways, ends: Arc::clone(&ends) });
        }
        Self { world, desk }
    }

    async fn enqueue(&self, account: i64, kind: &'static str, payload: Value) -> Id<kind::Job> {
        let ids = self.world.handles.ids.clone();
        let now = ids.clock().now();
        let write = self.world.handles.db.write(move |tx| {
            Box::pin(async move {
                jobs::enqueue(tx, &ids, Id::from_raw(account), kind, payload, None, now).await
            })
        });
        write.await.unwrap()
    }
}

fn chains() -> [db::Chain; 4] {
    [http_kit::chain(), jobs::chain(), host::chain(), system::chain()]
}

fn retry() -> JobEnd {
    let why = Why::new(Cause::DiskFull, "the disk is full");
    JobEnd::Retry { after: Duration::from_mins(10), why }
}

fn fail() -> JobEnd {
    JobEnd::Fail { why: Why::new(Cause::GaveUp, "no such file").param("attempts", 20) }
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["items"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn jobs_are_listed_with_their_state_page_by_page() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db, [retry(), fail()]);
        let admin = scene.desk.of(1, Role::Administrator);
        let about = json!({ "campaign": "77" });
        let waits = scene.enqueue(1, "test.free", about).await;
        let fails = scene.enqueue(1, "test.fixed", json!({ "list": "5", "secret": "x" })).await;
        let done = scene.enqueue(1, "test.free", json!({})).await;
        let other = scene.enqueue(2, "test.free", json!({})).await;
        scene.world.handles.jobs.drain().await.unwrap();
        let page = admin.get("/jobs").await.ok();
        assert_eq!(ids(&page), [done, fails, waits].map(|id| id.to_string()));
        let [ended, failed, waiting] = [0, 1, 2].map(|n| page["items"][n].clone());
        assert_eq!(ended["state"], "done");
        assert_eq!(
            (&failed["state"], &failed["reason"]),
            (&json!("failed"), &json!("no such file"))
        );
        assert_eq!(failed["cause"], json!({ "code": "gave_up", "params": { "attempts": 20 } }));
        assert_eq!(waiting["cause"], json!({ "code": "disk_full", "params": {} }));
        assert_eq!(
            (&waiting["reason"], &ended["cause"]),
            (&json!("the disk is full"), &Value::Null)
        );
        assert_eq!(failed["about"], json!({ "what": "list", "id": "5" }));
        assert!(!page.to_string().contains("secret"), "payloads are not shown");
        assert_eq!(waiting["state"], "retry");
        assert_eq!(waiting["about"], json!({ "what": "campaign", "id": "77" }));
        assert_eq!((&waiting["done"], &waiting["total"]), (&json!(3), &json!(10)));
        assert_eq!(waiting["attempts"], 1);
        assert_eq!(waiting["next_at"], "2026-11-20T08:10:00Z");
        assert_eq!(ids(&admin.get("/jobs?state=failed").await.ok()), [fails.to_string()]);
        let first = admin.get("/jobs?limit=2").await.ok();
        assert_eq!(ids(&first).len(), 2);
        let next = first["next"].as_str().unwrap();
        let second = admin.get(&format!("/jobs?limit=2&cursor={next}")).await.ok();
        assert_eq!(ids(&second), [waits.to_string()]);
        assert_eq!(second["next"], Value::Null);
        let wrong = admin.get("/jobs?state=asleep").await.problem();
        assert_eq!(wrong, (400, "invalid_query".to_owned()));
        let caller = Badges::caller(1, Role::Administrator).unwrap();
        let shown = scene.world.handles.hub.snapshot(&caller, "jobs").await.unwrap();
        assert_eq!(shown["jobs"].as_object().unwrap().len(), 3);
        assert_eq!(shown["jobs"][other.to_string()], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_job_is_tried_at_once_or_stopped_where_its_kind_allows() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db, [retry(), retry(), fail(), fail()]);
        let admin = scene.desk.of(1, Role::Administrator);
        let free = scene.enqueue(1, "test.free", json!({})).await;
        let fixed = scene.enqueue(1, "test.fixed", json!({})).await;
        let jobs = &scene.world.handles.jobs;
        assert_eq!(jobs.drain().await, Ok(2));
        let integrator = scene.desk.of(1, Role::Integrator);
        let refused = integrator.post(&format!("/jobs/{free}/retry"), json!({})).await.problem();
        assert_eq!(refused, (403, "forbidden".to_owned()));
        let other = scene.desk.of(2, Role::Administrator);
        let foreign = other.post(&format!("/jobs/{free}/retry"), json!({})).await.problem();
        assert_eq!(foreign, (404, "job_not_found".to_owned()));
        // Both wait: either is tried at once, and fails.
        for id in [free, fixed] {
            let row = admin.post(&format!("/jobs/{id}/retry"), json!({})).await.ok();
            assert_eq!(row["next_at"], "2026-11-20T08:00:00Z");
        }
        assert_eq!(jobs.drain().await, Ok(2));
        let again = admin.post(&format!("/jobs/{fixed}/retry"), json!({})).await.problem();
        assert_eq!(again, (409, "job_not_retriable".to_owned()));
        admin.post(&format!("/jobs/{free}/retry"), json!({})).await.ok();
        let stopped = admin.post(&format!("/jobs/{free}/stop"), json!({})).await.ok();
        assert_eq!(stopped["stopping"], true);
        assert_eq!(jobs.drain().await, Ok(1));
        let page = admin.get("/jobs?state=cancelled").await.ok();
        assert_eq!(ids(&page), [free.to_string()]);
        for id in [free, fixed] {
            let over = admin.post(&format!("/jobs/{id}/stop"), json!({})).await.problem();
            assert_eq!(over, (409, "job_not_stoppable".to_owned()));
        }
    })
    .await;
}

#[tokio::test]
async fn schedules_are_listed_and_done_out_of_turn() {
    db::testing::each(&chains(), |db| async move {
        let scene = Scene::new(db, []);
        let admin = scene.desk.of(1, Role::Administrator);
        let now = scene.world.handles.clock.now();
        let put = scene.world.handles.db.write(move |tx| {
            Box::pin(async move {
                let (hour, account) = (Duration::from_hours(1), Id::from_raw(1));
                let (key, first) = ("all", now.plus(hour));
                jobs::schedule(tx, account, "test.free", key, json!({}), hour, first).await
            })
        });
        put.await.unwrap();
        let page = admin.get("/job-schedules").await.ok();
        assert_eq!(
            page["items"],
            json!([{
                "kind": "test.free", "key": "all", "about": null, "every_s": 3600,
                "next_at": "2026-11-20T09:00:00Z",
            }])
        );
        let name = json!({ "kind": "test.free", "key": "all" });
        let other = scene.desk.of(2, Role::Administrator);
        let foreign = other.post("/job-schedules/run", name.clone()).await.problem();
        assert_eq!(foreign, (404, "schedule_not_found".to_owned()));
        admin.post("/job-schedules/run", name.clone()).await;
        admin.post("/job-schedules/run", name).await;
        assert_eq!(scene.world.handles.jobs.drain().await, Ok(1), "asked twice, done once");
        assert_eq!(admin.get("/job-schedules").await.ok(), page, "the beat stays");
    })
    .await;
}
