//! How a record is printed: kcat's `-f` tokens, or `-J` for a JSON envelope a line.

use millstream::protocol::records::{Record, TimestampType};
use serde_json::{Value, json};
use std::io::Write;

/// Where a record was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) timestamp_type: TimestampType,
}

/// A way to print records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// Pieces of text and tokens.
    Pieces(Vec<Piece>),
    /// One JSON object a line: topic, partition, offset, tstype, ts, headers, key, payload.
    Json,
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Vec<u8>),
    Key,
    KeyLength,
    Payload,
    PayloadLength,
    Timestamp,
    Headers,
    Topic,
    Partition,
    Offset,
}

impl Format {
    /// Reads `-f`: `%k %K %s %S %T %h %t %p %o %%`, and the escapes `\n \r \t \xNN`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            match next {
                '%' => match token(rest.next(), text)? {
                    Some(piece) => {
                        push_text(&mut pieces, &mut literal);
                        pieces.push(piece);
                    }
                    None => literal.push(b'%'),
                },
                '\\' => literal.push(escape(&mut rest, text)?),
                other => literal.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        push_text(&mut pieces, &mut literal);
        Ok(Self::Pieces(pieces))
    }

    /// Writes one record.
    pub(crate) fn write(
        &self,
        out: &mut impl Write,
        place: Place<'_>,
        record: &Record<'_>,
    ) -> std::io::Result<()> {
        match self {
            Self::Json => {
                serde_json::to_writer(&mut *out, &envelope(place, record))?;
                out.write_all(b"\n")
            }
            Self::Pieces(pieces) => {
                pieces.iter().try_for_each(|piece| write_piece(out, piece, place, record))
            }
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, literal: &mut Vec<u8>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(std::mem::take(literal)));
    }
}

/// `None` stands for a plain percent sign.
fn token(letter: Option<char>, format: &str) -> Result<Option<Piece>, String> {
    Ok(Some(match letter {
        Some('k') => Piece::Key,
        Some('K') => Piece::KeyLength,
        Some('s') => Piece::Payload,
        Some('S') => Piece::PayloadLength,
        Some('T') => Piece::Timestamp,
        Some('h') => Piece::Headers,
        Some('t') => Piece::Topic,
        Some('p') => Piece::Partition,
        Some('o') => Piece::Offset,
        Some('%') => return Ok(None),
        Some(other) => {
            return Err(format!("-f {format:?}: %{other} is none of %k %K %s %S %T %h %t %p %o %%"));
        }
        None => return Err(format!("-f {format:?}: a single % at the end; write %% for a percent sign")),
    }))
}

fn escape(rest: &mut std::str::Chars<'_>, format: &str) -> Result<u8, String> {
    let bad = || format!("-f {format:?}: escapes are \\n \\r \\t \\\\ and \\xNN");
    match rest.next() {
        Some('n') => Ok(b'\n'),
        Some('r') => Ok(b'\r'),
        Some('t') => Ok(b'\t'),
        Some('\\') => Ok(b'\\'),
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            u8::from_str_radix(&digits, 16).map_err(|_| bad())
        }
        _ => Err(bad()),
    }
}

fn write_piece(
    out: &mut impl Write,
    piece: &Piece,
    place: Place<'_>,
    record: &Record<'_>,
) -> std::io::Result<()> {
    let length =
        |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    match piece {
        Piece::Text(text) => out.write_all(text),
        Piece::Key => out.write_all(record.key.unwrap_or_default()),
        Piece::Payload => out.write_all(record.value.unwrap_or_default()),
        Piece::KeyLength => write!(out, "{}", length(record.key)),
        Piece::PayloadLength => write!(out, "{}", length(record.value)),
        Piece::Timestamp => write!(out, "{}", record.timestamp),
        Piece::Topic => out.write_all(place.topic.as_bytes()),
        Piece::Partition => write!(out, "{}", place.partition),
        Piece::Offset => write!(out, "{}", record.offset),
        Piece::Headers => {
            for (position, (name, value)) in record.headers.iter().enumerate() {
                let separator = if position == 0 { "" } else { "," };
                write!(out, "{separator}{}=", String::from_utf8_lossy(name))?;
                out.write_all(value.unwrap_or(b"NULL"))?;
            }
            Ok(())
        }
    }
}

fn envelope(place: Place<'_>, record: &Record<'_>) -> Value {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut envelope = json!({
        "topic": place.topic,
        "partition": place.partition,
        "offset": record.offset,
        "tstype": if place.timestamp_type == TimestampType::LogAppendTime { "logappend" } else { "create" },
        "ts": record.timestamp,
    });
    if !record.headers.is_empty() {
        // kcat's form: names and values by turns, so that repeated names survive.
        let headers: Vec<Value> = record
            .headers
            .iter()
            .flat_map(|(name, value)| [json!(text(Some(name))), json!(text(value))])
            .collect();
        envelope["headers"] = headers.into();
    }
    envelope["key"] = json!(text(record.key));
    envelope["payload"] = json!(text(record.value));
    envelope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_pieces_of_text_and_tokens() {
        let format = Format::parse(r"%t/%p@%o\t%k=%s%%\x0a").unwrap();
        let Format::Pieces(pieces) = format else { panic!("pieces") };
        assert_eq!(pieces.first(), Some(&Piece::Topic));
        assert_eq!(pieces.last(), Some(&Piece::Text(b"%\n".to_vec())));
        assert!(Format::parse("%q").unwrap_err().contains("%q"));
    }

    #[test]
    fn a_record_is_printed_by_its_format_and_as_an_envelope() {
        let record =
            Record { offset: 7, timestamp: 1, key: None, value: Some(b"v"), headers: Default::default() };
        let place = Place { topic: "t", partition: 2, timestamp_type: TimestampType::CreateTime };
        let mut out = Vec::new();
        Format::parse("%p:%o:%K:%s").unwrap().write(&mut out, place, &record).unwrap();
        assert_eq!(out, b"2:7:-1:v");
        out.clear();
        Format::Json.write(&mut out, place, &record).unwrap();
        let expected =
            r#"{"topic":"t","partition":2,"offset":7,"tstype":"create","ts":1,"key":null,"payload":"v"}"#;
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), expected);
    }
}
