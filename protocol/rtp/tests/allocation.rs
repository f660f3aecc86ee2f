//! A packet costs no allocation: at 50,000 a second it would be most of the work.
#![expect(unsafe_code, reason = "an allocator that counts can be written in no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};

use rtp::{Codec, Header, MediaSession, NtpTime, Seed, Terms};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_minute_of_playing_recording_and_relaying_allocates_nothing() {
    let seed = Seed { ssrc: 1, sequence: 0, timestamp: 0 };
    let mut a = MediaSession::new(seed, NtpTime::default());
    let mut b = MediaSession::new(Seed { ssrc: 2, ..seed }, NtpTime::default());
    let terms = Terms { codec: Codec::Pcmu, digits: Some(101), send: true, mux: true };
    a.agree(Duration::ZERO, terms, &mut |_| {});
    b.agree(Duration::ZERO, terms, &mut |_| {});
    a.record(Duration::ZERO);
    a.join(true);
    a.play(Duration::ZERO, vec![1; 60 * 8_000].into());
    let mut packet = [1; 172];
    let mut outputs = 0;
    let before = COUNT.get();
    for n in 0..3_000_u32 {
        let now = Duration::from_millis(20) * n;
        Header { marker: false, payload_type: 0, sequence: n as u16, timestamp: n * 160, ssrc: 9 }
            .write(&mut packet);
        a.handle(now, &mut packet, &mut |_| outputs += 1);
        a.tick(now, &mut |_| outputs += 1);
        b.relay(now, &mut packet, &mut |_| outputs += 1);
    }
    assert_eq!(COUNT.get() - before, 0);
    assert!(outputs > 5 * 3_000);
}
