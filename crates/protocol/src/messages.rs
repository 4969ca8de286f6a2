//! Requests and responses with their headers.
//!
//! The structs of the small messages are those of the crate `kafka-protocol`, re-exported as [`kp`]. It is
//! given no bytes that [`crate::schema`] has not walked: on its own it reserves memory for any count that
//! a stranger claims. Fetch responses and produce requests have their own modules.
//!
//! | header                        | fields                                                         |
//! |-------------------------------|----------------------------------------------------------------|
//! | request, version 1            | api key, api version, correlation id, client id                |
//! | request, version 2 (flexible) | the same and tagged fields                                     |
//! | response, version 0           | correlation id; also for every version of ApiVersions (KIP-511)|
//! | response, version 1 (flexible)| the same and tagged fields                                     |

use bytes::{BufMut, Bytes, BytesMut};
pub use kafka_protocol::messages as kp;
pub use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message, Request, StrBytes};

use crate::cursor::Cursor;
use crate::schema::{self, Direction};
use crate::{ApiKey, Error, Limits, Result};

/// A request's header, and its body as bytes.
#[derive(Debug, Clone)]
pub struct RequestFrame {
    /// Kind of the request; may be one that this version does not know.
    pub api: ApiKey,
    /// Version of the request; may be one that this version does not know.
    pub version: i16,
    /// Number that the response has to repeat.
    pub correlation: i32,
    /// Name that the client gives itself.
    pub client_id: Option<String>,
    /// What follows the header. Of an unknown kind or version, what follows the client id.
    pub body: Bytes,
}

/// Lowest and highest version that this crate reads and writes; `None` for a kind it does not know.
pub fn supported_versions(api: ApiKey) -> Option<(i16, i16)> {
    schema::versions(api)
}

/// Highest version that a client of this crate and the broker have; `None` if there is none.
pub fn negotiate(api: ApiKey, broker_min: i16, broker_max: i16) -> Option<i16> {
    let (min, max) = supported_versions(api)?;
    let version = max.min(broker_max);
    (version >= min.max(broker_min)).then_some(version)
}

/// A whole frame, length included.
pub fn encode_request<R: Request>(
    correlation: i32,
    client_id: Option<&str>,
    version: i16,
    body: &R,
) -> Result<Bytes> {
    let api = ApiKey(R::KEY);
    check_version(api, version)?;
    let mut header = kp::RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation);
    header.client_id = client_id.map(|id| StrBytes::from_string(id.to_owned()));
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    header
        .encode(&mut frame, R::header_version(version))
        .and_then(|()| body.encode(&mut frame, version))
        .map_err(|error| Error::Encode { api, version, what: error.to_string().into() })?;
    close_frame(api, version, frame)
}

/// The correlation id and the body of a response. `frame` is what follows the length.
pub fn decode_response<R>(api: ApiKey, version: i16, frame: Bytes, limits: &Limits) -> Result<(i32, R)>
where
    R: Message + Decodable + HeaderVersion,
{
    check_version(api, version)?;
    let mut cursor = Cursor::new(&frame, api, version, limits);
    let correlation = cursor.i32()?;
    if R::header_version(version) >= 1 {
        cursor.skip_tags()?;
    }
    let at = cursor.position();
    schema::walk(api, version, Direction::Response, &frame[at..], limits)?;
    Ok((correlation, decode(api, version, frame.slice(at..))?))
}

/// The correlation id of a response, to find the request that it answers.
pub fn peek_correlation(frame: &[u8]) -> Result<i32> {
    match frame.first_chunk::<4>() {
        Some(bytes) => Ok(i32::from_be_bytes(*bytes)),
        None => Err(Error::Malformed {
            api: ApiKey(-1),
            version: -1,
            at: 0,
            what: "the response ends before its correlation id".into(),
        }),
    }
}

/// Splits a request's frame, which is what follows the length, into header and body.
///
/// A kind or version that this crate does not know is not an error here, so that a broker can say so.
pub fn decode_request_header(frame: Bytes, limits: &Limits) -> Result<RequestFrame> {
    let mut cursor = Cursor::new(&frame, ApiKey(-1), -1, limits);
    let api = ApiKey(cursor.i16()?);
    let version = cursor.i16()?;
    cursor.name(api, version);
    let correlation = cursor.i32()?;
    let client_id = cursor.nullable_string()?.map(str::to_owned);
    if schema::is_flexible(api, version) {
        cursor.skip_tags()?;
    }
    let at = cursor.position();
    Ok(RequestFrame { api, version, correlation, client_id, body: frame.slice(at..) })
}

/// The body of a request.
pub fn decode_request<R: Request>(version: i16, body: Bytes, limits: &Limits) -> Result<R> {
    let api = ApiKey(R::KEY);
    check_version(api, version)?;
    schema::walk(api, version, Direction::Request, &body, limits)?;
    decode(api, version, body)
}

