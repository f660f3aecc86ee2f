//! Who does the jobs of a kind.

use std::{future::Future, time::Duration};

use futures::future::BoxFuture;

use crate::{JobContext, Why};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// The work is done.
    Done,
    /// Not this time.
    Retry {
        /// How long to wait before the next attempt.
        after: Duration,
        /// What stood in the way.
        why: Why,
    },
    /// Never.
    Fail {
        /// What is wrong.
        why: Why,
    },
    /// Stopped because it was asked to.
    Cancelled,
}

/// What a person may ask of the jobs of a kind in the list of jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// It may be stopped by [`crate::stop`]: the handler looks at [`JobContext::is_cancelled`] from
    /// its first step on, ends what the job was for in words of its own, and returns
    /// [`JobEnd::Cancelled`]. Until it does, it is asked again.
    pub stop: bool,
    /// One that failed may be done again, from its cursor on.
    pub again: bool,
}

/// Does the jobs of one kind.
pub trait Handler: Send + Sync + 'static {
    /// The kind, `feature.verb`, as given to [`crate::enqueue`].
    fn kind(&self) -> &'static str;

    /// What a person may ask of its jobs; nothing, unless the handler says so.
    fn ways(&self) -> Ways {
        Ways::default()
    }

    /// Does one attempt, from `job.cursor` on. It is dropped at any await when the process ends or
    /// the lease is lost.
    fn run(&self, job: &JobContext) -> impl Future<Output = JobEnd> + Send;
}

/// A handler whose type is forgotten.
pub(crate) trait AnyHandler: Send + Sync {
    fn ways(&self) -> Ways;
    fn run<'a>(&'a self, job: &'a JobContext) -> BoxFuture<'a, JobEnd>;
}

impl<H: Handler> AnyHandler for H {
    fn ways(&self) -> Ways {
        Handler::ways(self)
    }

    fn run<'a>(&'a self, job: &'a JobContext) -> BoxFuture<'a, JobEnd> {
        Box::pin(Handler::run(self, job))
    }
}
