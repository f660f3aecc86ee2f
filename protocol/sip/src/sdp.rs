//! Session descriptions (RFC 4566) of one audio stream, offered and answered (RFC 3264).

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

/// The payload type under which we offer telephone-event (RFC 4733).
pub const OUR_DIGITS: u8 = 101;

/// An audio coding that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coding {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

impl Coding {
    /// The static payload type (RFC 3551, 6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The encoding name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }
}

/// Who sends in a stream, as one side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both sides.
    #[default]
    Both,
    /// Only the side that says so: the other one is on hold.
    SendOnly,
    /// Only the other side.
    ReceiveOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    const fn attribute(self) -> &'static str {
        match self {
            Self::Both => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn of(attribute: &str) -> Option<Self> {
        [Self::Both, Self::SendOnly, Self::ReceiveOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.attribute() == attribute)
    }

    /// The same, as the other side sees it (RFC 3264, 6.1).
    const fn mirrored(self) -> Self {
        match self {
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            Self::Both | Self::Inactive => self,
        }
    }
}

/// Our side of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where packets reach us: the public address when we have one.
    pub address: SocketAddr,
    /// What we speak, the best first; never empty.
    pub codings: Vec<Coding>,
    /// Number of the session, the same for the life of a call.
    pub session: u64,
}

/// The far end's side of the stream, agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where packets go.
    pub address: SocketAddr,
    /// What both speak.
    pub coding: Coding,
    /// Payload type of the far end's telephone-event at 8 kHz.
    pub digits: Option<u8>,
    /// Milliseconds of sound per packet that the far end wishes for.
    pub ptime: Option<u16>,
    /// Whether the far end listens: false while it holds us.
    pub listens: bool,
    /// Where reports go.
    pub rtcp: Rtcp,
}

/// Where RTCP goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtcp {
    /// With the sound (RFC 5761).
    Mux,
    /// To the next port.
    NextPort,
    /// Elsewhere (RFC 3605).
    At(SocketAddr),
}

/// Why a description cannot be agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no session description.
    #[error("the session description cannot be read")]
    Malformed,
    /// It has no audio stream over RTP, or has refused ours.
    #[error("the far end takes no audio")]
    NoAudio,
    /// No coding in common.
    #[error("no audio coding in common")]
    NoCoding,
    /// The address of the stream is missing or a name.
    #[error("the far end's audio has no address")]
    NoAddress,
}

/// One `m=` section.
#[derive(Debug, Default)]
struct Stream<'a> {
    media: &'a str,
    port: u16,
    proto: &'a str,
    formats: Vec<&'a str>,
    connection: Option<IpAddr>,
    attributes: Vec<(&'a str, &'a str)>,
}

/// What is read of a description. Lines that matter to nobody here are passed over.
#[derive(Debug)]
struct Description<'a> {
    connection: Option<IpAddr>,
    attributes: Vec<(&'a str, &'a str)>,
    streams: Vec<Stream<'a>>,
}

