//! A unit of work with the caller who waits for it.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;

use crate::{Error, Result, Tx, origin};

/// What the body of a unit is: `move |tx| Box::pin(async move { … })`.
pub(crate) trait Body<T>:
    for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + 'static
{
}

impl<T, F> Body<T> for F where
    F: for<'a> FnOnce(&'a mut Tx<'_>) -> BoxFuture<'a, Result<T>> + Send + 'static
{
}

/// A unit of work, whatever it returns.
pub(crate) trait Unit: Send {
    /// Does the work in the transaction of `tx`, without waiting. True when it is to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells the caller: the outcome of the work when the commit went well, else why it did not.
    fn finish(self: Box<Self>, commit: Result<()>);
}

/// A unit that has not run says why it never will; see [`Unit::finish`].
pub(crate) struct Waiting<T, F> {
    body: Option<F>,
    origin: Option<Arc<str>>,
    outcome: Result<T>,
    caller: oneshot::Sender<Result<T>>,
}

impl<T, F> Waiting<T, F>
where
    T: Send + 'static,
    F: Body<T>,
{
    pub(crate) fn pair(body: F) -> (Box<dyn Unit>, oneshot::Receiver<Result<T>>) {
        let (caller, answer) = oneshot::channel();
        let origin = origin::present();
        (Box::new(Self { body: Some(body), origin, outcome: Err(Error::Closed), caller }), answer)
    }
}

impl<T, F> Unit for Waiting<T, F>
where
    T: Send + 'static,
    F: Body<T>,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(body) = self.body.take() else { return false };
        tx.set_origin(self.origin.take());
        let ran = std::panic::catch_unwind(AssertUnwindSafe(|| body(tx).now_or_never()));
        self.outcome = match ran {
            Ok(Some(outcome)) => tx.sealed(outcome),
            Ok(None) => {
                tracing::error!("a unit of work awaited something other than the database");
                Err(Error::Db("a unit of work may await the database only".to_owned()))
            }
            Err(panic) => Err(panicked(panic.as_ref())),
        };
        self.outcome.is_ok()
    }

    fn finish(self: Box<Self>, commit: Result<()>) {
        // A caller who has gone away does not need the answer.
        let _ = self.caller.send(commit.and(self.outcome));
    }
}

/// Reports the panic of a unit.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    tracing::error!(panic = said, "a unit of work panicked and was rolled back");
    Error::Db(format!("a unit of work panicked: {said}"))
}
