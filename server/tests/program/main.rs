//! The assembled program, as others see it.

mod house;
mod live;
mod routes;
