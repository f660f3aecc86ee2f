//! Sound files over HTTP, whole or in ranges, so that a player can jump (RFC 9110, 14).

use std::{io::SeekFrom, ops::Range};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use blob::Blob;
use http_kit::{CommonProblem, Problem, Result};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Bytes read from the disk at once.
const PIECE: usize = 64 * 1024;

/// The WAV file under `key`. Nothing between us and the browser may keep it.
pub(crate) async fn wav(blob: &Blob, key: &str, headers: &HeaderMap) -> Result<Response> {
    let length = blob.len(key).await.map_err(disk)?;
    let wished = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, range) = match wished.map_or(Wish::Whole, |wish| read(wish, length)) {
        Wish::Whole => (StatusCode::OK, 0..length),
        Wish::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wish::Outside => {
            return answer(StatusCode::RANGE_NOT_SATISFIABLE, 0..0, length, Body::empty());
        }
    };
    let mut file = blob.reader(key).await.map_err(disk)?;
    file.seek(SeekFrom::Start(range.start)).await.map_err(|error| disk(error.into()))?;
    let part = file.take(range.end - range.start);
    let body = Body::from_stream(ReaderStream::with_capacity(part, PIECE));
    answer(status, range, length, body)
}

/// A disk that gives nothing is told like a database that does not.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn disk(error: blob::Error) -> Problem {
    match error {
        blob::Error::NotFound => CommonProblem::NotFound.into(),
        blob::Error::Key(_) | blob::Error::Full | blob::Error::Io(_) => {
            db::Error::Unavailable(error.to_string()).into()
        }
    }
}

fn answer(status: StatusCode, range: Range<u64>, length: u64, body: Body) -> Result<Response> {
    let mut answer = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"))
        .header(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"))
        .header(header::CONTENT_LENGTH, range.end - range.start);
    let part = match status {
        StatusCode::PARTIAL_CONTENT => {
            Some(format!("bytes {}-{}/{length}", range.start, range.end - 1))
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Some(format!("bytes */{length}")),
        _ => None,
    };
    if let Some(part) = part {
        answer = answer.header(header::CONTENT_RANGE, part);
    }
    answer.body(body).map_err(Problem::unexpected)
}

#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Whole,
    Part(Range<u64>),
    Outside,
}

/// Reads a `Range`. Several ranges and anything unknown are answered with the whole, as the
/// standard allows.
fn read(text: &str, length: u64) -> Wish {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wish::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(last)) if first.is_empty() => length.saturating_sub(last)..length,
        _ => return Wish::Whole,
    };
    if range.start < range.end { Wish::Part(range) } else { Wish::Outside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (text, wish) in [
            ("bytes=0-0", Wish::Part(0..1)),
            ("bytes=0-", Wish::Part(0..100)),
            ("bytes=90-200", Wish::Part(90..100)),
            ("bytes=-10", Wish::Part(90..100)),
            ("bytes=-1000", Wish::Part(0..100)),
            ("bytes=100-", Wish::Outside),
            ("bytes=-0", Wish::Outside),
            ("bytes=5-4", Wish::Whole),
            ("bytes=0-1,5-6", Wish::Whole),
            ("seconds=1-2", Wish::Whole),
            ("bytes=a-b", Wish::Whole),
        ] {
            assert_eq!(read(text, 100), wish, "{text}");
        }
    }
}
