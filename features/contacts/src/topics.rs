//! What can be watched: a list's counters, and an import's progress.

use std::sync::Arc;

use access::Permission;
use base::{Id, kind};
use host::Socket;
use http_kit::{Problem, Topic};
use serde::Serialize;
use serde_json::Value;

use crate::{
    State,
    routes::{Import, lists, sources, upload},
};

/// Declares the topics.
pub(crate) fn plug(state: &Arc<State>, socket: &mut Socket) {
    let of_list = Arc::clone(state);
    socket.topic(Topic::new("list:{id}", Permission::ListView, move |account, params| {
        let state = Arc::clone(&of_list);
        async move {
            let id: Id<kind::ContactList> = params.get("id")?;
            json(lists::read(&state, account, id).await?)
        }
    }));
    let of_source = Arc::clone(state);
    socket.topic(Topic::new("source:{id}", Permission::ListView, move |account, params| {
        let state = Arc::clone(&of_source);
        async move {
            let id: Id<kind::ContactSource> = params.get("id")?;
            json(sources::read(&state, account, id).await?)
        }
    }));
    let of_import = Arc::clone(state);
    socket.topic(Topic::new("import:{id}", Permission::ListView, move |account, params| {
        let state = Arc::clone(&of_import);
        async move {
            let id: Id<kind::Import> = params.get("id")?;
            json(Import::from(upload::find(&state, account, id).await?))
        }
    }));
}

fn json(value: impl Serialize) -> http_kit::Result<Value> {
    serde_json::to_value(value).map_err(Problem::unexpected)
}
