//! Reading and writing messages on the pinned library; nothing outside this crate names its types.

use std::{fmt::Write, net::IpAddr, net::SocketAddr, time::Duration};

use bytes::Bytes;
use sipx_sip::{
    Header, HeaderName, Headers, Limits, Message, Reason, Request, Response, ResponseBuilder,
    StatusCode, Uri, Via,
    headers::{ContactValue, From, RecordRoute, To},
    parse_datagram,
};

/// The longest message that is looked at, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The longest head of a message, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// The most header lines.
const MAX_HEADERS: usize = 100;

/// Reads one datagram. `None` when it is no message or beyond the limits.
pub(crate) fn read(datagram: Bytes) -> Option<Message> {
    datagram.windows(4).take(MAX_HEAD).position(|window| window == b"\r\n\r\n")?;
    let limits = Limits {
        max_message_bytes: MAX_MESSAGE,
        max_body_bytes: MAX_MESSAGE,
        max_headers: MAX_HEADERS,
        max_header_bytes: MAX_HEAD,
        max_folding_lines: 16,
    };
    parse_datagram(datagram, &limits).ok()
}

/// A request to be written: start line, headers in order, body.
pub(crate) struct Draft {
    text: Vec<u8>,
}

impl Draft {
    pub(crate) fn new(method: &str, uri: &str) -> Self {
        let mut draft = Self { text: Vec::with_capacity(1_024) };
        draft.push(method);
        draft.text.push(b' ');
        draft.push(uri);
        draft.text.extend_from_slice(b" SIP/2.0\r\n");
        draft
    }

    /// Bytes of a line: whatever could end it early becomes a space.
    fn push(&mut self, value: &str) {
        self.text
            .extend(value.bytes().map(|b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { b }));
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.push(name);
        self.text.extend_from_slice(b": ");
        self.push(value);
        self.text.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn headers<'a>(
        self,
        name: &str,
        values: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        values.into_iter().fold(self, |draft, value| draft.header(name, value))
    }

    /// The request; `None` when what went into it is no request, a broken URI for example.
    pub(crate) fn body(self, kind: &str, body: &str) -> Option<Request> {
        self.header("Content-Type", kind).finish(body)
    }

    pub(crate) fn build(self) -> Option<Request> {
        self.finish("")
    }

    fn finish(self, body: &str) -> Option<Request> {
        let mut draft = self.header("Content-Length", &body.len().to_string());
        draft.text.extend_from_slice(b"\r\n");
        draft.text.extend_from_slice(body.as_bytes());
        match read(Bytes::from(draft.text))? {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }
}

/// The same request, once more: new branch, new CSeq, new credentials (RFC 3261, 22.2).
pub(crate) fn again(
    request: &Request,
    via: &str,
    cseq: u32,
    credentials: &[(HeaderName, String)],
) -> Option<Request> {
    let mut again = request.clone();
    again.headers.remove_first(&HeaderName::Via);
    again.headers.push_front(built(HeaderName::Via, via)?);
    for name in [HeaderName::CSeq, HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        again.headers.remove_all(&name);
    }
    let value = format!("{cseq} {}", request.method);
    again.headers.insert(1, built(HeaderName::CSeq, &value)?);
    for (name, value) in credentials {
        again.headers.insert(2, built(name.clone(), value)?);
    }
    Some(again)
}

pub(crate) fn built(name: HeaderName, value: &str) -> Option<Header> {
    Header::build(name, value.to_owned()).ok()
}

/// A response to `request`, with our tag in To when it has none.
pub(crate) fn respond(
    request: &Request,
    status: u16,
    tag: &str,
    extra: &[(HeaderName, String)],
    body: Option<&str>,
) -> Option<Response> {
    let code = StatusCode::new(status)?;
    let mut builder = ResponseBuilder::to_request(request, code, phrase(status)).ok()?;
    let tagged =
        request.headers.typed::<To>().and_then(Result::ok).is_some_and(|to| to.tag().is_some());
    if !tagged && status > 100 {
        let to = text(&request.headers, &HeaderName::To)?;
        builder = builder.set_header(&HeaderName::To, format!("{to};tag={tag}")).ok()?;
    }
    for (name, value) in extra {
        builder = builder.header(name.clone(), value.clone()).ok()?;
    }
    if let Some(body) = body {
        builder = builder.header(HeaderName::ContentType, "application/sdp").ok()?;
        builder = builder.body(body.to_owned());
    }
    Some(builder.build())
}

const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        483 => "Too Many Hops",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        603 => "Decline",
        _ => "Unknown",
    }
}

