//! The live connection over a real socket, from the upgrade to the close frame.

use std::time::Duration;

use axum::extract::ws::close_code;
use futures::{SinkExt as _, StreamExt as _};
use host::testing::Desk;
use http_kit::Peer;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::house::{House, id};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The program, listening on a free port.
async fn listening(db: db::Db) -> (House, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let house = House::new(db, &address).await;
    let service = house.router.clone().into_make_service_with_connect_info::<Peer>();
    telemetry::spawn("test.http", async move { axum::serve(listener, service).await });
    (house, address)
}

/// Opens a connection with a session token and an origin. The status when it is refused.
async fn open(address: &str, token: Option<&str>, origin: Option<&str>) -> Result<Socket, u16> {
    let mut request = format!("ws://{address}/api/v1/live").into_client_request().unwrap();
    let headers = request.headers_mut();
    if let Some(token) = token {
        headers.insert("cookie", format!("sb_session={token}").parse().unwrap());
    }
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn connect(address: &str, desk: &Desk) -> Socket {
    open(address, desk.token(), Some(&format!("http://{address}"))).await.unwrap()
}

async fn say(socket: &mut Socket, wish: Value) {
    socket.send(Message::text(wish.to_string())).await.unwrap();
}

/// The next JSON message.
async fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                panic!("{other:?}")
            }
        }
    }
}

/// The code of the close frame, after whatever comes before it.
async fn farewell(socket: &mut Socket) -> u16 {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(frame) => return frame.unwrap().code.into(),
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Binary(_) | Message::Frame(_)) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn only_a_signed_in_page_of_ours_gets_a_connection() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        let (own, token) = (format!("http://{address}"), house.owner.token());
        assert_eq!(open(&address, None, Some(&own)).await.unwrap_err(), 401);
        assert_eq!(open(&address, token, None).await.unwrap_err(), 403);
        assert_eq!(open(&address, token, Some("http://evil.example")).await.unwrap_err(), 403);
        assert_eq!(open(&address, token, Some("null")).await.unwrap_err(), 403);
        open(&address, token, Some(&own)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_watched_list_sends_its_snapshot_and_then_what_changed() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        let list = id(&house.owner.post("/lists", json!({ "name": "People" })).await.ok());
        let topic = format!("list:{list}");
        let mut socket = connect(&address, &house.owner).await;
        say(&mut socket, json!({ "subscribe": topic })).await;
        let first = hear(&mut socket).await;
        assert_eq!(first["topic"], topic);
        assert_eq!(first["seq"], 1);
        assert_eq!(first["snapshot"]["name"], "People");
        let path = format!("/lists/{list}");
        house.owner.patch(&path, json!({ "name": "Others" })).await.ok();
        house.world.hand.advance(Duration::from_secs(1));
        let second = hear(&mut socket).await;
        assert_eq!(second["seq"], 2);
        assert_eq!(second["patch"]["name"], "Others");
        assert_eq!(second["patch"].get("id"), None, "what did not change is not sent");

        say(&mut socket, json!({ "subscribe": "list:1" })).await;
        assert_eq!(
            hear(&mut socket).await,
            json!({ "topic": "list:1", "error": "list_not_found" })
        );
        say(&mut socket, json!({ "subscribe": "nothing" })).await;
        assert_eq!(hear(&mut socket).await, json!({ "topic": "nothing", "error": "not_found" }));
        let (_, operator) = house.join("operator").await;
        let mut poor = connect(&address, &operator).await;
        say(&mut poor, json!({ "subscribe": topic })).await;
        assert_eq!(hear(&mut poor).await, json!({ "topic": topic, "error": "forbidden" }));
        let mut foreign = connect(&address, &house.other).await;
        say(&mut foreign, json!({ "subscribe": topic })).await;
        assert_eq!(hear(&mut foreign).await, json!({ "topic": topic, "error": "list_not_found" }));
    })
    .await;
}

#[tokio::test]
async fn a_change_of_role_and_a_sign_out_close_the_connection() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        let (user, operator) = house.join("operator").await;
        let mut socket = connect(&address, &operator).await;
        let path = format!("/users/{user}");
        house.owner.patch(&path, json!({ "role": "analyst" })).await.ok();
        assert_eq!(farewell(&mut socket).await, 4002);
        let mut socket = connect(&address, &operator).await;
        house.owner.patch(&path, json!({ "disabled": true })).await.ok();
        assert_eq!(farewell(&mut socket).await, 4001);
        let mut socket = connect(&address, &house.owner).await;
        assert_eq!(house.owner.delete("/session").await.status.as_u16(), 204);
        assert_eq!(farewell(&mut socket).await, 4001);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_of_the_protocol_closes_the_connection() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        for wrong in ["", "{}", "[1]", r#"{"subscribe":1}"#, r#"{"what":"x"}"#] {
            let mut socket = connect(&address, &house.owner).await;
            socket.send(Message::text(wrong)).await.unwrap();
            assert_eq!(farewell(&mut socket).await, close_code::POLICY, "{wrong}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_that_ended_closes_the_connection_at_the_next_pulse() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        let mut socket = connect(&address, &house.owner).await;
        say(&mut socket, json!({ "subscribe": "nothing" })).await;
        hear(&mut socket).await;
        house.world.hand.advance(Duration::from_hours(13));
        assert_eq!(farewell(&mut socket).await, 4002);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    db::testing::each(&[], |db| async move {
        let (house, address) = listening(db).await;
        let mut socket = connect(&address, &house.owner).await;
        say(&mut socket, json!({ "subscribe": "nothing" })).await;
        hear(&mut socket).await;
        house.world.handles.hub.close_all();
        assert_eq!(farewell(&mut socket).await, close_code::AWAY);
    })
    .await;
}
