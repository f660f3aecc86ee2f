#![doc = include_str!("../README.md")]

mod common;
mod csv;
mod extract;
mod fields;
mod front;
mod gate;
mod idempotency;
mod live;
mod page;
mod problem;
mod router;
mod site;
mod throttle;
mod time;

pub use common::CommonProblem;
pub use csv::{Csv, csv_guard};
pub use extract::{Json, Path, Query, Upload, present};
pub use fields::Fields;
pub use front::{App, Front, nonce, page_policy};
pub use gate::{Caller, Gate, Sessions, session_cookie, session_token};
pub use idempotency::Replies;
pub use live::{Close, Hub, Params, Topic};
pub use page::{Page, PageQuery};
pub use problem::{FieldError, Problem, ProblemBody, ProblemInfo, Result};
pub use router::{Access, ApiRouter, BODY_LIMIT, Route};
pub use site::{Encrypted, Knowing, Origins, Peer, Site};
pub use throttle::Throttle;
pub use time::Time;
pub use utoipa_axum::routes;

/// The tables of the kit.
pub fn chain() -> db::Chain {
    db::Chain {
        feature: "http-kit",
        migrations: &[db::Migration {
            name: "20261120100000_reply",
            sql: include_str!("../migrations/20261120100000_reply.sql"),
        }],
        views: "",
    }
}

/// The routes of the kit: the live connection.
pub fn live_routes() -> ApiRouter {
    ApiRouter::new().with(access::Permission::LiveConnect, routes!(live::live))
}
