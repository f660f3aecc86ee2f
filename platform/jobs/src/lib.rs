#![doc = include_str!("../README.md")]

mod context;
mod handler;
mod schedule;
mod store;
mod why;
mod worker;

use db::{Chain, Migration};

pub use context::JobContext;
pub use handler::{Handler, JobEnd, Ways};
pub use schedule::{ScheduleView, ensure, next_at, run_now, schedule, schedules, unschedule};
pub use store::{JobState, JobView, cancel, enqueue, hurry, page, stop, view};
pub use why::{Cause, Why};
pub use worker::Jobs;

/// The table of jobs.
pub const fn chain() -> Chain {
    Chain {
        feature: "jobs",
        migrations: &[
            Migration {
                name: "20261120120000_job",
                sql: include_str!("../migrations/20261120120000_job.sql"),
            },
            Migration {
                name: "20261121121001_progressed",
                sql: include_str!("../migrations/20261121121001_progressed.sql"),
            },
            Migration {
                name: "20261121130000_schedule",
                sql: include_str!("../migrations/20261121130000_schedule.sql"),
            },
            Migration {
                name: "20261123090000_page",
                sql: include_str!("../migrations/20261123090000_page.sql"),
            },
            Migration {
                name: "20261124090000_why",
                sql: include_str!("../migrations/20261124090000_why.sql"),
            },
        ],
        views: "",
    }
}
