//! One live connection, from the upgrade to the close frame.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    Extension,
    extract::ws::{
        CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade,
        rejection::WebSocketUpgradeRejection,
    },
    response::Response,
};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;

use super::hub::{Close, Hub, Ticket, refusal};
use crate::{Caller, CommonProblem, Gate, Problem, Result, Sessions};

/// How often the client is asked for a sign of life, and its rights are looked at again.
const PULSE: Duration = Duration::from_secs(30);

/// How long the other side has to answer the close frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes of one message from the client.
const MESSAGE_LIMIT: usize = 4096;

/// Topics that one connection may watch.
const TOPICS: usize = 64;

/// Messages from the client between two pulses.
const MESSAGES_PER_PULSE: u32 = 300;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wish {
    Subscribe(String),
    Unsubscribe(String),
}

/// Live connection
///
/// A WebSocket. Send `{"subscribe":"campaign:1:live"}` or `{"unsubscribe":…}`. For each topic
/// comes `{"topic","seq","snapshot"}` and then `{"topic","seq","patch"}` (RFC 7386), numbered
/// without gaps; after a gap, subscribe anew. `{"topic","error":"code"}` refuses a topic. Null
/// and absent are the same.
#[utoipa::path(
    get,
    path = "/live",
    operation_id = "live",
    tag = "live",
    responses((status = 101, description = "The connection is a WebSocket now."))
)]
pub(crate) async fn live(
    caller: Caller,
    Extension(gate): Extension<Gate>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    let upgrade = upgrade.map_err(|_| CommonProblem::WebSocketRequired)?;
    let ticket = gate.hub.enter(&caller)?;
    let seat = ticket.seat;
    let hub = gate.hub.clone();
    Ok(upgrade
        .max_message_size(MESSAGE_LIMIT)
        .max_frame_size(MESSAGE_LIMIT)
        .on_failed_upgrade(move |error| {
            tracing::debug!(%error, "a WebSocket was not made");
            hub.leave(seat);
        })
        .on_upgrade(move |socket| async move {
            let mut connection = Connection {
                hub: gate.hub.clone(),
                caller,
                ticket,
                names: BTreeSet::new(),
                messages_left: MESSAGES_PER_PULSE,
                heard: true,
            };
            connection.run(socket, &*gate.sessions).await;
            gate.hub.leave(seat);
        }))
}

struct Connection {
    hub: Hub,
    caller: Caller,
    ticket: Ticket,
    names: BTreeSet<String>,
    messages_left: u32,
    /// Whether anything was heard since the last pulse.
    heard: bool,
}

impl Connection {
    /// Serves the connection until either side ends it.
    async fn run(&mut self, socket: WebSocket, sessions: &dyn Sessions) {
        let (mut out, mut incoming) = socket.split();
        // The role may have changed between the check of the request and the taking of the seat.
        let mut pulse = self.hub.clock().now();
        let why = loop {
            let clock = self.hub.clock().clone();
            let event = tokio::select! {
                biased;
                why = closed(&mut self.ticket.close) => break Some(why),
                () = clock.sleep_until(pulse) => None,
                Some(message) = self.ticket.messages.recv() => Some(Event::Out(message)),
                message = incoming.next() => match message {
                    Some(Ok(message)) => Some(Event::In(message)),
                    Some(Err(_)) | None => break None,
                },
            };
            let done = match event {
                None => {
                    pulse = clock.now().plus(PULSE);
                    self.pulse(&mut out, sessions).await
                }
                Some(Event::Out(text)) => self.send(&mut out, Message::Text(text)).await,
                Some(Event::In(message)) => self.heard(message),
            };
            if let Err(why) = done {
                break why;
            }
        };
        if let Some(why) = why {
            self.farewell(why, out, incoming).await;
        }
    }

    /// Says why, and waits a moment for the other side's answer: a socket that is closed with
    /// something unread in it is reset, and the close frame may be lost. A client that does not
    /// read gets no farewell.
    async fn farewell(
        &self,
        why: Close,
        mut out: SplitSink<WebSocket, Message>,
        mut incoming: SplitStream<WebSocket>,
    ) {
        let (code, reason) = why.frame();
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let talk = async {
            if out.send(Message::Close(Some(frame))).await.is_ok() {
                while incoming.next().await.is_some_and(|message| message.is_ok()) {}
            }
        };
        tokio::select! {
            () = talk => {}
            () = self.hub.clock().sleep(FAREWELL) => {}
        }
    }

    /// Sends, unless the connection is closed meanwhile. `Err(None)`: the client has gone.
    async fn send(
        &mut self,
        out: &mut SplitSink<WebSocket, Message>,
        message: Message,
    ) -> Result<(), Option<Close>> {
        tokio::select! {
            biased;
            sent = out.send(message) => sent.map_err(|_| None),
            why = closed(&mut self.ticket.close) => Err(Some(why)),
        }
    }

    async fn pulse(
        &mut self,
        out: &mut SplitSink<WebSocket, Message>,
        sessions: &dyn Sessions,
    ) -> Result<(), Option<Close>> {
        if !std::mem::take(&mut self.heard) {
            return Err(Some(Close::Silent));
        }
        self.messages_left = MESSAGES_PER_PULSE;
        match sessions.stands(&self.caller).await {
            Ok(true) => {}
            Ok(false) => return Err(Some(Close::Changed)),
            // Nobody loses the page because the database is away for a moment.
            Err(problem) if problem.status().is_server_error() => {}
            Err(_) => return Err(Some(Close::SignedOut)),
        }
        self.send(out, Message::Ping(axum::body::Bytes::new())).await
    }

    fn heard(&mut self, message: Message) -> Result<(), Option<Close>> {
        self.heard = true;
        let text = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(None),
            Message::Binary(_) => return Err(Some(Close::Protocol)),
        };
        self.messages_left = self.messages_left.checked_sub(1).ok_or(Some(Close::Protocol))?;
        match serde_json::from_str(&text) {
            Ok(Wish::Subscribe(name)) => self.subscribe(name),
            Ok(Wish::Unsubscribe(name)) => {
                self.names.remove(&name);
                self.hub.unsubscribe(self.caller.account, self.ticket.seat, &name);
                Ok(())
            }
            Err(_) => Err(Some(Close::Protocol)),
        }
    }

    fn subscribe(&mut self, name: String) -> Result<(), Option<Close>> {
        let (seat, queue) = (self.ticket.seat, &self.ticket.queue);
        let done = if self.names.len() >= TOPICS && !self.names.contains(&name) {
            Err(Problem::from(CommonProblem::TooManyConnections))
        } else {
            self.hub.subscribe(&self.caller, seat, queue, &name)
        };
        match done {
            Ok(()) => {
                self.names.insert(name);
                Ok(())
            }
            Err(problem) => {
                queue.try_send(refusal(&name, &problem).into()).map_err(|_| Some(Close::Slow))
            }
        }
    }
}

enum Event {
    Out(Utf8Bytes),
    In(Message),
}

/// Waits until the server wants the connection to end.
async fn closed(close: &mut tokio::sync::watch::Receiver<Option<Close>>) -> Close {
    match close.wait_for(Option::is_some).await {
        Ok(why) => why.unwrap_or(Close::Stopping),
        Err(_) => Close::Stopping,
    }
}
