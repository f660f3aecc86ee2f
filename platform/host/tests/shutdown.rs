//! The two steps of a shutdown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use db::Engine;
use host::testing::World;
use tokio::sync::Notify;

async fn story<F, R>(tell: F)
where
    F: Fn(World) -> R,
    R: Future<Output = ()>,
{
    let chains = [http_kit::chain(), jobs::chain(), host::chain()];
    db::testing::one(Engine::Sqlite, &chains, |db| tell(World::new(db))).await;
}

#[tokio::test]
async fn what_is_under_way_is_waited_for_and_loops_run_until_then() {
    story(|world| async move {
        let (_, mut socket) = world.desk_with(&[], Arc::new(host::testing::Badges));
        let (done, returned) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (work, flag) = (Arc::clone(&done), Arc::clone(&returned));
        socket.drain("test.work", move |shutdown| {
            let work = Arc::clone(&work);
            async move {
                assert!(shutdown.is_draining() && !shutdown.is_stopping());
                work.notified().await;
            }
        });
        socket.run("test.loop", move |shutdown| {
            let flag = Arc::clone(&flag);
            async move {
                shutdown.stopping().await;
                flag.store(true, Ordering::SeqCst);
            }
        });
        let mut running = socket.start();
        {
            let mut drained = Box::pin(running.drain());
            tokio::select! {
                biased;
                () = &mut drained => panic!("the work is not done"),
                () = tokio::task::yield_now() => {}
            }
            assert!(!returned.load(Ordering::SeqCst));
            done.notify_one();
            drained.await;
        }
        running.stop().await;
        assert!(returned.load(Ordering::SeqCst));
    })
    .await;
}

#[tokio::test]
async fn work_and_loops_that_do_not_end_are_dropped_in_time() {
    story(|world| async move {
        let (_, mut socket) = world.desk_with(&[], Arc::new(host::testing::Badges));
        socket.drain("test.endless", |_| std::future::pending());
        socket.run("test.deaf", |_| std::future::pending());
        let mut running = socket.start();
        let hand = world.hand.clone();
        let time = || async {
            loop {
                hand.until_asleep(1).await;
                hand.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        };
        let before = world.handles.clock.now();
        tokio::select! {
            () = running.drain() => {}
            () = time() => {}
        }
        let drained = world.handles.clock.now();
        assert!(drained.since(before) >= Duration::from_secs(30));
        tokio::select! {
            () = running.stop() => {}
            () = time() => {}
        }
        assert!(world.handles.clock.now().since(drained) >= Duration::from_secs(5));
    })
    .await;
}