impl<'a> Description<'a> {
    fn parse(text: &'a str) -> Result<Self, SdpError> {
        let mut read = Self { connection: None, attributes: Vec::new(), streams: Vec::new() };
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        if lines.next().map(str::trim_end) != Some("v=0") {
            return Err(SdpError::Malformed);
        }
        for line in lines {
            let (kind, value) = line.split_once('=').ok_or(SdpError::Malformed)?;
            let value = value.trim();
            match kind {
                "m" => read.streams.push(stream(value)?),
                "c" => match read.streams.last_mut() {
                    Some(stream) => stream.connection = connection(value),
                    None => read.connection = connection(value),
                },
                "a" => {
                    let attribute = value.split_once(':').unwrap_or((value, ""));
                    match read.streams.last_mut() {
                        Some(stream) => stream.attributes.push(attribute),
                        None => read.attributes.push(attribute),
                    }
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// The first audio stream over plain RTP that is not refused.
    fn audio(&self) -> Option<&Stream<'a>> {
        self.streams.iter().find(|stream| stream.is_audio())
    }

    fn address(&self, stream: &Stream<'_>) -> Option<IpAddr> {
        stream.connection.or(self.connection)
    }

    fn direction(&self, stream: &Stream<'_>) -> Direction {
        let said = |attributes: &[(&str, &str)]| {
            attributes.iter().rev().find_map(|(name, _)| Direction::of(name))
        };
        said(&stream.attributes).or_else(|| said(&self.attributes)).unwrap_or_default()
    }
}

impl Stream<'_> {
    fn is_audio(&self) -> bool {
        self.media == "audio" && self.port != 0 && matches!(self.proto, "RTP/AVP" | "RTP/AVPF")
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(have, _)| *have == name).map(|(_, value)| *value)
    }

    /// The encoding of a payload type: `name/clock`.
    fn encoding(&self, format: &str) -> Option<&str> {
        self.attributes
            .iter()
            .filter(|(name, _)| *name == "rtpmap")
            .filter_map(|(_, value)| value.split_once(' '))
            .find(|(number, _)| *number == format)
            .map(|(_, encoding)| encoding.trim())
    }

    fn coding(&self, format: &str) -> Option<Coding> {
        let ours = [Coding::Pcmu, Coding::Pcma];
        match self.encoding(format) {
            // A static number that is mapped to something else is that something else.
            Some(encoding) => ours.into_iter().find(|coding| {
                format == coding.payload_type().to_string() && is_encoding(encoding, coding.name())
            }),
            None => ours.into_iter().find(|coding| format == coding.payload_type().to_string()),
        }
    }

    fn digits(&self) -> Option<u8> {
        self.formats
            .iter()
            .find(|format| {
                self.encoding(format).is_some_and(|name| is_encoding(name, "telephone-event"))
            })
            .and_then(|format| format.parse().ok())
            .filter(|number| *number < 128)
    }

    fn rtcp(&self, address: IpAddr) -> Rtcp {
        if self.attribute("rtcp-mux").is_some() {
            return Rtcp::Mux;
        }
        let Some(value) = self.attribute("rtcp") else { return Rtcp::NextPort };
        let mut words = value.split_whitespace();
        let port = words.next().and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let elsewhere = words.nth(2).and_then(|host| host.parse().ok());
        port.map_or(Rtcp::NextPort, |port| {
            Rtcp::At(SocketAddr::new(elsewhere.unwrap_or(address), port))
        })
    }
}

/// Whether `encoding`, such as `PCMA/8000/1`, is `name` at 8 kHz in one channel.
fn is_encoding(encoding: &str, name: &str) -> bool {
    let mut parts = encoding.split('/');
    parts.next().is_some_and(|have| have.eq_ignore_ascii_case(name))
        && parts.next() == Some("8000")
        && matches!(parts.next(), None | Some("1"))
}

fn stream(value: &str) -> Result<Stream<'_>, SdpError> {
    let mut words = value.split_whitespace();
    let mut word = || words.next().ok_or(SdpError::Malformed);
    let (media, port, proto) = (word()?, word()?, word()?);
    let port = port.split('/').next().unwrap_or_default();
    let port = port.parse().map_err(|_| SdpError::Malformed)?;
    Ok(Stream { media, port, proto, formats: words.collect(), ..Stream::default() })
}

fn connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_whitespace();
    let (net, kind, host) = (words.next()?, words.next()?, words.next()?);
    if net != "IN" {
        return None;
    }
    let address: IpAddr = host.split('/').next()?.parse().ok()?;
    (address.is_ipv4() == (kind == "IP4")).then_some(address)
}

impl Local {
    /// An offer: everything that we speak, both directions.
    pub fn offer(&self) -> String {
        self.offer_again(0)
    }

    /// The same offer later in a call; `version` counts our descriptions in it.
    pub fn offer_again(&self, version: u32) -> String {
        let mut out = self.head(version);
        self.audio(&mut out, &self.codings, Some(OUR_DIGITS), Direction::Both, true);
        out
    }

    /// Reads the answer to our offer, or an offer of the far end.
    pub fn agree(&self, body: &[u8]) -> Result<Remote, SdpError> {
        let text = String::from_utf8_lossy(body);
        let description = Description::parse(&text)?;
        self.remote(&description).map(|(remote, _)| remote)
    }

    /// Answers an offer of the far end: its first audio stream, every other one refused (RFC 3264,
    /// 6). `version` counts our descriptions in this call.
    pub fn answer(&self, body: &[u8], version: u32) -> Result<(String, Remote), SdpError> {
        let text = String::from_utf8_lossy(body);
        let description = Description::parse(&text)?;
        let (remote, direction) = self.remote(&description)?;
        let mut out = self.head(version);
        let mut taken = false;
        for stream in &description.streams {
            if stream.is_audio() && !taken {
                taken = true;
                let mux = remote.rtcp == Rtcp::Mux;
                self.audio(&mut out, &[remote.coding], remote.digits, direction.mirrored(), mux);
            } else {
                let formats = stream.formats.join(" ");
                let _ = write!(out, "m={} 0 {} {formats}\r\n", stream.media, stream.proto);
            }
        }
        Ok((out, remote))
    }

