//! URLs: `parse_url`, and text in URLs as HTML forms encode it (`url_encode`, `url_decode`).
//!
//! `parse_url` knows what `java.net.URI` knows: RFC 2396, with IPv6 hosts and with letters of all alphabets. A URL
//! whose authority names no host (`h_h.com`) has an authority but no host; one like `mailto:a@b.c` has only a scheme.

use arrow_array::ArrayRef;
use datafusion::common::Result;

use super::regex::Patterns;
use crate::analyzer::Typed;
use crate::error::SparkError;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::external;
use crate::functions::rows::{text, texts};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn of_text(name: &'static str, run: fn(&[ArrayRef]) -> Result<ArrayRef>) -> Simple {
    Simple { name, params: &[super::TEXT], optional: 0, returns: SparkType::String, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[of_text("url_encode", url_encode), of_text("url_decode", url_decode)];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "parse_url", arity: Arity::between(2, 3), build: parse_url },
    Function { name: "try_parse_url", arity: Arity::between(2, 3), build: parse_url },
    Function { name: "try_url_decode", arity: Arity::exactly(1), build: try_url_decode },
];

type Run = fn(&[ArrayRef]) -> Result<ArrayRef>;

/// A part of a URL, or the value of a name in its query.
fn parse_url(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = (0..call.args.len()).map(|i| call.text_only(i)).collect::<crate::error::Result<Vec<_>>>()?;
    let strict = call.conf.ansi() && call.name == "parse_url";
    let (name, run): (&str, Run) = if strict {
        ("parse_url", |args| parts(args, true))
    } else {
        ("try_parse_url", |args| parts(args, false))
    };
    let kernel = Computed { name: name.to_owned(), returns: SparkType::String, run };
    Ok(call.finish(kernel, args, SparkType::String).nullable(true))
}

fn parts(args: &[ArrayRef], strict: bool) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    texts(args, |row| {
        let (url, part) = (text(args, 0).value(row), text(args, 1).value(row));
        let key = args.get(2).map(|_| text(args, 2).value(row));
        if key.is_some() && part != "QUERY" {
            return Ok(None);
        }
        let Some(parsed) = Url::parse(url) else {
            return match strict {
                true => Err(external(SparkError::new("INVALID_URL", [("url", url)]))),
                false => Ok(None),
            };
        };
        let (Some(query), Some(key)) = (parsed.query, key) else {
            return Ok(if key.is_some() { None } else { parsed.part(part) });
        };
        // The name is a pattern, as in Spark.
        let pattern = patterns.get(&format!("(&|^){key}=([^&]*)"), "parse_url")?;
        Ok(pattern.captures(query).and_then(|found| found.get(2)).map(|value| value.as_str().to_owned()))
    })
}

/// A URL's parts as they stand in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    user: Option<&'a str>,
    host: Option<&'a str>,
    /// None where something else than a path follows the scheme.
    path: Option<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

