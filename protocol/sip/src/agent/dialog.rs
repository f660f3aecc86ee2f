//! Dialogs of calls that we made (RFC 3261, 12).

use std::net::SocketAddr;

use bytes::Bytes;
use sipx_sip::{HeaderName, Headers, Response, Uri};

use crate::wire;

/// Enough of a dialog to end it after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDialog {
    /// Value of our From, tag included.
    pub local: String,
    /// Value of their To, tag included.
    pub remote: String,
    /// The URI of their Contact.
    pub target: String,
    /// The route set, in the order of sending.
    pub routes: Vec<String>,
    /// The last CSeq number that we used.
    pub cseq: u32,
}

/// One answered branch of a call.
#[derive(Debug, Clone)]
pub(super) struct Dialog {
    /// Their tag.
    pub(super) tag: String,
    /// Value of their To, tag included.
    pub(super) remote: String,
    pub(super) target: String,
    pub(super) routes: Vec<String>,
    /// Where requests go.
    pub(super) hop: SocketAddr,
}

impl Dialog {
    /// The dialog that a 2xx makes. Without a Contact, requests go on as the INVITE did: the call
    /// is up all the same, and can be ended.
    pub(super) fn of_response(response: &Response, asked: &str, source: SocketAddr) -> Self {
        let contact = wire::contact(&response.headers);
        let routes = wire::routes_of_caller(&response.headers);
        let target = contact.as_ref().map_or_else(
            || asked.to_owned(),
            |uri| String::from_utf8_lossy(&uri.to_bytes()).into_owned(),
        );
        let hop = hop(&routes, contact.as_ref(), source);
        let remote = wire::text(&response.headers, &HeaderName::To).unwrap_or_default();
        Self { tag: wire::to_tag(&response.headers), remote, target, routes, hop }
    }

    /// A stored dialog; `line` is where the line's far end is now.
    pub(super) fn restored(saved: &SavedDialog, line: SocketAddr) -> Self {
        let target = Uri::parse(Bytes::from(saved.target.clone())).ok();
        Self {
            tag: tag_of(&saved.remote),
            remote: saved.remote.clone(),
            target: saved.target.clone(),
            routes: saved.routes.clone(),
            hop: hop(&saved.routes, target.as_ref(), line),
        }
    }

    /// A target refresh: the far end's newest Contact (RFC 3261, 12.2.1.2).
    pub(super) fn retarget(&mut self, headers: &Headers, source: SocketAddr) {
        if let Some(contact) = wire::contact(headers) {
            self.target = String::from_utf8_lossy(&contact.to_bytes()).into_owned();
            self.hop = hop(&self.routes, Some(&contact), source);
        }
    }

    /// Request line and Route headers: with a strict router first in the set, its URI is asked for
    /// and the target goes last (RFC 3261, 12.2.1.1).
    pub(super) fn addressed(&self) -> (String, Vec<String>) {
        match self.routes.split_first() {
            Some((first, rest)) if !is_loose(first) => {
                let mut routes = rest.to_vec();
                routes.push(format!("<{}>", self.target));
                (uri_of(first).to_owned(), routes)
            }
            _ => (self.target.clone(), self.routes.clone()),
        }
    }
}

/// Where requests of a dialog go: the first route, else the Contact; a name, or an address that
/// nobody outside can reach, is not followed, but the address that the response came from.
fn hop(routes: &[String], contact: Option<&Uri>, source: SocketAddr) -> SocketAddr {
    let route =
        routes.first().and_then(|route| Uri::parse(Bytes::from(uri_of(route).to_owned())).ok());
    let wished = match (&route, contact) {
        (Some(route), _) => wire::literal(route),
        (None, Some(contact)) => wire::literal(contact),
        (None, None) => None,
    };
    match wished {
        Some(wished) if wished.ip() == source.ip() => wished,
        Some(wished) if !wire::is_private(wished.ip()) => wished,
        _ => source,
    }
}

fn uri_of(route: &str) -> &str {
    match (route.find('<'), route.rfind('>')) {
        (Some(open), Some(close)) if open < close => &route[open + 1..close],
        _ => route,
    }
}

fn is_loose(route: &str) -> bool {
    uri_of(route).split(';').skip(1).any(|param| {
        param.split('=').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("lr"))
    })
}

fn tag_of(value: &str) -> String {
    let after = value.rfind('>').map_or(value, |close| &value[close..]);
    after
        .split(';')
        .find_map(|param| param.trim().strip_prefix("tag="))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(Bytes::from(text.to_owned())).unwrap()
    }

    #[test]
    fn a_contact_that_nobody_can_reach_is_not_followed() {
        let source: SocketAddr = "203.0.113.9:5080".parse().unwrap();
        for contact in ["sip:x@10.0.0.5:5060", "sip:x@192.168.1.4", "sip:x@node1.internal"] {
            assert_eq!(hop(&[], Some(&uri(contact)), source), source, "{contact}");
        }
        let public = hop(&[], Some(&uri("sip:x@198.51.100.7")), source);
        assert_eq!(public, "198.51.100.7:5060".parse().unwrap());
        let same = hop(&[], Some(&uri("sip:x@203.0.113.9:5099")), source);
        assert_eq!(same, "203.0.113.9:5099".parse().unwrap());
    }

    #[test]
    fn the_first_route_comes_before_the_contact() {
        let source: SocketAddr = "203.0.113.9:5060".parse().unwrap();
        let routes = vec!["<sip:198.51.100.2;lr>".to_owned()];
        assert_eq!(
            hop(&routes, Some(&uri("sip:x@198.51.100.7")), source),
            "198.51.100.2:5060".parse().unwrap()
        );
    }

    #[test]
    fn a_strict_router_is_asked_itself_and_the_target_goes_last() {
        let dialog = Dialog {
            tag: "t".into(),
            remote: String::new(),
            target: "sip:callee@192.0.2.9".into(),
            routes: vec!["<sip:old.example>".into(), "<sip:new.example;lr>".into()],
            hop: "192.0.2.1:5060".parse().unwrap(),
        };
        let (uri, routes) = dialog.addressed();
        assert_eq!(uri, "sip:old.example");
        assert_eq!(routes, ["<sip:new.example;lr>", "<sip:callee@192.0.2.9>"]);
    }

    #[test]
    fn a_tag_is_found_behind_the_address() {
        assert_eq!(tag_of("\"x;tag=no\" <sip:a@b;tag=no>;tag=yes;x=1"), "yes");
        assert_eq!(tag_of("<sip:a@b>"), "");
    }
}
