//! The assembled program, as others see it.

mod demo;
mod house;
mod https;
mod live;
mod routes;
mod trail;
mod words;