    /// What a description says of the far end, and its direction.
    fn remote(&self, description: &Description<'_>) -> Result<(Remote, Direction), SdpError> {
        let stream = description.audio().ok_or(SdpError::NoAudio)?;
        let coding = stream
            .formats
            .iter()
            .filter_map(|format| stream.coding(format))
            .find(|coding| self.codings.contains(coding))
            .ok_or(SdpError::NoCoding)?;
        let host = description.address(stream).ok_or(SdpError::NoAddress)?;
        let direction = description.direction(stream);
        // The hold of RFC 2543: an address of zeros.
        let held =
            host.is_unspecified() || matches!(direction, Direction::SendOnly | Direction::Inactive);
        let ptime = stream.attribute("ptime").and_then(|value| value.parse().ok());
        let remote = Remote {
            address: SocketAddr::new(host, stream.port),
            coding,
            digits: stream.digits(),
            ptime,
            listens: !held,
            rtcp: stream.rtcp(host),
        };
        Ok((remote, direction))
    }

    fn head(&self, version: u32) -> String {
        let (ip, host) = (self.address.ip(), self.address.ip());
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let session = self.session;
        format!(
            "v=0\r\no=- {session} {version} IN {family} {host}\r\ns=-\r\n\
             c=IN {family} {host}\r\nt=0 0\r\n"
        )
    }

    fn audio(
        &self,
        out: &mut String,
        codings: &[Coding],
        digits: Option<u8>,
        direction: Direction,
        mux: bool,
    ) {
        let _ = write!(out, "m=audio {} RTP/AVP", self.address.port());
        for number in codings.iter().map(|coding| coding.payload_type()).chain(digits) {
            let _ = write!(out, " {number}");
        }
        out.push_str("\r\n");
        for coding in codings {
            let _ = write!(out, "a=rtpmap:{} {}/8000\r\n", coding.payload_type(), coding.name());
        }
        if let Some(digits) = digits {
            let _ =
                write!(out, "a=rtpmap:{digits} telephone-event/8000\r\na=fmtp:{digits} 0-15\r\n");
        }
        let _ = write!(out, "a=ptime:20\r\n{}", if mux { "a=rtcp-mux\r\n" } else { "" });
        let _ = write!(out, "a={}\r\n", direction.attribute());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> Local {
        Local {
            address: "192.0.2.1:10000".parse().unwrap(),
            codings: vec![Coding::Pcma, Coding::Pcmu],
            session: 77,
        }
    }

    fn sdp(lines: &[&str]) -> Vec<u8> {
        let mut out = String::from("v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=x\r\n");
        for line in lines {
            out.push_str(line);
            out.push_str("\r\n");
        }
        out.into_bytes()
    }

    #[test]
    fn an_offer_lists_what_we_speak_and_can_be_read_back() {
        let offer = local().offer();
        assert!(offer.contains("m=audio 10000 RTP/AVP 8 0 101\r\n"), "{offer}");
        assert!(offer.contains("c=IN IP4 192.0.2.1\r\n"), "{offer}");
        let read = local().agree(offer.as_bytes()).unwrap();
        assert_eq!(read.address, local().address);
        assert_eq!((read.coding, read.digits, read.ptime), (Coding::Pcma, Some(101), Some(20)));
        assert!(read.listens);
        assert_eq!(read.rtcp, Rtcp::Mux);
    }

    #[test]
    fn the_connection_of_the_stream_wins_over_that_of_the_session() {
        let both = sdp(&[
            "c=IN IP4 198.51.100.1",
            "t=0 0",
            "m=audio 4000 RTP/AVP 0",
            "c=IN IP4 198.51.100.9",
        ]);
        assert_eq!(local().agree(&both).unwrap().address, "198.51.100.9:4000".parse().unwrap());
        let session = sdp(&["c=IN IP4 198.51.100.1", "t=0 0", "m=audio 4000 RTP/AVP 0"]);
        assert_eq!(local().agree(&session).unwrap().address, "198.51.100.1:4000".parse().unwrap());
        let none = sdp(&["t=0 0", "m=audio 4000 RTP/AVP 0"]);
        assert_eq!(local().agree(&none), Err(SdpError::NoAddress));
        let name = sdp(&["c=IN IP4 media.example.net", "m=audio 4000 RTP/AVP 0"]);
        assert_eq!(local().agree(&name), Err(SdpError::NoAddress));
    }

    #[test]
    fn hold_is_told_by_direction_or_by_an_address_of_zeros() {
        for (line, listens) in [
            ("a=sendrecv", true),
            ("a=recvonly", true),
            ("a=sendonly", false),
            ("a=inactive", false),
        ] {
            let at_stream = sdp(&["c=IN IP4 198.51.100.1", "m=audio 4000 RTP/AVP 8", line]);
            assert_eq!(local().agree(&at_stream).unwrap().listens, listens, "{line}");
            let at_session = sdp(&["c=IN IP4 198.51.100.1", line, "m=audio 4000 RTP/AVP 8"]);
            assert_eq!(local().agree(&at_session).unwrap().listens, listens, "{line}");
        }
        let zeros = sdp(&["c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 8"]);
        assert!(!local().agree(&zeros).unwrap().listens);
    }

    #[test]
    fn refused_and_foreign_streams_are_no_audio() {
        for line in ["m=audio 0 RTP/AVP 0", "m=video 4000 RTP/AVP 31", "m=audio 4000 RTP/SAVP 0"] {
            let body = sdp(&["c=IN IP4 198.51.100.1", line]);
            assert_eq!(local().agree(&body), Err(SdpError::NoAudio), "{line}");
        }
        let second =
            sdp(&["c=IN IP4 198.51.100.1", "m=video 0 RTP/AVP 31", "m=audio 4002 RTP/AVP 0"]);
        assert_eq!(local().agree(&second).unwrap().address.port(), 4002);
    }

    #[test]
    fn codings_are_told_by_static_number_unless_mapped_to_another() {
        let stream = |lines: &[&str]| {
            let mut all = vec!["c=IN IP4 198.51.100.1"];
            all.extend(lines);
            local().agree(&sdp(&all))
        };
        let plain = stream(&["m=audio 4000 RTP/AVP 18 0 8", "a=rtpmap:18 G729/8000"]).unwrap();
        assert_eq!(plain.coding, Coding::Pcmu, "the far end's order counts");
        let mapped = stream(&["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 pcma/8000/1"]).unwrap();
        assert_eq!(mapped.coding, Coding::Pcma);
        let other = stream(&["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 G722/8000"]);
        assert_eq!(other, Err(SdpError::NoCoding));
        let digits =
            stream(&["m=audio 4000 RTP/AVP 0 96", "a=rtpmap:96 telephone-event/8000"]).unwrap();
        assert_eq!(digits.digits, Some(96));
        let wide = stream(&["m=audio 4000 RTP/AVP 0 97", "a=rtpmap:97 telephone-event/16000"]);
        assert_eq!(wide.unwrap().digits, None);
    }

    #[test]
    fn an_answer_takes_one_stream_and_refuses_the_others() {
        let offer = sdp(&[
            "c=IN IP4 198.51.100.1",
            "t=0 0",
            "m=video 5000 RTP/AVP 31",
            "m=audio 4000 RTP/AVP 0 8",
            "a=sendonly",
            "m=audio 4002 RTP/AVP 0",
        ]);
        let (answer, remote) = local().answer(&offer, 3).unwrap();
        let lines: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            lines,
            ["m=video 0 RTP/AVP 31", "m=audio 10000 RTP/AVP 0", "m=audio 0 RTP/AVP 0"]
        );
        assert!(answer.contains("a=recvonly\r\n") && answer.contains("o=- 77 3 IN"), "{answer}");
        assert!(!remote.listens);
        assert!(!answer.contains("rtcp-mux"), "not offered, not answered");
    }

