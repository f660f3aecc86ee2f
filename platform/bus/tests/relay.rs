//! What listeners may count on, on both engines.

use std::{sync::Arc, time::Duration};

use base::{Id, Timestamp, kind::Account};
use bus::{Bus, Fact, Waiting};
use clock::{Clock, Ids, ManualClock};
use db::{Db, Error, outbox, testing};
use parking_lot::Mutex;

const ACCOUNT: Id<Account> = Id::from_raw(7);

struct Scene {
    bus: Bus,
    ids: Ids,
    hand: ManualClock,
    heard: Arc<Mutex<Vec<(String, i64)>>>,
}

fn scene(db: &Db) -> Scene {
    let (clock, hand) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
    let bus = Bus::new(db.clone(), clock.clone());
    let heard: Arc<Mutex<Vec<(String, i64)>>> = Arc::default();
    Scene { bus, ids: Ids::new(0, clock), hand, heard }
}

impl Scene {
    /// A listener that notes what it hears and refuses the versions given.
    fn listen(&self, topic: &'static str, refuses: &Arc<Mutex<Vec<i64>>>) {
        let (heard, refuses) = (Arc::clone(&self.heard), Arc::clone(refuses));
        self.bus.listen("ear", topic, move |fact: Fact| {
            let (heard, refuses) = (Arc::clone(&heard), Arc::clone(&refuses));
            async move {
                if refuses.lock().contains(&fact.version) {
                    return Err("not now".to_owned());
                }
                heard.lock().push((fact.subject, fact.version));
                Ok(())
            }
        });
    }

    fn take_heard(&self) -> Vec<(String, i64)> {
        std::mem::take(&mut self.heard.lock())
    }
}

async fn put(db: &Db, ids: &Ids, subject: &'static str, versions: &'static [i64]) {
    let ids = ids.clone();
    db.write(move |tx| {
        Box::pin(async move {
            for version in versions {
                outbox::put(tx, &ids, ACCOUNT, subject, *version, &("fact", version)).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

fn nothing() -> Arc<Mutex<Vec<i64>>> {
    Arc::default()
}

#[tokio::test]
async fn facts_of_a_subject_come_in_the_order_of_their_versions() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        scene.listen("bell.rung", &nothing());
        // Ids are made before the commit, so they may be in another order than the versions.
        put(&db, &scene.ids, "bell.rung:1", &[3, 1, 2]).await;
        put(&db, &scene.ids, "bell.rung:2", &[9]).await;
        put(&db, &scene.ids, "other.topic:1", &[1]).await;
        assert_eq!(scene.bus.drain().await, Ok(5));
        let one = "bell.rung:1".to_owned();
        let mut heard = scene.take_heard();
        assert_eq!(heard.pop(), Some(("bell.rung:2".to_owned(), 9)));
        assert_eq!(heard, [(one.clone(), 1), (one.clone(), 2), (one, 3)]);
        assert_eq!(scene.bus.waiting().await, Ok(Waiting { facts: 0, refused: 0 }));
    })
    .await;
}

#[tokio::test]
async fn a_fact_of_a_unit_that_was_undone_is_never_heard() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        scene.listen("bell.rung", &nothing());
        let ids = scene.ids.clone();
        let undone: db::Result<()> = db
            .write(move |tx| {
                Box::pin(async move {
                    outbox::put(tx, &ids, ACCOUNT, "bell.rung:1", 1, &()).await?;
                    Err(Error::NotFound)
                })
            })
            .await;
        assert_eq!(undone, Err(Error::NotFound));
        assert_eq!(scene.bus.drain().await, Ok(0));
        assert_eq!(scene.take_heard(), []);
    })
    .await;
}

#[tokio::test]
async fn a_refused_fact_comes_again_and_only_its_subject_waits() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        let refuses = Arc::new(Mutex::new(vec![2]));
        scene.listen("bell.rung", &refuses);
        put(&db, &scene.ids, "bell.rung:1", &[1, 2, 3]).await;
        put(&db, &scene.ids, "bell.rung:2", &[9]).await;
        let (one, two) = ("bell.rung:1".to_owned(), "bell.rung:2".to_owned());
        assert_eq!(scene.bus.drain().await, Ok(2));
        assert_eq!(scene.take_heard(), [(one.clone(), 1), (two.clone(), 9)]);
        assert_eq!(scene.bus.waiting().await, Ok(Waiting { facts: 2, refused: 1 }));
        put(&db, &scene.ids, "bell.rung:1", &[4]).await;
        assert_eq!(scene.bus.drain().await, Ok(0), "the subject waits for a second");
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(scene.bus.drain().await, Ok(0), "refused again");
        refuses.lock().clear();
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(scene.bus.drain().await, Ok(0), "the second pause is longer");
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(scene.bus.drain().await, Ok(3));
        assert_eq!(scene.take_heard(), [(one.clone(), 2), (one.clone(), 3), (one, 4)]);
    })
    .await;
}

