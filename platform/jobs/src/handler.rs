//! Who does the jobs of a kind.

use std::{future::Future, time::Duration};

use futures::future::BoxFuture;

use crate::JobContext;

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
        why: String,
    },
    /// Never.
    Fail {
        /// What is wrong, in words for the person who wanted the work done.
        why: String,
    },
    /// Stopped because it was asked to.
    Cancelled,
}

/// Does the jobs of one kind.
pub trait Handler: Send + Sync + 'static {
    /// The kind, `feature.verb`, as given to [`crate::enqueue`].
    fn kind(&self) -> &'static str;

    /// Does one attempt, from `job.cursor` on. It is dropped at any await when the process ends or
    /// the lease is lost.
    fn run(&self, job: &JobContext) -> impl Future<Output = JobEnd> + Send;
}

/// A handler whose type is forgotten.
pub(crate) trait AnyHandler: Send + Sync {
    fn run<'a>(&'a self, job: &'a JobContext) -> BoxFuture<'a, JobEnd>;
}

impl<H: Handler> AnyHandler for H {
    fn run<'a>(&'a self, job: &'a JobContext) -> BoxFuture<'a, JobEnd> {
        Box::pin(Handler::run(self, job))
    }
}
