#![doc = include_str!("../README.md")]

mod problems;
mod retention;
mod routes;
mod topics;
mod view;

use std::sync::Arc;

use access::Permission;
use host::{Feature, Handles, Socket};
use http_kit::{ApiRouter, ProblemInfo, routes};

pub use problems::SystemProblem;

/// The feature.
pub struct System(Arc<State>);

pub(crate) struct State {
    pub(crate) handles: Handles,
}

impl System {
    /// The feature over the platform's handles.
    pub fn new(handles: Handles) -> Self {
        Self(Arc::new(State { handles }))
    }
}

/// It has no tables of its own.
pub const fn chain() -> db::Chain {
    db::Chain { feature: "system", migrations: &[], views: "" }
}

impl Feature for System {
    fn name(&self) -> &'static str {
        "system"
    }

    fn chain(&self) -> db::Chain {
        chain()
    }

    fn problems(&self) -> Vec<&'static [ProblemInfo]> {
        vec![SystemProblem::ALL]
    }

    fn routes(&self) -> ApiRouter {
        ApiRouter::new()
            .with(Permission::JobView, routes!(routes::jobs::list_jobs))
            .with(Permission::JobManage, routes!(routes::jobs::retry_job))
            .with(Permission::JobManage, routes!(routes::jobs::stop_job))
            .with(Permission::JobView, routes!(routes::schedules::list_schedules))
            .with(Permission::JobManage, routes!(routes::schedules::run_schedule))
            .with(Permission::AuditView, routes!(routes::audit::list_audit))
            .with(Permission::AuditExport, routes!(routes::audit::export_audit))
            .with(Permission::AuditView, routes!(routes::audit::get_audit_retention))
            .with(Permission::AuditView, routes!(routes::audit::get_audit_effect))
            .with(Permission::AccountManage, routes!(routes::audit::set_audit_retention))
            .with_state(Arc::clone(&self.0))
    }

    fn plug(&self, socket: &mut Socket) {
        topics::plug(&self.0, socket);
        socket.job(retention::Prune(Arc::clone(&self.0)));
    }
}