/// Writes into the topmost Via where the request really came from (RFC 3261, 18.2.1; RFC 3581),
/// and tells where the response goes.
pub(crate) fn stamp_source(request: &mut Request, source: SocketAddr) -> SocketAddr {
    let Some(Ok(via)) = request.headers.typed::<Via>() else { return source };
    let Some(value) = text(&request.headers, &HeaderName::Via) else { return source };
    let wants_port = via.rport().is_some();
    let end = sipx_sip::headers::first_hop_end(value.as_bytes());
    let (first, rest) = value.split_at_checked(end).unwrap_or((&value, ""));
    let mut stamped = String::with_capacity(value.len() + 40);
    for (n, part) in first.split(';').enumerate() {
        let name = part.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        if n > 0 && (name == "rport" || name == "received") {
            continue;
        }
        if n > 0 {
            stamped.push(';');
        }
        stamped.push_str(part);
    }
    let _ = write!(stamped, ";received={}", source.ip());
    if wants_port {
        let _ = write!(stamped, ";rport={}", source.port());
    }
    stamped.push_str(rest);
    if let Some(header) = built(HeaderName::Via, &stamped) {
        request.headers.remove_first(&HeaderName::Via);
        request.headers.push_front(header);
    }
    if wants_port { source } else { SocketAddr::new(source.ip(), via.port.unwrap_or(5060)) }
}

