//! What leaves the media thread. Nothing here waits: what finds a queue full is lost and counted,
//! or kept for the next tick when it must not be lost.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError},
    },
};

use tokio::sync::mpsc::{self, error::TrySendError as EventError};

use crate::{
    ask::Event,
    gauge::Gauge,
    writer::{Job, Reply, Writer},
};

pub(crate) struct Outlet {
    jobs: Jobs,
    spare: Spare,
    gauge: Arc<Gauge>,
    /// Ends of recordings for a full queue; one per session at most.
    finishing: VecDeque<Job>,
    /// Events for full queues: two per session at most.
    telling: VecDeque<(mpsc::Sender<Event>, Event)>,
}

/// The way to the writer.
pub(crate) struct Jobs {
    queue: SyncSender<Job>,
    gauge: Arc<Gauge>,
}

/// Buffers that the writer has emptied.
pub(crate) struct Spare(Receiver<Vec<u8>>);

impl Outlet {
    pub(crate) fn new(writer: Writer, gauge: Arc<Gauge>) -> Self {
        Self {
            jobs: Jobs { queue: writer.jobs, gauge: Arc::clone(&gauge) },
            spare: Spare(writer.spare),
            gauge,
            finishing: VecDeque::new(),
            telling: VecDeque::new(),
        }
    }

    /// Both ends of the way of a recorded second.
    pub(crate) fn tape(&mut self) -> (&mut Jobs, &mut Spare) {
        (&mut self.jobs, &mut self.spare)
    }

    /// Sends a block; false when it is lost.
    pub(crate) fn block(&mut self, block: Job) -> bool {
        self.jobs.block(block)
    }

    pub(crate) fn finish(&mut self, finish: Job) {
        self.finishing.push_back(finish);
        self.retry_finishing();
    }

    pub(crate) fn closed(&mut self, reply: Reply) {
        self.gauge.closed();
        let (events, event) = reply.closed(None);
        self.tell(events, event);
    }

    pub(crate) fn digit(&mut self, events: &mpsc::Sender<Event>, event: Event) {
        if let Err(EventError::Full(_)) = events.try_send(event) {
            self.gauge.event_lost();
        }
    }

    /// Tells what must not be lost. A listener that is gone does not matter.
    pub(crate) fn tell(&mut self, events: mpsc::Sender<Event>, event: Event) {
        // Behind older news, so that the order of a session's events stays.
        if !self.telling.is_empty() {
            return self.telling.push_back((events, event));
        }
        if let Err(EventError::Full(event)) = events.try_send(event) {
            self.telling.push_back((events, event));
        }
    }

    /// Tries again what found a queue full.
    pub(crate) fn retry(&mut self) {
        self.retry_finishing();
        for (events, event) in std::mem::take(&mut self.telling) {
            self.tell(events, event);
        }
    }

    /// Whether [`Outlet::retry`] has anything to do.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.telling.is_empty() || !self.finishing.is_empty()
    }

    fn retry_finishing(&mut self) {
        while let Some(job) = self.finishing.pop_front() {
            match self.jobs.queue.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => return self.finishing.push_front(job),
                Err(TrySendError::Disconnected(_)) => {
                    tracing::error!("nobody writes recordings any more");
                }
            }
        }
    }
}

impl Jobs {
    pub(crate) fn block(&mut self, block: Job) -> bool {
        let sent = self.queue.try_send(block).is_ok();
        if !sent {
            self.gauge.block_lost();
        }
        sent
    }
}

impl Spare {
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.0.try_recv().unwrap_or_default()
    }
}
