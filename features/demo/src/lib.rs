#![doc = include_str!("../README.md")]

mod numbers;
mod parts;
mod routes;
mod store;

use std::sync::Arc;

use access::Permission;
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, ProblemInfo, routes};

pub use parts::{Later, NewCampaign, Parts, Person};

/// The feature.
pub struct Demo(Arc<State>);

pub(crate) struct State {
    pub(crate) handles: Handles,
    pub(crate) parts: Arc<dyn Parts>,
    /// Sets are made and removed one at a time: pressing twice makes nothing twice.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Demo {
    /// A demo whose parts are made by others.
    pub fn new(handles: Handles, parts: Arc<dyn Parts>) -> Self {
        Self(Arc::new(State { handles, parts, turn: tokio::sync::Mutex::new(()) }))
    }
}

/// The tables of the demo.
pub const fn chain() -> db::Chain {
    db::Chain {
        feature: "demo",
        migrations: &[db::Migration {
            name: "20261121123000_demo",
            sql: include_str!("../migrations/20261121123000_demo.sql"),
        }],
        views: "",
    }
}

impl Feature for Demo {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn chain(&self) -> db::Chain {
        chain()
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        Vec::new()
    }

    fn routes(&self) -> ApiRouter {
        ApiRouter::new()
            .with(Permission::Me, routes!(routes::steps::get_first_steps))
            .with(Permission::AccountManage, routes!(routes::dismiss::dismiss_first_steps))
            .with(Permission::AccountManage, routes!(routes::load::load_demo))
            .with(Permission::AccountManage, routes!(routes::remove::remove_demo))
            .with_state(Arc::clone(&self.0))
    }

    fn plug(&self, _: &mut Socket) {}
}
