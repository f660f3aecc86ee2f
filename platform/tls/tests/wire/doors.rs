//! The slow keep nobody out, and the end is orderly.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use http_kit::Peer;
use tls::{Config, Mode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::client::{Served, connect_from};

fn as_it_is(_: &mut Config) {}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn one_client_that_never_shakes_hands_keeps_nobody_out() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let browser = served.browser();
    let mut slow = Vec::new();
    for n in 0..32 {
        let mut stream = connect_from(ip("127.0.0.9"), served.address).await;
        if n % 2 == 0 {
            // Half of them begin a handshake and go no further.
            stream.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
        }
        slow.push(stream);
    }
    served.hand.until_asleep(32).await;
    // No more of this client: the connection is closed at once.
    let mut more = connect_from(ip("127.0.0.9"), served.address).await;
    assert_eq!(more.read(&mut [0]).await.unwrap_or(0), 0);
    // Everybody else is let in meanwhile.
    for from in ["127.0.0.1", "127.0.0.8"] {
        let mut open = browser.open_from(ip(from), served.address, "pbx.lan").await.unwrap();
        assert_eq!(open.get("/").await, "secure", "{from}");
    }
    served.hand.advance(Duration::from_secs(5));
    for stream in &mut slow {
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "closed after five seconds");
    }
    let mut open = browser.open_from(ip("127.0.0.9"), served.address, "pbx.lan").await.unwrap();
    assert_eq!(open.get("/").await, "secure");
}

#[tokio::test]
async fn an_end_lets_requests_finish_and_nobody_in() {
    let served = Served::new(Mode::Local, as_it_is).await;
    let (began, go_on, stop) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = served.tls.door(listener).unwrap();
    let handler = {
        let (began, go_on) = (Arc::clone(&began), Arc::clone(&go_on));
        move || {
            let (began, go_on) = (Arc::clone(&began), Arc::clone(&go_on));
            async move {
                began.notify_one();
                go_on.notified().await;
                "done"
            }
        }
    };
    let router = Router::new().route("/slow", get(handler));
    let service = router.into_make_service_with_connect_info::<Peer>();
    let stopping = Arc::clone(&stop);
    let http =
        axum::serve(door, service).with_graceful_shutdown(async move { stopping.notified().await });
    let http = telemetry::spawn("test.end", async move { http.await });
    let mut open = served.browser().open(address, "pbx.lan").await.unwrap();
    let asking = telemetry::spawn("test.ask", async move { open.get("/slow").await });
    began.notified().await;
    stop.notify_one();
    // The door is gone as soon as the server has seen it.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    assert_eq!(asking.await.unwrap(), "done");
    http.await.unwrap().unwrap();
}