/// A whole response frame, length included.
pub fn encode_response<R>(correlation: i32, api: ApiKey, version: i16, body: &R) -> Result<Bytes>
where
    R: Message + Encodable + HeaderVersion,
{
    check_version(api, version)?;
    let mut frame = BytesMut::with_capacity(256);
    frame.put_i32(0);
    frame.put_i32(correlation);
    if R::header_version(version) >= 1 {
        frame.put_u8(0);
    }
    body.encode(&mut frame, version).map_err(|error| Error::Encode {
        api,
        version,
        what: error.to_string().into(),
    })?;
    close_frame(api, version, frame)
}

fn check_version(api: ApiKey, version: i16) -> Result<()> {
    match supported_versions(api) {
        Some((min, max)) if (min..=max).contains(&version) => Ok(()),
        _ => Err(Error::UnsupportedApi { api, version }),
    }
}

/// Decodes a body that has been walked. An error or bytes left over mean that table and decoder disagree.
fn decode<R: Decodable>(api: ApiKey, version: i16, mut body: Bytes) -> Result<R> {
    let total = body.len();
    let message = R::decode(&mut body, version);
    let at = total - body.len();
    let malformed = |what: String| Error::Malformed { api, version, at, what: what.into() };
    let message = message.map_err(|error| malformed(error.to_string()))?;
    if body.is_empty() { Ok(message) } else { Err(malformed(format!("{} bytes are left over", body.len()))) }
}

fn close_frame(api: ApiKey, version: i16, mut frame: BytesMut) -> Result<Bytes> {
    let length = i32::try_from(frame.len() - 4).map_err(|_| Error::Encode {
        api,
        version,
        what: "it is longer than 2 GiB".into(),
    })?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses_of_every_header_version_come_back() {
        let limits = Limits::default();
        for version in 0..=13 {
            let request = kp::MetadataRequest::default().with_topics(Some(vec![]));
            let frame = encode_request(5, Some("me"), version, &request).unwrap();
            let head = decode_request_header(frame.slice(4..), &limits).unwrap();
            assert_eq!((head.api, head.version, head.correlation), (ApiKey::METADATA, version, 5));
            assert_eq!(head.client_id.as_deref(), Some("me"));
            assert_eq!(decode_request::<kp::MetadataRequest>(version, head.body, &limits).unwrap(), request);
            let response = kp::MetadataResponse::default();
            let frame = encode_response(6, ApiKey::METADATA, version, &response).unwrap();
            assert_eq!(peek_correlation(&frame[4..]), Ok(6));
            let (correlation, back) =
                decode_response::<kp::MetadataResponse>(ApiKey::METADATA, version, frame.slice(4..), &limits)
                    .unwrap();
            assert_eq!((correlation, back.brokers.len()), (6, 0));
        }
        assert!(peek_correlation(&[0; 3]).is_err());
    }

    #[test]
    fn the_response_header_of_api_versions_is_never_flexible() {
        for version in 0..=4 {
            let body = kp::ApiVersionsResponse::default().with_error_code(35);
            let frame = encode_response(1, ApiKey::API_VERSIONS, version, &body).unwrap();
            assert_eq!(frame[8..10], [0, 35], "v{version}: the error code follows the correlation id");
            let api = ApiKey::API_VERSIONS;
            let read = decode_response::<kp::ApiVersionsResponse>(
                api,
                version,
                frame.slice(4..),
                &Limits::default(),
            );
            assert_eq!(read.unwrap().1.error_code, 35);
        }
    }

    #[test]
    fn a_request_of_an_unknown_kind_or_version_still_tells_its_header() {
        let limits = Limits::default();
        let frame = |api: i16, version: i16, rest: &[u8]| {
            let head = [&api.to_be_bytes()[..], &version.to_be_bytes(), &9i32.to_be_bytes(), &[0, 1, b'c']];
            Bytes::from([&head.concat()[..], rest].concat())
        };
        let head = decode_request_header(frame(18, 99, &[0, 1, 2]), &limits).unwrap();
        assert_eq!((head.correlation, &head.body[..]), (9, &[1, 2][..]), "its tags are passed over");
        let head = decode_request_header(frame(999, 0, &[5]), &limits).unwrap();
        assert_eq!((head.api, &head.body[..]), (ApiKey(999), &[5][..]));
        for cut in 0..11 {
            assert!(decode_request_header(frame(18, 3, &[]).slice(..cut), &limits).is_err());
        }
        let unsupported = encode_request(1, None, 99, &kp::MetadataRequest::default()).unwrap_err();
        assert_eq!(unsupported, Error::UnsupportedApi { api: ApiKey::METADATA, version: 99 });
    }

    #[test]
    fn the_highest_common_version_is_negotiated() {
        assert_eq!(negotiate(ApiKey::FETCH, 4, 18), Some(18));
        assert_eq!(negotiate(ApiKey::FETCH, 0, 11), Some(11));
        assert_eq!(negotiate(ApiKey::FETCH, 19, 20), None);
        assert_eq!(negotiate(ApiKey::PRODUCE, 0, 14), Some(13));
        assert_eq!(negotiate(ApiKey(-3), 0, 9), None);
        for api in ApiKey::named().filter(|api| supported_versions(*api).is_some()) {
            let (min, max) = supported_versions(api).unwrap();
            assert!(min <= max, "{api}");
        }
    }
}
