//! Addresses that people type in lead to the open internet, or nowhere.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Database, known_plant, world::World};

/// This computer and private networks, in every notation; `PORT` is where the trap listens.
const ADDRESSES: &[&str] = &[
    "http://127.0.0.1:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0x0.0x0.0x1:PORT/",
    "http://0X7F.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://017700000001:PORT/",
    "http://00000177.1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127。0。0。1:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://127.255.255.254:PORT/",
    "http://[::1]:PORT/",
    "http://[0000:0000::0001]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fd00::1]:PORT/",
    "http://[fec0::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://10.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
];

/// What is refused before any address is looked at.
const TRICKS: &[&str] = &[
    "http://localhost@127.0.0.1:PORT/",
    "http://localhost:80@127.0.0.1:PORT/",
    "http://:word@localhost:PORT/",
    "ftp://localhost:PORT/",
    "file:///etc/passwd",
    "gopher://localhost:PORT/",
    "//127.0.0.1:PORT/",
    "http:///",
];

pub(super) fn run(plant: Option<&str>) -> Result<()> {
    known_plant(plant, &["allow-all"])?;
    let trap = Trap::new()?;
    let mut world = World::new("ssrf", Database::Sqlite)?;
    let allowed = match plant {
        // Everything is the owner's network.
        Some(_) => "localhost 0.0.0.0/0 ::/0",
        None => "localhost",
    };
    world.start_and_set_up(&[("SWITCHBELL_ALLOWED_HOSTS", allowed)])?;
    let list = world.client.post("/lists", &json!({ "name": "L" }))?;
    let path = format!("/lists/{}/sources/test", list["id"].as_str().context("no id")?);
    let test = |url: &str| -> Result<Value> {
        let settings = json!({ "kind": "feed", "url": url, "region": "UA", "timeout_s": 5 });
        world.client.post(&path, &json!({ "settings": settings }))
    };
    for address in ADDRESSES {
        let url = address.replace("PORT", &trap.port.to_string());
        refused(&test(&url)?, &url)?;
    }
    for trick in TRICKS {
        let url = trick.replace("PORT", &trap.port.to_string());
        ensure!(test(&url).is_err(), "{url} was not refused as it stands");
    }
    ensure!(trap.touched() == 0, "the trap was touched {} times", trap.touched());
    let mut redirects = 0;
    for address in ADDRESSES.iter().chain(["file:///etc/passwd", "http://a:b@127.0.0.1/"].iter()) {
        let target = address.replace("PORT", &trap.port.to_string());
        trap.redirect(&target);
        let told = test(&format!("http://localhost:{}/", trap.port))?;
        ensure!(told["fault"]["code"].is_string(), "a redirect to {target} was followed: {told}");
        ensure!(
            told["fault"]["params"]["redirected_to"].is_string(),
            "a redirect to {target}: {told}"
        );
        redirects += 1;
    }
    ensure!(trap.touched() == redirects, "a redirect led to the trap");
    trap.serve();
    let told = test(&format!("http://localhost:{}/", trap.port))?;
    ensure!(told["rows"] == 1, "the allowed host was not served: {told}");
    println!(
        "ssrf: {} addresses, {} tricks and {redirects} redirects refused, 0 reached; the allowed \
         host served {} row",
        ADDRESSES.len(),
        TRICKS.len(),
        told["rows"]
    );
    world.stop()
}

fn refused(told: &Value, url: &str) -> Result<()> {
    match told["fault"]["code"].as_str() {
        Some("address") => Ok(()),
        code => bail!("{url} was not refused for its address: {}", code.unwrap_or("no fault")),
    }
}

/// A server on the loopback that counts who comes.
struct Trap {
    port: u16,
    touched: Arc<AtomicUsize>,
    answer: Arc<Mutex<String>>,
}

impl Trap {
    fn new() -> Result<Self> {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = first.local_addr()?.port();
        let trap = Self { port, touched: Arc::default(), answer: Arc::default() };
        trap.serve();
        trap.listen(first);
        // A computer without IPv6 has no trap there.
        if let Ok(second) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
            trap.listen(second);
        }
        Ok(trap)
    }

    fn listen(&self, listener: TcpListener) {
        let (touched, answer) = (Arc::clone(&self.touched), Arc::clone(&self.answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                touched.fetch_add(1, Ordering::SeqCst);
                let text = answer.lock().map(|text| text.clone()).unwrap_or_default();
                // Who came may have gone.
                let _ = reply(stream, &text);
            }
        });
    }

    fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }

    fn say(&self, text: String) {
        if let Ok(mut answer) = self.answer.lock() {
            *answer = text;
        }
    }

    fn redirect(&self, to: &str) {
        self.say(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ));
    }

    fn serve(&self) {
        let body = r#"[{"id":1,"phone":"+380931234567","name":"N"}]"#;
        self.say(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        ));
    }
}

fn reply(mut stream: TcpStream, text: &str) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    stream.write_all(text.as_bytes())?;
    Ok(())
}
