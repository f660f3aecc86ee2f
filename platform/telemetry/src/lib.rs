#![doc = include_str!("../README.md")]

mod health;
mod log;
mod numbers;
mod task;

pub use health::{Health, Trouble};
pub use log::{Format, InitError, Options, init};
pub use numbers::{Metrics, metrics};
pub use task::{Held, spawn, spawn_held};
