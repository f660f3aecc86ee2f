#![doc = include_str!("../README.md")]

mod aliases;
mod contact;
mod file;
mod jobs;
mod mapping;
mod merge;
mod phone;
mod problems;
mod reason;
mod rejected;
mod routes;
mod store;
mod topics;
mod uses;

use std::sync::Arc;

use access::Permission;
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, ProblemInfo, routes};

pub use problems::ContactProblem;
pub use uses::{ListUses, NoUses};

/// The largest file that an import takes: 200 MB.
pub const LARGEST_FILE: u64 = 200 * 1000 * 1000;

/// The feature: contact lists, imports and the do-not-call list.
pub struct Contacts(Arc<State>);

/// What routes and jobs work with.
pub(crate) struct State {
    pub(crate) handles: Handles,
    pub(crate) uses: Arc<dyn ListUses>,
}

impl Contacts {
    /// The feature with the platform's tools and somebody who knows which lists are in use.
    pub fn new(handles: Handles, uses: Arc<dyn ListUses>) -> Self {
        Self(Arc::new(State { handles, uses }))
    }
}

/// The tables of contacts and the views that others may read.
pub fn chain() -> db::Chain {
    db::Chain {
        feature: "contacts",
        migrations: &[db::Migration {
            name: "20261120120000_contacts",
            sql: include_str!("../migrations/20261120120000_contacts.sql"),
        }],
        views: include_str!("../migrations/views.sql"),
    }
}

impl Feature for Contacts {
    fn name(&self) -> &'static str {
        "contacts"
    }

    fn chain(&self) -> db::Chain {
        chain()
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        vec![ContactProblem::ALL]
    }

    fn routes(&self) -> ApiRouter {
        use crate::routes::{contacts, do_not_call, imports, lists, rejected, template, upload};
        ApiRouter::new()
            .with(Permission::ListView, routes!(lists::list_lists))
            .with(Permission::ListEdit, routes!(lists::create_list))
            .with(Permission::ListView, routes!(lists::get_list))
            .with(Permission::ListEdit, routes!(lists::rename_list))
            .with(Permission::ListEdit, routes!(lists::delete_list))
            .with(Permission::ListView, routes!(contacts::list_contacts))
            .with(Permission::ListView, routes!(template::get_template))
            .upload(Permission::ListEdit, LARGEST_FILE, routes!(upload::create_import))
            .with(Permission::ListView, routes!(imports::list_imports))
            .with(Permission::ListView, routes!(imports::get_import))
            .with(Permission::ListEdit, routes!(imports::change_import))
            .with(Permission::ListEdit, routes!(imports::start_import))
            .with(Permission::ListEdit, routes!(imports::cancel_import))
            .with(Permission::ListExport, routes!(rejected::get_rejected))
            .with(Permission::ListEdit, routes!(do_not_call::forbid_calls))
            .with(Permission::ListEdit, routes!(do_not_call::allow_calls))
            .with_state(Arc::clone(&self.0))
    }

    fn plug(&self, socket: &mut Socket) {
        topics::plug(&self.0, socket);
        jobs::plug(&self.0, socket);
    }
}
