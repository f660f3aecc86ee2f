//! What the kernel alone costs: a connected `send` and `recv` of one packet of sound, in
//! microseconds of processor time. No relay in user space gets below it.
//!
//! `cargo run -p media --example floor --release -- packets=1000000`

#[path = "support/mod.rs"]
mod support;

use std::{io, net::UdpSocket};

fn main() -> io::Result<()> {
    let packets: u32 = support::argument("packets", 1_000_000);
    let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    one.connect(other.local_addr()?)?;
    other.connect(one.local_addr()?)?;
    let mut packet = [0x55; 172];
    let mut rounds = || -> io::Result<()> {
        one.send(&packet)?;
        other.recv(&mut packet).map(drop)
    };
    for _ in 0..10_000 {
        rounds()?;
    }
    let before = support::own_processor_time()?;
    for _ in 0..packets {
        rounds()?;
    }
    let spent = support::own_processor_time()?.saturating_sub(before);
    let micros = spent.as_secs_f64() * 1e6 / f64::from(packets);
    support::say(format_args!("floor packets={packets} F_us={micros:.3}"))
}
