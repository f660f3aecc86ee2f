//! Where a wish came from, told to the units of work that it begins.

use std::{future::Future, sync::Arc};

tokio::task_local! {
    static ORIGIN: Arc<str>;
}

/// Does `work`; every unit that it begins in its own task has `from` as [`crate::Tx::origin`].
pub async fn scope<F: Future>(from: Arc<str>, work: F) -> F::Output {
    ORIGIN.scope(from, work).await
}

/// Takes the origin of the present task along: for work that is done in a task of its own.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let origin = present();
    async move {
        match origin {
            Some(origin) => scope(origin, work).await,
            None => work.await,
        }
    }
}

/// The origin of the present task, if it has one.
pub(crate) fn present() -> Option<Arc<str>> {
    ORIGIN.try_with(Arc::clone).ok()
}
