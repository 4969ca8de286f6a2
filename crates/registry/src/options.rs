//! Where a registry is and how it is spoken to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// Options of a [`crate::Registry`]. Printing them shows no password and no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryOptions {
    /// Base URLs, tried in turn, beginning with the one that answered last. All are the same registry's, and get the
    /// same credentials.
    pub urls: Vec<Uri>,
    /// Default none.
    pub authentication: Authentication,
    /// Files for `https` URLs. Default: the public certificate authorities.
    pub tls: TlsOptions,
    /// Until a connection stands, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// Until one request has its whole answer, connecting included. Default 30 s.
    pub request_timeout: Duration,
    /// Until a call gives up, all attempts and schemas referred to included. Default 60 s.
    pub deadline: Duration,
    /// Pause after each URL has failed once; doubles up to 5 s, with jitter. Default 100 ms.
    pub backoff: Duration,
    /// Largest body of an answer; also how long the texts that one schema refers to may be together. Default 16 MiB.
    pub answer_bytes: usize,
    /// How long an id or a version that the registry does not have is not asked for again. Default 30 s.
    pub missing_for: Duration,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authentication {
    /// Nobody.
    #[default]
    None,
    /// HTTP basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token.
    Bearer(Secret),
}

/// Files in PEM for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Certificate authorities to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// The client's certificate chain.
    pub certificate: Option<PathBuf>,
    /// The client's private key.
    pub key: Option<PathBuf>,
}

/// Names that [`RegistryOptions::from_properties`] takes, without the prefixes.
const NAMES: [&str; 16] = [
    "basic.auth.credentials.source",
    "basic.auth.user.info",
    "bearer.auth.credentials.source",
    "bearer.auth.token",
    "connect.timeout.ms",
    "deadline.ms",
    "request.timeout.ms",
    "retry.backoff.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.certificate.location",
    "ssl.keystore.key.location",
    "ssl.keystore.location",
    "ssl.truststore.location",
    "ssl.truststore.type",
];
/// What may stand before a name: Databricks', then Confluent's.
const PREFIXES: [&str; 2] = ["confluent.", "schema.registry."];

impl RegistryOptions {
    /// The registry at these URLs, separated by commas, with all defaults. Credentials in a URL
    /// (`https://user:password@host`) are taken out of it and sent to each of them.
    ///
    /// # Errors
    /// [`Error::Config`] for what is no `http` or `https` URL, and for two URLs with different credentials.
    pub fn new(urls: &str) -> Result<Self> {
        let mut authentication = Authentication::None;
        let mut parsed = Vec::new();
        for text in urls.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (plain, credentials) = without_credentials(text);
            if let Some(credentials) = credentials {
                let found = basic(&credentials)?;
                if !matches!(&authentication, Authentication::None) && authentication != found {
                    let why = "it has other credentials than the URL before it; give them once, by basic.auth.user.info";
                    return Err(bad_url(&plain, why));
                }
                authentication = found;
            }
            let uri: Uri = plain.parse().map_err(|e| bad_url(&plain, format!("{e}")))?;
            if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
                return Err(bad_url(&plain, "write http://host:port or https://host:port"));
            }
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            if uri.port_u16().is_none() && !authority.ends_with(uri.host().unwrap_or_default()) {
                return Err(bad_url(&plain, "the port is no number up to 65535"));
            }
            if uri.query().is_some() || plain.contains('#') {
                return Err(bad_url(&plain, "write it without what follows ? or #"));
            }
            parsed.push(uri);
        }
        if parsed.is_empty() {
            return Err(bad_url(urls, "name at least one URL"));
        }
        Ok(Self {
            urls: parsed,
            authentication,
            tls: TlsOptions::default(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
            backoff: Duration::from_millis(100),
            answer_bytes: 16 << 20,
            missing_for: Duration::from_secs(30),
        })
    }

    /// As [`RegistryOptions::new`], with properties by the names of Confluent's clients, which `schema.registry.` or
    /// `confluent.schema.registry.` may stand before: `basic.auth.user.info`, `bearer.auth.token`,
    /// `ssl.ca.location`, `ssl.certificate.location`, `ssl.key.location` (PEM), `connect.timeout.ms`,
    /// `request.timeout.ms`, `deadline.ms`, `retry.backoff.ms`.
    ///
    /// # Errors
    /// [`Error::Config`] for names that mean nothing, values that do not fit, and both kinds of credentials at once.
    pub fn from_properties(urls: &str, properties: &BTreeMap<String, String>) -> Result<Self> {
        let mut options = Self::new(urls)?;
        let (mut user, mut token) = (false, false);
        for (written, value) in properties {
            let name = PREFIXES
                .iter()
                .fold(written.as_str(), |name, prefix| name.strip_prefix(prefix).unwrap_or(name));
            let name = name.to_ascii_lowercase();
            options.set(written, &name, value)?;
            user |= name == "basic.auth.user.info";
            token |= name == "bearer.auth.token";
        }
        if user && token {
            let why = "it cannot go with basic.auth.user.info: leave out one of them".into();
            return Err(Error::Config { option: "bearer.auth.token".into(), why });
        }
        Ok(options)
    }

    fn set(&mut self, written: &str, name: &str, value: &str) -> Result<()> {
        let bad = |why: &str| Error::Config { option: written.to_owned(), why: why.to_owned() };
        let millis = || {
            let number = value.trim().parse::<u64>().ok().filter(|ms| *ms > 0);
            number.map(Duration::from_millis).ok_or_else(|| bad("use a number of milliseconds above 0"))
        };
        match name {
            "basic.auth.user.info" => self.authentication = basic(value)?,
            "basic.auth.credentials.source" => {
                if !["URL", "USER_INFO"].contains(&value.to_ascii_uppercase().as_str()) {
                    return Err(bad("use USER_INFO (with basic.auth.user.info) or URL"));
                }
            }
            "bearer.auth.token" => self.authentication = Authentication::Bearer(value.into()),
            "bearer.auth.credentials.source" => {
                if !value.eq_ignore_ascii_case("STATIC_TOKEN") {
                    return Err(bad("use STATIC_TOKEN (with bearer.auth.token)"));
                }
            }
            "ssl.ca.location" | "ssl.truststore.location" => self.tls.ca = Some(value.into()),
            "ssl.certificate.location" | "ssl.keystore.certificate.location" => {
                self.tls.certificate = Some(value.into());
            }
            "ssl.key.location" | "ssl.keystore.key.location" => self.tls.key = Some(value.into()),
            "ssl.keystore.location" => {
                self.tls.certificate = Some(value.into());
                self.tls.key = Some(value.into());
            }
            "ssl.truststore.type" => {
                if !value.eq_ignore_ascii_case("PEM") {
                    return Err(bad(
                        "only PEM files can be read; convert a JKS store with keytool and openssl",
                    ));
                }
            }
            "url" => return Err(bad("the URLs are given beside the options, not among them")),
            "connect.timeout.ms" => self.connect_timeout = millis()?,
            "request.timeout.ms" => self.request_timeout = millis()?,
            "deadline.ms" => self.deadline = millis()?,
            "retry.backoff.ms" => self.backoff = millis()?,
            _ => {
                let nearest = NAMES.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
                return Err(bad(&format!(
                    "there is no such option; the nearest is {}",
                    nearest.unwrap_or(&"basic.auth.user.info")
                )));
            }
        }
        Ok(())
    }
}

