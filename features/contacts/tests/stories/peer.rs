//! Somebody else's server: answers on the loopback, as a test tells it to.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

type Answers = Arc<Mutex<Box<dyn FnMut(&str) -> (u16, String) + Send>>>;

/// The server, and what it was asked.
#[derive(Clone)]
pub(crate) struct Peer {
    at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    answers: Answers,
}

impl Peer {
    /// Begins to listen.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let answers: Answers = Arc::new(Mutex::new(Box::new(|_| (404, String::new()))));
        let peer = Self { at, heard: Arc::default(), answers };
        let this = peer.clone();
        telemetry::spawn("test.peer", async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut piece = [0; 8192];
                while !whole(&request) {
                    match stream.read(&mut piece).await {
                        Ok(n) if n > 0 => request.extend_from_slice(&piece[..n]),
                        _ => break,
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let (status, body) = (this.answers.lock())(&request);
                this.heard.lock().push(request);
                let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    body.len()
                );
                // Who asked may have gone.
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        peer
    }

    /// What is answered from now on.
    pub(crate) fn answer(&self, answer: impl FnMut(&str) -> (u16, String) + Send + 'static) {
        *self.answers.lock() = Box::new(answer);
    }

    /// The same to everybody.
    pub(crate) fn says(&self, status: u16, body: impl Into<String>) {
        let body = body.into();
        self.answer(move |_| (status, body.clone()));
    }

    /// Where it is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// What it was asked since the last time.
    pub(crate) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock())
    }
}

/// Whether a request has come to its end.
fn whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(0);
    request.len() >= end + 4 + length
}