const UNRESERVED: &str = "_-!.~'()*";

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut url = Self::default();
        let (body, fragment) = split(text, '#');
        if fragment.is_some_and(|fragment| !of(fragment, ";/?:@&=+$,[]")) {
            return None;
        }
        url.fragment = fragment;
        let mark = body.find(['/', '?', ':']);
        let hierarchical = match mark.filter(|at| body[*at..].starts_with(':')) {
            Some(at) => {
                let scheme = &body[..at];
                let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
                if !named {
                    return None;
                }
                url.scheme = Some(scheme);
                &body[at + 1..]
            }
            None => body,
        };
        if url.scheme.is_some() && !hierarchical.starts_with('/') {
            return (!hierarchical.is_empty() && of(hierarchical, ";/?:@&=+$,[]")).then_some(url);
        }
        let path = match hierarchical.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                if authority.is_empty() && path.is_empty() && fragment.is_none() {
                    return None;
                }
                if !authority.is_empty() {
                    url.read_authority(authority)?;
                }
                path
            }
            None => hierarchical,
        };
        let (path, query) = split(path, '?');
        let fits = of(path, ":@&=+$,;/") && query.is_none_or(|query| of(query, ";/?:@&=+$,[]"));
        (url.path, url.query) = (Some(path), query);
        fits.then_some(url)
    }

    /// User and host if there are any, else the authority is a name that some registry knows.
    fn read_authority(&mut self, authority: &'a str) -> Option<()> {
        let is_name = of(authority, "$,;:@&=+");
        let (user, rest) = match authority.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, authority),
        };
        let server = user.is_none_or(|user| of(user, ";:&=+$,")).then(|| host(rest)).flatten();
        match server {
            Some(host) => (self.user, self.host) = (user, Some(host)),
            None if is_name => {}
            None => return None,
        }
        self.authority = Some(authority);
        Some(())
    }

    fn part(&self, name: &str) -> Option<String> {
        let part = match name {
            "HOST" => self.host,
            "PATH" => self.path,
            "QUERY" => self.query,
            "REF" => self.fragment,
            "PROTOCOL" => self.scheme,
            "AUTHORITY" => self.authority,
            "USERINFO" => self.user,
            "FILE" => {
                let query = self.query.map_or(String::new(), |query| format!("?{query}"));
                return Some(format!("{}{query}", self.path?));
            }
            _ => None,
        };
        part.map(str::to_owned)
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// Whether a text has only letters and digits, unreserved characters, escapes, and some others.
fn of(text: &str, others: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let fits = match c {
            '%' => (0..2).all(|_| rest.next().is_some_and(|c| c.is_ascii_hexdigit())),
            c if c.is_ascii() => c.is_ascii_alphanumeric() || UNRESERVED.contains(c) || others.contains(c),
            c => !c.is_whitespace() && !c.is_control(),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// The host in front of a port. None if it is neither a name nor an address.
fn host(text: &str) -> Option<&str> {
    let end = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, _) = rest.split_once(']')?;
            address.split('%').next()?.parse::<std::net::Ipv6Addr>().ok()?;
            address.len() + 2
        }
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, port) = text.split_at(end);
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_port =
        port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<i32>().is_ok());
    let known = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() || is_host_name(host);
    (is_port && known).then_some(host)
}

/// Labels of letters, digits and dashes between points; the last begins with a letter where there are several.
fn is_host_name(host: &str) -> bool {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let last = labels.last().copied().unwrap_or("");
    labels.iter().all(is_label) && (labels.len() == 1 || last.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// As HTML forms do: a blank is a plus.
fn url_encode(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let encode = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() || b".-*_".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        };
        Ok(Some(text(args, 0).value(row).bytes().map(encode).collect()))
    })
}

fn url_decode(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let value = text(args, 0).value(row);
        let refused = || external(SparkError::new("CANNOT_DECODE_URL", [("url", value)]));
        decoded(value).map(Some).ok_or_else(refused)
    })
}

fn try_url_decode(call: &Call<'_>) -> crate::error::Result<Typed> {
    static DECODE: Simple =
        of_text("try_url_decode", |args| texts(args, |row| Ok(decoded(text(args, 0).value(row)))));
    DECODE.build(call).map(|typed| typed.nullable(true))
}

fn decoded(value: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = behind.get(..2).and_then(|d| std::str::from_utf8(d).ok())?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &behind[2..];
            }
            other => bytes.push(*other),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_as_javas_do() {
        let url = Url::parse("http://u@h.com:80/p?q=1#f").unwrap();
        assert_eq!((url.host, url.user, url.path), (Some("h.com"), Some("u"), Some("/p")));
        assert_eq!(Url::parse("http://h_h/").unwrap().host, None);
        assert_eq!(Url::parse("a/b").unwrap().path, Some("a/b"));
        for bad in ["a b", "http://h/%zz", "x:", "http://", "1x:/a", "http://[1]/", "http://h:80a]/"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }
}
