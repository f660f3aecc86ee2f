//! What can be watched: the newest jobs of the account.

use std::{collections::BTreeMap, sync::Arc};

use access::Permission;
use base::{Id, kind};
use host::Socket;
use http_kit::{Problem, Topic};
use serde_json::{Value, json};

use crate::{State, view::BackgroundJob};

/// Jobs that are shown as they change.
const NEWEST: i64 = 100;

/// Declares the topic, and has it follow the worker.
pub(crate) fn plug(state: &Arc<State>, socket: &mut Socket) {
    let of = Arc::clone(state);
    socket.topic(Topic::new("jobs", Permission::JobView, move |account, _| {
        let state = Arc::clone(&of);
        async move { snapshot(&state, account).await }
    }));
    let hub = state.handles.hub.clone();
    state.handles.jobs.on_change(move |account| hub.touch(account, "jobs"));
}

async fn snapshot(state: &State, account: Id<kind::Account>) -> http_kit::Result<Value> {
    let read = state.handles.db.read(move |tx| {
        Box::pin(async move { jobs::page(tx, account, None, i64::MAX, NEWEST).await })
    });
    let mut newest = BTreeMap::new();
    for row in read.await? {
        let (id, job) = (row.id.to_string(), BackgroundJob::new(row, &state.handles.jobs));
        newest.insert(id, serde_json::to_value(job).map_err(Problem::unexpected)?);
    }
    Ok(json!({ "jobs": newest }))
}