#[tokio::test]
async fn who_has_taken_a_fact_is_not_asked_again_for_the_sake_of_another() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        scene.listen("bell.rung", &nothing());
        let calls = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&calls);
        scene.bus.listen("clumsy", "bell.rung", move |_| {
            let counted = Arc::clone(&counted);
            async move {
                *counted.lock() += 1;
                assert!(*counted.lock() > 1, "falls over the first time");
                Ok(())
            }
        });
        put(&db, &scene.ids, "bell.rung:1", &[1]).await;
        assert_eq!(scene.bus.drain().await, Ok(0));
        scene.hand.advance(Duration::from_secs(1));
        assert_eq!(scene.bus.drain().await, Ok(1));
        assert_eq!(scene.take_heard().len(), 1);
        assert_eq!(*calls.lock(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_was_not_delivered_before_a_restart_is_delivered_after() {
    testing::each_place(|place| async move {
        let db = place.open().await;
        db.migrate(&[]).await.unwrap();
        put(&db, &scene(&db).ids, "bell.rung:1", &[1]).await;
        db.close().await;
        let db = place.open().await;
        let scene = scene(&db);
        scene.listen("bell.rung", &nothing());
        assert_eq!(scene.bus.drain().await, Ok(1));
        assert_eq!(scene.take_heard(), [("bell.rung:1".to_owned(), 1)]);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_relay_delivers_as_soon_as_a_unit_is_kept() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        scene.bus.listen("ear", "bell.rung", move |fact| {
            let sent = tell.send((fact.key().map(str::to_owned), fact.read::<(String, i64)>()));
            async move { sent.map_err(|e| e.to_string()) }
        });
        let bus = scene.bus.clone();
        let relay = telemetry::spawn("relay", async move { bus.run().await });
        // The clock stands still: only the wake-up of the commit can be the reason.
        for _ in 0..3 {
            put(&db, &scene.ids, "bell.rung:5", &[8]).await;
            let fact = told.recv().await.unwrap();
            assert_eq!(fact, (Some("5".to_owned()), Ok(("fact".to_owned(), 8))));
        }
        relay.abort();
        assert!(relay.await.unwrap_err().is_cancelled());
    })
    .await;
}

/// More subjects at once than the database has connections, and listeners that use it: the loop must
/// not wait for a connection that it has itself promised to a delivery which it does not move on.
#[tokio::test]
async fn many_subjects_at_once_never_starve_the_loop_of_connections() {
    testing::each(&[], |db| async move {
        let scene = scene(&db);
        let (used, heard) = (db.clone(), Arc::clone(&scene.heard));
        let news = Arc::new(tokio::sync::Notify::new());
        let told = Arc::clone(&news);
        scene.bus.listen("ear", "bell.rung", move |fact: Fact| {
            let (used, heard, told) = (used.clone(), Arc::clone(&heard), Arc::clone(&told));
            async move {
                let read = used.read(|tx| Box::pin(outbox_is_there(tx)));
                read.await.map_err(|error| error.to_string())?;
                heard.lock().push((fact.subject, fact.version));
                told.notify_one();
                Ok(())
            }
        });
        for n in 0..200 {
            let subject: &'static str = format!("bell.rung:{n}").leak();
            put(&db, &scene.ids, subject, &[1]).await;
        }
        let all = async {
            while scene.heard.lock().len() < 200 {
                news.notified().await;
            }
        };
        // The loop never ends by itself. A starved one waits 10 s for each connection, and needs
        // two minutes for them all.
        let clock = Clock::system();
        let bound = clock.timeout(Duration::from_mins(1), all);
        tokio::select! {
            () = scene.bus.run() => {}
            heard = bound => assert!(heard.is_ok(), "{} of 200", scene.heard.lock().len()),
        }
    })
    .await;
}

async fn outbox_is_there(tx: &mut db::Tx<'_>) -> db::Result<()> {
    let _: (i64,) = tx.one(db::sql!("SELECT COUNT(*) FROM outbox"), db::args![]).await?;
    Ok(())
}
