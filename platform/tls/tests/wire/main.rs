//! Real handshakes and a directory that speaks RFC 8555, over the loopback.

mod acme;
mod client;
mod directory;
mod doors;
mod files;
mod local;