fn basic(user_info: &str) -> Result<Authentication> {
    let (user, password) = user_info.split_once(':').ok_or_else(|| Error::Config {
        option: "basic.auth.user.info".into(),
        why: "write user:password".into(),
    })?;
    Ok(Authentication::Basic { user: user.to_owned(), password: password.into() })
}

/// The URL and the `user:password` that stood in it.
fn without_credentials(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((credentials, _)) => {
            let decoded = percent_encoding::percent_decode_str(credentials).decode_utf8_lossy().into_owned();
            (format!("{scheme}://{}", &rest[credentials.len() + 1..]), Some(decoded))
        }
        None => (url.to_owned(), None),
    }
}

/// Shows of the URL only what cannot be a badly written password: what follows the last `@`.
fn bad_url(url: &str, why: impl Into<String>) -> Error {
    let shown = match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    };
    Error::Config { option: "schema.registry.url".into(), why: format!("{shown:?}: {}", why.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(urls: &str) -> String {
        RegistryOptions::new(urls).unwrap_err().to_string()
    }

    fn refused_with(properties: &[(&str, &str)]) -> String {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        RegistryOptions::from_properties("http://a", &properties.collect()).unwrap_err().to_string()
    }

    #[test]
    fn options_that_mean_nothing_are_refused_with_the_nearest_name() {
        let wrong = [
            (("schema.registry.basic.auth.user.inf", "a:b"), "basic.auth.user.info"),
            (("basic.auth.user.info", "alice"), "user:password"),
            (("deadline.ms", "soon"), "milliseconds"),
            (("ssl.truststore.type", "JKS"), "PEM"),
            (("schema.registry.url", "http://b"), "beside the options"),
        ];
        for (property, why) in wrong {
            let text = refused_with(&[property]);
            assert!(text.contains(why), "{text}");
        }
        assert!(
            refused_with(&[("basic.auth.user.info", "a:b"), ("bearer.auth.token", "t")])
                .contains("leave out")
        );
    }

    #[test]
    fn urls_that_cannot_be_used_are_refused_without_showing_a_password() {
        let wrong = [
            ("ftp://a", "http://host:port"),
            (" , ", "at least one"),
            ("http://", "schema.registry.url"),
            ("http://a/path?x=1", "what follows ?"),
            // A slash in a password has to be written %2F.
            ("http://alice:s3/cret@host", "the port is no number"),
            ("http://a:70000", "the port is no number"),
            ("alice:s3cret@host:8081", "http://host:port"),
            ("alice:s3cret@ho st", "schema.registry.url"),
            ("http://alice@host", "user:password"),
            ("http://alice:pw1@a,http://bob:pw2@b", "basic.auth.user.info"),
        ];
        for (urls, why) in wrong {
            let text = refused(urls);
            let is_secret = ["s3", "pw1", "pw2"].iter().any(|secret| text.contains(secret));
            assert!(text.contains(why) && !is_secret, "{urls}: {text}");
        }
    }

    #[test]
    fn credentials_are_taken_out_of_the_urls() {
        let options = RegistryOptions::new("https://alice:p%40ss@a:8081/base, https://b").unwrap();
        let urls: Vec<String> = options.urls.iter().map(ToString::to_string).collect();
        assert_eq!(urls, ["https://a:8081/base", "https://b/"]);
        let password = Secret::from("p@ss");
        assert_eq!(options.authentication, Authentication::Basic { user: "alice".into(), password });
        assert!(!format!("{options:?}").contains("p@ss"));
        // An @ in the path is no credential.
        assert_eq!(RegistryOptions::new("http://a/x@y").unwrap().authentication, Authentication::None);
    }
}
