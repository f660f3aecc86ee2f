//! Handing the facts of one subject to those who listen.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;

use crate::{
    Bus, Fact, Listener,
    store::{self, Subject},
};

/// A listener that has not answered by now counts as failed.
const PATIENCE: Duration = Duration::from_mins(1);

impl Bus {
    /// Delivers the next facts of `subject` in order, up to the first that is refused, and returns
    /// how many were delivered.
    pub(crate) async fn deliver(&self, subject: &Subject) -> db::Result<usize> {
        let mut delivered = Vec::new();
        let mut refused = None;
        for (fact, failures) in store::next(&self.db, subject).await? {
            if self.hand_over(&fact).await {
                delivered.push(fact.id);
            } else {
                refused = Some((fact.id, failures + 1));
                break;
            }
        }
        let count = delivered.len();
        if count > 0 {
            store::delivered(&self.db, delivered.clone()).await?;
            metrics::counter!("facts_delivered_total").increment(count as u64);
            let mut taken = self.taken.lock();
            for id in delivered {
                taken.retain(|(fact, _)| *fact != id.raw());
            }
        }
        if let Some((id, failures)) = refused {
            store::refused(&self.db, id, failures, self.clock.now()).await?;
        }
        Ok(count)
    }

    /// Whether every listener has taken the fact.
    async fn hand_over(&self, fact: &Fact) -> bool {
        let topic = fact.topic();
        let listeners: Vec<Listener> =
            self.listeners.read().iter().filter(|l| l.topic == topic).cloned().collect();
        let mut whole = true;
        for listener in listeners {
            let mark = (fact.id.raw(), listener.name);
            if self.taken.lock().contains(&mark) {
                continue;
            }
            match self.ask(&listener, fact).await {
                Ok(()) => {
                    self.taken.lock().insert(mark);
                }
                Err(reason) => {
                    whole = false;
                    metrics::counter!("facts_refused_total", "listener" => listener.name)
                        .increment(1);
                    tracing::warn!(
                        listener = listener.name,
                        fact.id = %fact.id,
                        fact.subject,
                        reason,
                        "{} refused a fact",
                        listener.name
                    );
                }
            }
        }
        whole
    }

    async fn ask(&self, listener: &Listener, fact: &Fact) -> Result<(), String> {
        // The call itself may panic too, so it is made inside.
        let asked = AssertUnwindSafe(async { (listener.handler)(fact.clone()).await });
        match self.clock.timeout(PATIENCE, asked.catch_unwind()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("it panicked".to_owned()),
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }
}
