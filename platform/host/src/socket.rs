//! Where features are plugged in, and what runs once they are.

use std::{future::Future, time::Duration};

use bus::Fact;
use futures::future::join_all;
use http_kit::Topic;
use tokio::task::JoinHandle;

use crate::{
    Handles, Shutdown,
    supervise::{Work, supervise, work},
};

/// How long work that is under way may go on after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// How long loops have to return once work is over.
const RETURN: Duration = Duration::from_secs(5);

/// Collects what features bring; [`Socket::start`] sets it going.
pub struct Socket {
    handles: Handles,
    loops: Vec<(&'static str, Work)>,
    drains: Vec<(&'static str, Work)>,
}

impl Socket {
    /// An empty socket.
    pub fn new(handles: Handles) -> Self {
        Self { handles, loops: Vec::new(), drains: Vec::new() }
    }

    /// The tools of the platform.
    pub fn handles(&self) -> &Handles {
        &self.handles
    }

    /// Declares a live topic.
    pub fn topic(&mut self, topic: Topic) {
        self.handles.hub.topic(topic);
    }

    /// Adds a check to `/readyz`: its error says what is wrong.
    pub fn check<F, R>(&mut self, name: &'static str, check: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.handles.health.check(name, check);
    }

    /// Does the jobs of a kind; see [`jobs::enqueue`].
    pub fn job(&mut self, handler: impl jobs::Handler) {
        self.handles.jobs.add(handler);
    }

    /// Hears the facts of a topic. `name` is `feature.purpose`, one listener per concern; a fact
    /// may come twice. See [`bus::Bus::listen`].
    pub fn listen<F, R>(&mut self, name: &'static str, topic: &'static str, handler: F)
    where
        F: Fn(Fact) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.handles.bus.listen(name, topic, handler);
    }

    /// Adds a loop that runs from the start until [`Shutdown::stopping`]; one that panics or
    /// returns before that is started again. `name` is `feature.loop`.
    pub fn run<F, R>(&mut self, name: &'static str, body: F)
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.loops.push((name, work(body)));
    }

    /// Adds what is to be waited for when the server stops: it returns when the work that is under
    /// way has ended, and is dropped after 30 seconds.
    pub fn drain<F, R>(&mut self, name: &'static str, body: F)
    where
        F: Fn(Shutdown) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.drains.push((name, work(body)));
    }

    /// Starts every loop, the deliveries of the bus and the jobs.
    pub fn start(mut self) -> Running {
        let (bus, jobs) = (self.handles.bus.clone(), self.handles.jobs.clone());
        self.run("bus.deliver", move |shutdown| {
            let bus = bus.clone();
            async move {
                tokio::select! {
                    () = bus.run() => {}
                    () = shutdown.stopping() => {}
                }
            }
        });
        self.run("jobs.work", move |shutdown| {
            let jobs = jobs.clone();
            async move {
                jobs.run(shutdown.draining()).await;
                shutdown.stopping().await;
            }
        });
        let Self { handles, loops, drains } = self;
        let loops = loops
            .into_iter()
            .map(|(name, work)| {
                let supervised =
                    supervise(name, work, handles.clock.clone(), handles.shutdown.clone());
                (name, telemetry::spawn(name, supervised))
            })
            .collect();
        Running { handles, loops, drains }
    }
}

/// What runs.
pub struct Running {
    handles: Handles,
    loops: Vec<(&'static str, JoinHandle<()>)>,
    drains: Vec<(&'static str, Work)>,
}

impl Running {
    /// Begins nothing new and waits up to 30 seconds for what is under way.
    pub async fn drain(&mut self) {
        let Handles { shutdown, clock, .. } = &self.handles;
        shutdown.drain();
        let waits = self.drains.drain(..).map(|(name, work)| async move {
            tokio::select! {
                () = work(shutdown.clone()) => {}
                () = clock.sleep(DRAIN) => {
                    tracing::warn!(drain = name, "{name} had work left after {DRAIN:?}");
                }
            }
        });
        join_all(waits).await;
    }

    /// Ends everything: loops get five seconds to return, live connections are closed.
    pub async fn stop(self) {
        let Handles { shutdown, clock, hub, .. } = self.handles;
        shutdown.stop();
        hub.close_all();
        let waits = self.loops.into_iter().map(|(name, mut task)| {
            let clock = clock.clone();
            async move {
                tokio::select! {
                    _ = &mut task => {}
                    () = clock.sleep(RETURN) => {
                        tracing::warn!(r#loop = name, "{name} did not return and is dropped");
                        task.abort();
                    }
                }
            }
        });
        join_all(waits).await;
    }
}
