#![doc = include_str!("../README.md")]

mod aliases;
mod contact;
mod do_not_call;
mod file;
mod jobs;
mod mapping;
mod merge;
mod phone;
mod plant;
mod problems;
mod reason;
mod rejected;
mod routes;
mod seed;
mod source;
mod store;
mod topics;
mod uses;
mod workbook;

use std::sync::Arc;

use access::Permission;
use base::{Id, kind};
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, Caller, ProblemInfo, routes};
use tokio::sync::Semaphore;

pub use problems::ContactProblem;
pub use seed::NewContact;
pub use source::load::Google;
pub use uses::{ListUses, NoUses};

/// The largest file that an import takes: 200 MB.
pub const LARGEST_FILE: u64 = 200 * 1000 * 1000;

/// The feature: contact lists, imports and the do-not-call list. Cheap to clone.
#[derive(Clone)]
pub struct Contacts(Arc<State>);

/// What routes and jobs work with.
pub(crate) struct State {
    pub(crate) handles: Handles,
    pub(crate) uses: Arc<dyn ListUses>,
    pub(crate) google: Google,
    /// Workbooks that are unpacked at the same time: one, for each may take a hundred megabytes.
    pub(crate) unpacking: Arc<Semaphore>,
    pub(crate) plants: plant::Plants,
}

impl Contacts {
    /// The feature with the platform's tools and somebody who knows which lists are in use.
    pub fn new(handles: Handles, uses: Arc<dyn ListUses>) -> Self {
        Self::with_google(handles, uses, Google::default())
    }

    /// As [`Contacts::new`], with sheets asked for elsewhere; for tests.
    pub fn with_google(handles: Handles, uses: Arc<dyn ListUses>, google: Google) -> Self {
        let unpacking = Arc::new(Semaphore::new(1));
        let plants = plant::Plants::from_env();
        Self(Arc::new(State { handles, uses, google, unpacking, plants }))
    }

    /// Makes a list of these contacts, under a free name.
    pub async fn add_list(
        &self,
        by: &Caller,
        name: &str,
        contacts: Vec<NewContact>,
    ) -> http_kit::Result<Id<kind::ContactList>> {
        seed::add(&self.0, by, name, contacts).await
    }

    /// Removes a list as its route does. One that is gone is no error.
    pub async fn remove_list(
        &self,
        by: &Caller,
        list: Id<kind::ContactList>,
    ) -> http_kit::Result<()> {
        seed::remove(&self.0, by, list).await
    }
}

/// The tables of contacts and the views that others may read.
pub fn chain() -> db::Chain {
    db::Chain {
        feature: "contacts",
        migrations: &[
            db::Migration {
                name: "20261120120000_contacts",
                sql: include_str!("../migrations/20261120120000_contacts.sql"),
            },
            db::Migration {
                name: "20261122090000_do_not_call_entry",
                sql: include_str!("../migrations/20261122090000_do_not_call_entry.sql"),
            },
            db::Migration {
                name: "20261122100000_source",
                sql: include_str!("../migrations/20261122100000_source.sql"),
            },
            db::Migration {
                name: "20261123110000_mapping_preset",
                sql: include_str!("../migrations/20261123110000_mapping_preset.sql"),
            },
        ],
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
        use crate::routes::{
            contacts, do_not_call, imports, lists, rejected, sources, template, test_load, upload,
        };
        ApiRouter::new()
            .with(Permission::ListView, routes!(lists::list_lists))
            .with(Permission::ListEdit, routes!(lists::create_list))
            .with(Permission::ListView, routes!(lists::get_list))
            .with(Permission::ListEdit, routes!(lists::rename_list))
            .with(Permission::ListEdit, routes!(lists::delete_list))
            .with(Permission::ListView, routes!(contacts::list_contacts))
            .with(Permission::ListView, routes!(template::get_template))
            .with(Permission::ListView, routes!(template::get_workbook_template))
            .upload(Permission::ListEdit, LARGEST_FILE, routes!(upload::create_import))
            .with(Permission::ListView, routes!(imports::list_imports))
            .with(Permission::ListView, routes!(imports::get_import))
            .with(Permission::ListEdit, routes!(imports::change_import))
            .with(Permission::ListEdit, routes!(imports::start_import))
            .with(Permission::ListEdit, routes!(imports::cancel_import))
            .with(Permission::ListExport, routes!(rejected::get_rejected))
            .merge(do_not_call::routes())
            .with(Permission::ListView, routes!(sources::list_sources))
            .with(Permission::ListEdit, routes!(sources::create_source))
            .with(Permission::ListEdit, routes!(test_load::test_source))
            .with(Permission::ListView, routes!(sources::get_source))
            .with(Permission::ListEdit, routes!(sources::change_source))
            .with(Permission::ListEdit, routes!(sources::delete_source))
            .with(Permission::ListEdit, routes!(sources::pull_source))
            .with(Permission::ListView, routes!(sources::list_pulls))
            .with(Permission::ListEdit, routes!(sources::get_pull_raw))
            .with_state(Arc::clone(&self.0))
    }

    fn plug(&self, socket: &mut Socket) {
        topics::plug(&self.0, socket);
        jobs::plug(&self.0, socket);
    }
}
