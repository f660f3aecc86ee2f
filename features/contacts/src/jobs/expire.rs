//! Takes numbers off the do-not-call list when their time is over.
//!
//! Nothing waits for it: whoever asks compares the end of an entry with the clock. The job tells
//! those who had set contacts aside, and keeps the counters of lists right.

use std::sync::Arc;

use ::jobs::{Handler, JobContext, JobEnd, Ways};
use base::{Id, Timestamp, kind};
use clock::Ids;
use db::Tx;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use serde_json::json;

use crate::{
    State, do_not_call,
    store::do_not_call::{self as store, Scope},
};

const KIND: &str = "contacts.expire_do_not_call";

/// Looks at the account's entries at the moment at which one ends.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    ids: &Ids,
    account: Id<kind::Account>,
    at: Timestamp,
) -> db::Result<()> {
    let dedupe = format!("do_not_call:{account}:{}", at.micros());
    ::jobs::enqueue(tx, ids, account, KIND, json!({}), Some(&dedupe), at).await.map(drop)
}

/// The job.
pub(crate) struct Expire(pub(crate) Arc<State>);

impl Handler for Expire {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn ways(&self) -> Ways {
        Ways { stop: false, again: true }
    }

    async fn run(&self, job: &JobContext) -> JobEnd {
        match take_off(&self.0, job.account).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { after: super::PAUSE, why: error.into() },
        }
    }
}

async fn take_off(state: &State, account: Id<kind::Account>) -> db::Result<()> {
    let Handles { db, ids, clock, hub, .. } = &state.handles;
    loop {
        let (ids, now) = (ids.clone(), clock.now());
        let lists = db.write(move |tx| Box::pin(unit(tx, ids.clone(), account, now))).await?;
        let Some(lists) = lists else { return Ok(()) };
        for list in lists {
            hub.touch(account, &format!("list:{list}"));
        }
        tokio::task::yield_now().await;
    }
}

/// One unit of work: the lists that have numbers whose entries ended, or nothing when none did.
async fn unit(
    tx: &mut Tx<'_>,
    ids: Ids,
    account: Id<kind::Account>,
    now: Timestamp,
) -> db::Result<Option<Vec<Id<kind::ContactList>>>> {
    store::lock_importing_lists(tx, account).await?;
    let ended = store::expire(tx, account, now).await?;
    let Some(first) = ended.first() else { return Ok(None) };
    let scope = Scope::of(&first.scope, first.target)
        .ok_or_else(|| db::Error::Decode(format!("{:?} as a scope", first.scope)))?;
    for entry in &ended {
        do_not_call::tell(tx, &ids, account, &entry.phone, scope, entry.version).await?;
        let detail = json!({ "scope": scope.word(), "target": scope.target().to_string() });
        let subject = format!("phone:{}", entry.phone);
        let action = "do_not_call.expire";
        let row = AuditEntry { account, user: None, action, subject, detail };
        audit::record(tx, &ids, row, now).await?;
    }
    let phones: Vec<_> = ended.into_iter().map(|entry| entry.phone).collect();
    store::recount(tx, account, &phones, scope, -1).await?;
    Ok(Some(store::lists_with(tx, account, &phones).await?))
}