/// The phrase of a response, fit for a page.
pub(crate) fn phrase_of(response: &Response) -> String {
    let phrase = String::from_utf8_lossy(&response.reason);
    phrase.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// A header's first value as text; bytes that are no UTF-8 are replaced.
pub(crate) fn text(headers: &Headers, name: &HeaderName) -> Option<String> {
    headers.value(name).map(|value| String::from_utf8_lossy(&value).into_owned())
}

pub(crate) fn call_id(headers: &Headers) -> Option<String> {
    text(headers, &HeaderName::CallId)
}

pub(crate) fn to_tag(headers: &Headers) -> String {
    let to = headers.typed::<To>().and_then(Result::ok);
    to.and_then(|to| to.tag().map(lossy)).unwrap_or_default()
}

pub(crate) fn from_tag(headers: &Headers) -> String {
    let from = headers.typed::<From>().and_then(Result::ok);
    from.and_then(|from| from.tag().map(lossy)).unwrap_or_default()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The URI of the first Contact.
pub(crate) fn contact(headers: &Headers) -> Option<Uri> {
    match headers.typed::<ContactValue>()?.ok()? {
        ContactValue::Address(address) => Some(address.uri),
        ContactValue::Wildcard => None,
    }
}

/// The route set of a response, in the order of sending: reversed for the side that called (RFC
/// 3261, 12.1.2).
pub(crate) fn routes_of_caller(headers: &Headers) -> Vec<String> {
    let mut routes: Vec<String> = headers
        .typed_all::<RecordRoute>()
        .filter_map(Result::ok)
        .map(|route| {
            let mut value = format!("<{}>", String::from_utf8_lossy(&route.uri.to_bytes()));
            for param in &route.params {
                let _ = write!(value, ";{}", lossy(&param.name));
                if let Some(set) = &param.value {
                    let _ = write!(value, "={}", lossy(set));
                }
            }
            value
        })
        .collect();
    routes.reverse();
    routes
}

/// The Q.850 cause of a Reason header (RFC 3326).
pub(crate) fn q850(headers: &Headers) -> Option<u8> {
    headers
        .typed_all::<Reason>()
        .filter_map(Result::ok)
        .flat_map(|reason| reason.0)
        .find(|value| value.protocol().eq_ignore_ascii_case(b"Q.850"))
        .and_then(|value| u8::try_from(value.cause()).ok())
        .filter(|cause| (1..=127).contains(cause))
}

/// Retry-After, without its comment and parameters; at most an hour.
pub(crate) fn retry_after(headers: &Headers) -> Option<Duration> {
    seconds(headers, &HeaderName::RetryAfter).map(|wait| wait.min(Duration::from_hours(1)))
}

/// The number at the head of a header's value, as seconds.
pub(crate) fn seconds(headers: &Headers, name: &HeaderName) -> Option<Duration> {
    let value = text(headers, name)?;
    let digits: String = value.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

/// The address and port literally in a URI, with the default port of UDP.
pub(crate) fn literal(uri: &Uri) -> Option<SocketAddr> {
    let ip = match uri.host()? {
        sipx_sip::Host::Name(_) => return None,
        literal @ sipx_sip::Host::Ip(_) => literal_ip(&literal.to_bytes())?,
    };
    Some(SocketAddr::new(ip, uri.port().unwrap_or(5060)))
}

fn literal_ip(host: &[u8]) -> Option<IpAddr> {
    let host = std::str::from_utf8(host).ok()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether nobody outside the far end's own network can reach the address.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            ip.is_loopback()
                || ip.is_unspecified()
                || (first & 0xFE00) == 0xFC00
                || (first & 0xFFC0) == 0xFE80
        }
    }
}

/// A user part, byte for byte where RFC 3261 (25.1) allows the byte, escaped where it does not.
pub(crate) fn user_part(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A message for the log: one line per header, credentials hidden, nothing that moves a terminal.
///
/// Hidden are the values of Authorization and Proxy-Authorization, passwords within URIs, and keys
/// in session descriptions.
pub fn masked(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let mut out = String::with_capacity(text.len());
    let mut hiding = false;
    for line in text.lines() {
        let folded = line.starts_with([' ', '\t']);
        if folded && hiding {
            continue;
        }
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        hiding = matches!(name.as_str(), "authorization" | "proxy-authorization");
        if hiding {
            let _ = writeln!(out, "{}: ***", line.split(':').next().unwrap_or_default().trim_end());
        } else if line.starts_with("a=crypto:") || line.starts_with("k=") {
            out.push_str("(key hidden)\n");
        } else {
            out.extend(
                without_passwords(line).chars().map(|c| if c.is_control() { '.' } else { c }),
            );
            out.push('\n');
        }
    }
    out
}

/// `sip:user:password@host` without the password.
fn without_passwords(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) =
        ["sip:", "sips:"].iter().filter_map(|s| rest.find(s).map(|i| i + s.len())).min()
    {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(['>', ' ', '"', '<', ',']).unwrap_or(rest.len());
        if let Some(sign) = rest[..end].find('@')
            && let Some(colon) = rest[..sign].find(':')
        {
            out.push_str(&rest[..=colon]);
            out.push_str("***");
            rest = &rest[sign..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_passwords_and_keys_are_hidden_in_the_log() {
        let message = b"INVITE sip:bob:hunter2@example.net SIP/2.0\r\n\
            AUTHORIZATION : Digest username=\"a\",\r\n response=\"5ecret\"\r\n\
            Proxy-Authorization: Digest response=\"5ecret\"\r\n\
            Subject: caf\xe9 \x1b[2J\r\n\r\na=crypto:1 AES inline:5ecret\r\n";
        let shown = masked(message);
        assert!(!shown.contains("5ecret") && !shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("sip:bob:***@example.net"), "{shown}");
        assert!(shown.contains("AUTHORIZATION: ***"), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
    }

    #[test]
    fn user_parts_stay_byte_exact_where_they_may() {
        assert_eq!(user_part("+380931234567"), "+380931234567");
        assert_eq!(user_part("user%40x"), "user%40x");
        assert_eq!(user_part("a b\r\n@#"), "a%20b%0D%0A%40%23");
    }

    #[test]
    fn lines_cannot_be_smuggled_into_a_request() {
        let request = Draft::new("OPTIONS", "sip:a@b")
            .header("To", "<sip:a@b>\r\nEvil: yes")
            .build()
            .unwrap();
        assert_eq!(request.headers.len(), 2);
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for ip in [
            "10.1.2.3",
            "192.168.0.1",
            "172.16.9.9",
            "127.0.0.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:4860::1"] {
            assert!(!is_private(ip.parse().unwrap()), "{ip}");
        }
    }
}
