#![doc = include_str!("../README.md")]

mod agent;
mod callee;
mod digest;
pub mod sdp;
mod wire;

pub use agent::{
    Agent, Branches, CallFact, CallKey, Check, Config, Dropped, Effect, End, EndedBy, Event, Flow,
    Health, HealthState, Invite, Lack, LineConfig, LineFact, LineKey, Recovery, SavedDialog,
    Ticket,
};
pub use callee::{Callee, CalleeEffect, CalleeEvent, CalleeKey, number_of};
pub use digest::Credentials;
pub use wire::{MAX_MESSAGE, masked};
