#![doc = include_str!("../README.md")]

mod address;
mod allowed;
mod client;
mod fault;
mod guard;

pub use address::{Network, judge};
pub use allowed::{Allowed, NotAHost};
pub use client::{Answer, Ask, MOST_REDIRECTS, Outbound};
pub use fault::Fault;
pub use guard::{Lookup, SystemLookup};
