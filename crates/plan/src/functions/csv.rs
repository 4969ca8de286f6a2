//! CSV: `from_csv`, `to_csv`, `schema_of_csv`.

mod from_csv;
mod schema_of;
mod to_csv;

pub(super) use from_csv::FromCsv;

use std::collections::BTreeMap;

use millstream_columnar::csv::CsvOptions;

use super::call::{Arity, Call, Function};
use super::json::bad_option;
use crate::analyzer::errors;
use crate::error::Result;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "from_csv", arity: Arity::between(2, 3), build: from_csv::from_csv },
    Function { name: "to_csv", arity: Arity::between(1, 2), build: to_csv::to_csv },
    Function { name: "schema_of_csv", arity: Arity::between(1, 2), build: schema_of::schema_of_csv },
];

/// Options that the session sets when the user does not, and those of the call.
fn options(call: &Call<'_>, index: usize) -> Result<BTreeMap<String, String>> {
    let given = call.options(index)?;
    let mut options = BTreeMap::new();
    for (name, value) in [
        ("timeZone", call.conf.time_zone().to_owned()),
        ("columnNameOfCorruptRecord", call.conf.corrupt_record_column().to_owned()),
    ] {
        if !given.keys().any(|key| key.eq_ignore_ascii_case(name)) {
            options.insert(name.to_owned(), value);
        }
    }
    options.extend(given);
    Ok(options)
}

/// The options as the kernel takes them; `sep` goes before `delimiter`.
fn compile(options: &BTreeMap<String, String>) -> Result<CsvOptions> {
    let mut compiled = CsvOptions::default();
    let has_sep = options.keys().any(|name| name.eq_ignore_ascii_case("sep"));
    for (name, value) in options {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            // An unknown mode is PERMISSIVE, as in Spark; what functions do not know is refused by its caller.
            "mode" if !value.eq_ignore_ascii_case("FAILFAST") => continue,
            "delimiter" if has_sep => continue,
            "quote" | "escape" | "chartoescapequoteescaping" | "comment" if value.chars().count() > 1 => {
                return Err(errors::spark(
                    "OPTION_VALUE_EXCEEDS_ONE_CHARACTER",
                    [("paramName", name.clone()), ("actualValue", value.clone())],
                ));
            }
            _ => {}
        }
        compiled.set(name, value).map_err(bad_option)?;
    }
    Ok(compiled)
}