    #[test]
    fn reports_go_where_the_far_end_says() {
        let with = |line| sdp(&["c=IN IP4 198.51.100.1", "m=audio 4000 RTP/AVP 0", line]);
        let rtcp = |line| local().agree(&with(line)).unwrap().rtcp;
        assert_eq!(rtcp("a=sendrecv"), Rtcp::NextPort);
        assert_eq!(rtcp("a=rtcp:4009"), Rtcp::At("198.51.100.1:4009".parse().unwrap()));
        assert_eq!(
            rtcp("a=rtcp:4009 IN IP4 198.51.100.7"),
            Rtcp::At("198.51.100.7:4009".parse().unwrap())
        );
        assert_eq!(rtcp("a=rtcp:0"), Rtcp::NextPort);
    }

    #[test]
    fn bare_line_feeds_and_odd_bytes_are_borne() {
        let body = b"v=0\no=- 1 1 IN IP4 198.51.100.1\ns=caf\xe9\nc=IN IP4 198.51.100.1\nm=audio 4000 RTP/AVP 0\n";
        assert_eq!(local().agree(body).unwrap().coding, Coding::Pcmu);
        for wrong in
            [&b""[..], b"v=1\r\n", b"v=0\r\nnonsense\r\n", b"v=0\r\nm=audio x RTP/AVP 0\r\n"]
        {
            assert!(local().agree(wrong).is_err());
        }
    }
}
