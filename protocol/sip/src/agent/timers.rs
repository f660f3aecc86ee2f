//! Every timer of the agent, in one ordered map.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    time::Duration,
};

use base::Timestamp;
use sipx_sip::{Timer, TransactionKey};

use super::{CallKey, LineKey};

/// What falls due.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Due {
    /// A timer of a transaction.
    Transaction(TransactionKey, Timer),
    /// A timer of a call.
    Call(CallKey, CallTimer),
    /// A timer of a line.
    Line(LineKey, LineTimer),
}

/// Timers of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CallTimer {
    /// CANCEL was sent, and no final response came within 64·T1 (RFC 3261, 9.1).
    CancelOver,
    /// The call ended 64·T1 ago: nothing late is waited for any more.
    Forget,
    /// The session is to be refreshed, or was not (RFC 4028, 10).
    Session,
    /// Our 2xx to a re-INVITE was not acknowledged yet (RFC 3261, 13.3.1.4).
    RepeatSuccess,
}

/// Timers of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LineTimer {
    /// Time to register again.
    Register,
    /// Time to ask whether the line lives.
    Probe,
    /// The probe was not answered.
    Missed,
    /// The line was taken out long enough ago.
    Gone,
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    order: BTreeMap<(Timestamp, u64), Due>,
    index: HashMap<Due, (Timestamp, u64)>,
    count: u64,
}

impl Timers {
    /// Arms a timer, or moves it when it is armed.
    pub(super) fn arm(&mut self, now: Timestamp, after: Duration, due: Due) {
        self.count += 1;
        let at = (now.plus(after), self.count);
        if let Some(before) = self.index.insert(due.clone(), at) {
            self.order.remove(&before);
        }
        self.order.insert(at, due);
    }

    pub(super) fn disarm(&mut self, due: &Due) {
        if let Some(at) = self.index.remove(due) {
            self.order.remove(&at);
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.order.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let first = self.order.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let due = first.remove();
        self.index.remove(&due);
        Some(due)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}
