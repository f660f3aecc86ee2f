#![doc = include_str!("../README.md")]

mod deliver;
mod fact;
mod store;

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use clock::Clock;
use db::Db;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::{Mutex, RwLock};

pub use fact::Fact;
pub use store::Waiting;

use crate::store::Subject;

/// Subjects that are delivered at the same time.
const AT_ONCE: usize = 16;
/// How often the outbox is looked at without being woken.
const LOOK: Duration = Duration::from_secs(1);

type Handler = Arc<dyn Fn(Fact) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Who listens to what.
#[derive(Clone)]
struct Listener {
    name: &'static str,
    topic: &'static str,
    handler: Handler,
}

/// The bus of one database. Clones share it.
#[derive(Clone)]
pub struct Bus {
    db: Db,
    clock: Clock,
    listeners: Arc<RwLock<Vec<Listener>>>,
    /// Facts that some listeners have taken and others have yet to, by the fact's id and the
    /// listener's name: a second try goes to the others only.
    taken: Arc<Mutex<BTreeSet<(i64, &'static str)>>>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.listeners.read().iter().map(|l| (l.name, l.topic)).collect();
        f.debug_struct("Bus").field("listeners", &names).finish_non_exhaustive()
    }
}

impl Bus {
    /// A bus without listeners.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, listeners: Arc::default(), taken: Arc::default() }
    }

    /// Hands every fact of `topic` to `handler`. `name` tells listeners apart in logs and figures.
    /// Its error says what went wrong; the fact then comes again. Listen before [`Bus::run`].
    pub fn listen<F, Fut>(&self, name: &'static str, topic: &'static str, handler: F)
    where
        F: Fn(Fact) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |fact| Box::pin(handler(fact)));
        self.listeners.write().push(Listener { name, topic, handler });
    }

    /// Delivers for ever. It may be dropped at any moment: what was not delivered comes again.
    pub async fn run(&self) {
        let mut woken = self.db.woken(db::outbox::WAKE);
        let mut busy = BTreeSet::new();
        let mut flying = FuturesUnordered::new();
        loop {
            woken.borrow_and_update();
            if flying.len() < AT_ONCE {
                match self.due().await {
                    Ok(subjects) => {
                        for subject in subjects {
                            if flying.len() < AT_ONCE && busy.insert(subject.clone()) {
                                flying.push(self.start(subject));
                            }
                        }
                    }
                    Err(error) => tracing::warn!(%error, "the outbox could not be read"),
                }
            }
            tokio::select! {
                Some(subject) = flying.next() => {
                    busy.remove(&subject);
                }
                // The sender lives as long as the database.
                _ = woken.changed(), if flying.len() < AT_ONCE => {}
                () = self.clock.sleep(LOOK) => {}
            }
        }
    }

    /// Delivers whatever is due now and returns how many facts were; for tests, which then know
    /// that every listener has been asked.
    pub async fn drain(&self) -> db::Result<usize> {
        let mut delivered = 0;
        loop {
            let subjects = self.due().await?;
            if subjects.is_empty() {
                return Ok(delivered);
            }
            for subject in subjects {
                delivered += self.deliver(&subject).await?;
            }
        }
    }

    /// How many facts wait, and how many of them were refused before.
    pub async fn waiting(&self) -> db::Result<Waiting> {
        store::waiting(&self.db).await
    }

    async fn due(&self) -> db::Result<Vec<Subject>> {
        store::due(&self.db, self.clock.now()).await
    }

    /// Delivers in a task of its own, which ends with the future that is returned. Within the loop
    /// deliveries could be handed the last connections of the database while the loop itself waits
    /// for one, and none of them would move.
    fn start(&self, subject: Subject) -> impl Future<Output = Subject> + use<> {
        let (this, same) = (self.clone(), subject.clone());
        let task =
            telemetry::spawn_held("bus.deliver", async move { this.deliver_logged(subject).await });
        let clock = self.clock.clone();
        async move {
            if let Ok(subject) = task.await {
                return subject;
            }
            // The panic was logged by the task; its facts come again, but not at once.
            clock.sleep(LOOK).await;
            same
        }
    }

    async fn deliver_logged(&self, subject: Subject) -> Subject {
        if let Err(error) = self.deliver(&subject).await {
            tracing::warn!(subject = subject.name, %error, "facts could not be taken out");
            // Without a pause a database that is away would be asked without end.
            self.clock.sleep(LOOK).await;
        }
        subject
    }
}
