#![doc = include_str!("../README.md")]

mod permission;
mod role;
mod set;

pub use permission::{Permission, UnknownPermission};
pub use role::{Role, UnknownRole};
pub use set::PermissionSet;
