//! Named tasks whose panics are seen.

use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures::FutureExt;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument;

/// Starts `work` as a task of the current runtime. `name` is on every line that it logs. A panic
/// is logged and counted, and then reaches whoever awaits the handle; nobody else is stopped.
#[track_caller]
pub fn spawn<F>(name: &'static str, work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let watched = async move {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(done) => done,
            Err(panic) => {
                metrics::counter!("task_panics_total", "task" => name).increment(1);
                tracing::error!(task = name, panic = said(panic.as_ref()), "a task panicked");
                std::panic::resume_unwind(panic)
            }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
    tokio::spawn(watched.instrument(tracing::info_span!("task", task = name)))
}

/// As [`spawn`], for work that must not outlive who waits for it: when what is returned is dropped,
/// the task is aborted. The task goes on by itself while nobody polls for its end, so what it holds,
/// a connection of the database for one, is given back in time.
#[track_caller]
pub fn spawn_held<F>(name: &'static str, work: F) -> Held<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Held(spawn(name, work))
}

/// A task of [`spawn_held`]; a future of its end.
#[derive(Debug)]
pub struct Held<T>(JoinHandle<T>);

impl<T> Future for Held<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a panic said, when it said something readable.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_reaches_the_handle_and_nobody_else() {
        let bad = spawn("bad", async { panic!("on purpose") });
        let good = spawn("good", async { 7 });
        assert!(bad.await.unwrap_err().is_panic());
        assert_eq!(good.await.unwrap(), 7);
    }

    #[test]
    fn both_kinds_of_panic_message_are_read() {
        let text: Box<dyn Any + Send> = Box::new("text");
        let owned: Box<dyn Any + Send> = Box::new("owned".to_owned());
        let other: Box<dyn Any + Send> = Box::new(7);
        assert_eq!(said(text.as_ref()), "text");
        assert_eq!(said(owned.as_ref()), "owned");
        assert_eq!(said(other.as_ref()), "(no message)");
    }
}
