//! Removes the people of a deleted list, in units that each are one commit.

use std::sync::Arc;

use ::jobs::{Cause, Handler, JobContext, JobEnd, Ways, Why};
use base::{Id, Timestamp, kind};
use clock::Ids;
use db::Tx;
use host::Handles;
use serde_json::json;

use crate::{
    State,
    routes::upload,
    store::{imports, lists},
};

const KIND: &str = "contacts.purge_list";

/// Contacts of one commit.
const UNIT: i64 = 500;

/// Puts the removal to work once the transaction is committed.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
    now: Timestamp,
) -> db::Result<Id<kind::Job>> {
    let dedupe = format!("purge:{list}");
    ::jobs::enqueue(tx, ids, account, KIND, json!({ "list": list }), Some(&dedupe), now).await
}

/// The job.
pub(crate) struct Purge(pub(crate) Arc<State>);

impl Handler for Purge {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: false, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        let Ok(list) = serde_json::from_value(job.payload["list"].clone()) else {
            return JobEnd::Fail { why: Why::new(Cause::Mistake, "the payload names no list") };
        };
        match remove(&self.0, job.account, list).await {
            Ok(()) => JobEnd::Done,
            Err(why) => JobEnd::Retry { after: crate::jobs::PAUSE, why },
        }
    }
}

async fn remove(
    state: &State,
    account: Id<kind::Account>,
    list: Id<kind::ContactList>,
) -> Result<(), Why> {
    let Handles { db, blob, .. } = &state.handles;
    let files = db
        .read(move |tx| Box::pin(async move { imports::files_of_list(tx, account, list).await }))
        .await?;
    for left in files {
        upload::remove(blob, &left).await?;
    }
    loop {
        let is_done = db
            .write(move |tx| {
                Box::pin(async move { lists::remove_some(tx, account, list, UNIT).await })
            })
            .await?;
        if is_done {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
}
