#![doc = include_str!("../README.md")]

pub mod audit;
mod feature;
mod handles;
pub mod plant;
pub mod retention;
mod shutdown;
mod socket;
mod supervise;
pub mod testing;
mod why;

pub use feature::Feature;
pub use handles::Handles;
pub use shutdown::Shutdown;
pub use socket::{Running, Socket};
pub use why::why;

/// The tables of the host: the audit trail.
pub fn chain() -> db::Chain {
    db::Chain {
        feature: "host",
        migrations: &[
            db::Migration {
                name: "20261120110000_audit",
                sql: include_str!("../migrations/20261120110000_audit.sql"),
            },
            db::Migration {
                name: "20261123090000_audit_page",
                sql: include_str!("../migrations/20261123090000_audit_page.sql"),
            },
        ],
        views: "",
    }
}
