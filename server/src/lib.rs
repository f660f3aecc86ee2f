#![doc = include_str!("../README.md")]

pub mod admin;
pub mod assemble;
pub mod boot;
pub mod features;
mod pages;
pub mod platform;
mod probes;
pub mod serve;
mod trust;
mod wiring;
