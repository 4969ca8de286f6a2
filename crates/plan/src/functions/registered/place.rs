//! Subject, registry, and the options that are neither the registry's nor the format's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use millstream_columnar::framing::SchemaFormat;

use crate::error::{Error, Result};
use crate::functions::call::Call;
use crate::functions::json::bad_option;
use crate::functions::payload::{mismatch, options};
use crate::schemas::{RegisteredSchema, SchemaRegistry, format_name};
use crate::types::SparkType;

type Options = BTreeMap<String, String>;

/// Where schemas are held, and under which name.
pub(in crate::functions) struct Place {
    /// Or the topic, where a strategy is given.
    subject: Option<String>,
    pub address: String,
    /// By their names without prefix, in lower case.
    options: Options,
    pub registry: Arc<dyn SchemaRegistry>,
}

/// Options that a registry does not know.
const OWN_OPTIONS: [&str; 4] = ["auto.register.schemas", "use.latest.version", STRATEGIES[0], STRATEGIES[1]];
const STRATEGIES: [&str; 2] = ["key.subject.name.strategy", "value.subject.name.strategy"];
/// What names the registry, where no argument does.
const ADDRESSES: [&str; 2] = ["address", "url"];
const SUBJECT: &str = "subject";

impl Place {
    /// The registry at an address, with what is left of the options once the format's own are taken out.
    pub fn open(call: &Call<'_>, subject: Option<String>, address: String, given: Options) -> Result<Self> {
        let is_own =
            |name: &str| OWN_OPTIONS.iter().any(|own| own.eq_ignore_ascii_case(without_prefix(name)));
        let (own, registry): (Options, Options) = given.into_iter().partition(|(name, _)| is_own(name));
        let registry = call.conf.registries()?.open(&address, &registry)?;
        let own = own.into_iter().map(|(name, value)| (without_prefix(&name).to_lowercase(), value));
        Ok(Self { subject, address, options: own.collect(), registry })
    }

    /// As [`Self::open`], with subject and address among the options.
    pub fn from_options(call: &Call<'_>, mut given: Options) -> Result<Self> {
        let (address, subject) = (take(&mut given, &ADDRESSES)?, take(&mut given, &[SUBJECT])?);
        Self::open(call, subject, address.unwrap_or_default(), given)
    }

    /// The subject of a schema, by its full name, or of one that is not known yet.
    pub fn subject(&self, record: Option<&str>) -> Result<String> {
        let subject = self.subject.as_ref().ok_or_else(|| {
            bad_option(millstream_columnar::Error::BadOption {
                option: "schema.registry.subject".into(),
                value: String::new(),
                why: "it is not given; name the subject that holds the schema, such as orders-value".into(),
            })
        })?;
        let [key, value] = STRATEGIES.map(|name| self.options.get(name));
        match (key, value) {
            (None, None) => Ok(subject.clone()),
            (Some(_), Some(_)) => Err(bad_option(millstream_columnar::Error::BadOption {
                option: STRATEGIES.join(" and "),
                value: subject.clone(),
                why: "a column is keys or values; give one of the two".into(),
            })),
            (key, value) => {
                let strategy = key.or(value).map_or("", String::as_str);
                self.registry.subject(strategy, subject, key.is_some(), record)
            }
        }
    }

    /// The latest schema of a subject, of the format that the function knows.
    pub fn latest(&self, call: &Call<'_>, subject: &str, format: SchemaFormat) -> Result<RegisteredSchema> {
        let found = self.registry.latest(subject)?;
        check_format(&found, format, &call.name)?;
        Ok(found)
    }

    /// Whether what is written has the subject's latest schema.
    pub fn uses_latest(&self) -> bool {
        self.is_set("use.latest.version", false)
    }

    /// Whether a schema is registered that the subject does not have.
    pub fn registers(&self) -> bool {
        !self.uses_latest() && self.is_set("auto.register.schemas", true)
    }

    fn is_set(&self, name: &str, default: bool) -> bool {
        self.options.get(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
    }
}

/// Subject and address; never the options, which may hold credentials.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("subject", &self.subject).field("address", &self.address).finish()
    }
}

/// The call without its last argument, the options, so that it may be shown.
pub(in crate::functions) fn shown<'a>(call: &Call<'a>, arguments: usize) -> Call<'a> {
    let shown = arguments.min(call.args.len());
    Call { name: call.name.clone(), args: call.args[..shown].to_vec(), conf: call.conf }
}

/// The options in argument `index`, without showing them when they are none.
pub(in crate::functions) fn given_options(call: &Call<'_>, index: usize, format: &str) -> Result<Options> {
    let Some(arg) = call.args.get(index) else { return Ok(Options::new()) };
    let only = Call { name: call.name.clone(), args: vec![arg.clone()], conf: call.conf };
    options(&only, 0, format).map_err(|_| {
        mismatch(&shown(call, index), "The options must be a constant map of strings to strings".into())
    })
}

/// The index of the last argument and the options in it, if they name a registry.
pub(in crate::functions) fn framing_options(
    call: &Call<'_>,
    format: &str,
) -> Result<Option<(usize, Options)>> {
    let index = call.args.len().saturating_sub(1);
    let is_map = call.args.get(index).is_some_and(|arg| {
        arg.foldable && matches!(&arg.data_type, SparkType::Map(key, ..) if **key == SparkType::String)
    });
    if index == 0 || !is_map {
        return Ok(None);
    }
    // What is wrong with options that name no registry, the function itself finds out.
    let Ok(given) = given_options(call, index, format) else { return Ok(None) };
    let names_registry = given.keys().any(|name| is_one_of(name, &ADDRESSES));
    Ok(names_registry.then_some((index, given)))
}

/// Takes an option of one of these names out, which must have a prefix of a registry's options.
pub(in crate::functions) fn take(given: &mut Options, names: &[&str]) -> Result<Option<String>> {
    let found: Vec<String> = given.keys().filter(|name| is_one_of(name, names)).cloned().collect();
    if let [_, _, ..] = found.as_slice() {
        return Err(bad_option(millstream_columnar::Error::BadOption {
            option: found.join(" and "),
            value: String::new(),
            why: "they mean the same; give one of them".into(),
        }));
    }
    Ok(found.first().and_then(|name| given.remove(name)))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    let bare = without_prefix(name);
    bare.len() < name.len() && names.iter().any(|known| known.eq_ignore_ascii_case(bare))
}

/// Databricks writes `confluent.` before the names.
fn without_prefix(name: &str) -> &str {
    ["confluent.", "schema.registry."]
        .iter()
        .fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name))
}

/// Checks that a schema is of the format that the function knows.
pub(super) fn check_format(found: &RegisteredSchema, format: SchemaFormat, function: &str) -> Result<()> {
    let format = format_name(format);
    if found.format.eq_ignore_ascii_case(format) {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "{function} of a schema in {} (id {}); {function} takes {format}",
        found.format, found.id
    )))
}
