//! Spark's functions as programs call them: `to_json(struct_([star()]))`. Those that are missing here are called by
//! name with [`call`] or in SQL text with [`expr`](super::expr()).
use super::{Call, Expr, call, lit, star};
use crate::types::{SparkType, StructType};

/// A schema argument: a [`StructType`], a type, or DDL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaText(String);

impl From<&StructType> for SchemaText {
    fn from(schema: &StructType) -> Self {
        Self(schema.to_ddl())
    }
}

impl From<StructType> for SchemaText {
    fn from(schema: StructType) -> Self {
        (&schema).into()
    }
}

impl From<&SparkType> for SchemaText {
    fn from(data_type: &SparkType) -> Self {
        Self(data_type.sql())
    }
}

impl From<SparkType> for SchemaText {
    fn from(data_type: SparkType) -> Self {
        (&data_type).into()
    }
}

impl From<&str> for SchemaText {
    fn from(ddl: &str) -> Self {
        Self(ddl.to_owned())
    }
}

impl From<String> for SchemaText {
    fn from(ddl: String) -> Self {
        Self(ddl)
    }
}

/// Functions of one argument.
macro_rules! of_one {
    ($($(#[$doc:meta])* $name:ident = $spark:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(of: Expr) -> Expr {
            call($spark, vec![of])
        }
    )*};
}

/// Functions of any number of arguments.
macro_rules! of_many {
    ($($(#[$doc:meta])* $name:ident = $spark:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(of: impl IntoIterator<Item = Expr>) -> Expr {
            call($spark, of.into_iter().collect())
        }
    )*};
}

/// Functions without arguments.
macro_rules! of_none {
    ($($(#[$doc:meta])* $name:ident = $spark:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name() -> Expr {
            call($spark, Vec::new())
        }
    )*};
}

of_one! {
    /// Values that are not NULL; [`star`] or a constant counts rows.
    count = "count";
    /// Sum; overflow is an error in ANSI mode.
    sum = "sum";
    /// Average: DOUBLE, or DECIMAL of decimals.
    avg = "avg";
    /// Smallest value.
    min = "min";
    /// Largest value.
    max = "max";
    /// Any value of the group, NULLs included.
    first = "first";
    /// The last value of the group, NULLs included.
    last = "last";
    /// All values that are not NULL, as an array.
    collect_list = "collect_list";
    /// All different values that are not NULL, as an array.
    collect_set = "collect_set";
    /// A row for each element or map entry; none for NULL or empty.
    explode = "explode";
    /// As [`explode`], but a row of NULL for NULL or empty.
    explode_outer = "explode_outer";
    /// As [`explode`], with the position first.
    posexplode = "posexplode";
    /// A row for each struct of an array, its fields as columns.
    inline = "inline";
    /// Upper case.
    upper = "upper";
    /// Lower case.
    lower = "lower";
    /// Blanks at both ends removed.
    trim = "trim";
    /// Characters of a string, bytes of a binary.
    length = "length";
    /// Elements of an array or map; NULL for NULL.
    size = "size";
    /// Absolute value.
    abs = "abs";
    /// Whether the value is NULL.
    isnull = "isnull";
    /// Text to DATE, by Spark's lenient form.
    to_date = "to_date";
    /// Text to TIMESTAMP, by Spark's lenient form.
    to_timestamp = "to_timestamp";
    /// Seconds since the epoch.
    unix_timestamp = "unix_timestamp";
    /// Year of a date.
    year = "year";
    /// Month of a date, 1 to 12.
    month = "month";
    /// Day of the month.
    dayofmonth = "dayofmonth";
    /// Hour in the session's time zone.
    hour = "hour";
    /// Minute in the session's time zone.
    minute = "minute";
    /// Second in the session's time zone.
    second = "second";
    /// Base 64 of the bytes.
    base64 = "base64";
    /// MD5 of the bytes, in hexadecimal digits.
    md5 = "md5";
}

of_many! {
    /// An array.
    array = "array";
    /// A map of keys and values in turn.
    map = "map";
    /// Strings, binaries or arrays joined; NULL if one is NULL.
    concat = "concat";
    /// The first value that is not NULL.
    coalesce = "coalesce";
    /// The largest value that is not NULL.
    greatest = "greatest";
    /// The smallest value that is not NULL.
    least = "least";
    /// A hash that is the same on every engine: XXH64, seed 42.
    xxhash64 = "xxhash64";
    /// A struct of the columns, named like them. (`struct` in Spark.)
    struct_ = "struct";
}

of_none! {
    /// The time of the batch: one value in a whole micro-batch.
    current_timestamp = "current_timestamp";
    /// The date of the batch in the session's time zone.
    current_date = "current_date";
    /// A number for each row, rising within a partition.
    monotonically_increasing_id = "monotonically_increasing_id";
    /// Random numbers in [0, 1).
    rand = "rand";
}

/// `count(DISTINCT columns)`.
pub fn count_distinct(of: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Call(Call { distinct: true, ..Call::new("count", of.into_iter().collect()) })
}

/// `count(*)`: rows.
pub fn count_all() -> Expr {
    count(lit(1))
}

/// JSON text to a struct, array or map; what cannot be parsed is NULL.
pub fn from_json(text: Expr, schema: impl Into<SchemaText>) -> Expr {
    call("from_json", vec![text, lit(schema.into().0)])
}

/// [`from_json`] with options of the JSON source, such as `("mode", "FAILFAST")`.
pub fn from_json_with(text: Expr, schema: impl Into<SchemaText>, options: &[(&str, &str)]) -> Expr {
    call("from_json", vec![text, lit(schema.into().0), option_map(options)])
}

/// A struct, array or map to JSON text.
pub fn to_json(value: Expr) -> Expr {
    call("to_json", vec![value])
}

/// [`to_json`] with options, such as `("ignoreNullFields", "false")`.
pub fn to_json_with(value: Expr, options: &[(&str, &str)]) -> Expr {
    call("to_json", vec![value, option_map(options)])
}

/// Avro payloads to columns; the schema is the JSON text that they were written with. Mode FAILFAST.
pub fn from_avro(data: Expr, schema: &str) -> Expr {
    call("from_avro", vec![data, lit(schema)])
}

/// [`from_avro`] with options, such as `("mode", "PERMISSIVE")` or `("avroSchema", reader_schema)`.
pub fn from_avro_with(data: Expr, schema: &str, options: &[(&str, &str)]) -> Expr {
    call("from_avro", vec![data, lit(schema), option_map(options)])
}

/// Framed Avro payloads to columns of the subject's latest schema; each payload's own schema comes from the registry
/// at `address`. Options are those of [`from_avro_with`] and the registry's, such as
/// `("basic.auth.user.info", "user:password")`.
pub fn from_avro_registered(data: Expr, subject: &str, address: &str, options: &[(&str, &str)]) -> Expr {
    call("from_avro", vec![data, lit(subject), lit(address), option_map(options)])
}

/// A column to Avro payloads with the schema that its type gives.
pub fn to_avro(value: Expr) -> Expr {
    call("to_avro", vec![value])
}

/// A column to Avro payloads with a schema given as JSON text.
pub fn to_avro_with_schema(value: Expr, schema: &str) -> Expr {
    call("to_avro", vec![value, lit(schema)])
}

/// A column to framed Avro payloads; the schema is registered under the subject in the registry at `address`, unless
/// the option `auto.register.schemas` is false. The option `avroSchema` gives the schema.
pub fn to_avro_registered(value: Expr, subject: &str, address: &str, options: &[(&str, &str)]) -> Expr {
    call("to_avro", vec![value, lit(subject), lit(address), option_map(options)])
}

/// All columns as one struct: `struct(*)`.
pub fn struct_all() -> Expr {
    struct_([star()])
}

/// One line of CSV to a struct.
pub fn from_csv(text: Expr, schema: impl Into<SchemaText>, options: &[(&str, &str)]) -> Expr {
    call("from_csv", vec![text, lit(schema.into().0), option_map(options)])
}

/// A struct to one line of CSV.
pub fn to_csv(value: Expr, options: &[(&str, &str)]) -> Expr {
    call("to_csv", vec![value, option_map(options)])
}

/// A key or value that one of Kafka's own serializers wrote, such as `"long"`; NULL where the bytes are none.
pub fn from_kafka(bytes: Expr, plain: &str) -> Expr {
    call("from_kafka", vec![bytes, lit(plain)])
}

/// A value as one of Kafka's own serializers writes it, such as `"long"`.
pub fn to_kafka(value: Expr, plain: &str) -> Expr {
    call("to_kafka", vec![value, lit(plain)])
}

/// A Protobuf message to a struct; `descriptors` is the path of a descriptor set, or its bytes as a constant.
pub fn from_protobuf(
    data: Expr,
    message: &str,
    descriptors: impl Into<Expr>,
    options: &[(&str, &str)],
) -> Expr {
    call("from_protobuf", vec![data, lit(message), descriptors.into(), option_map(options)])
}

/// A struct to a Protobuf message.
pub fn to_protobuf(value: Expr, message: &str, descriptors: impl Into<Expr>) -> Expr {
    call("to_protobuf", vec![value, lit(message), descriptors.into()])
}

/// Framed Protobuf messages to columns of the subject's latest schema, or of the option `protobufSchema`, the text of a
/// `.proto` file. The option `schema.registry.protobuf.name` names the message; without it, it is the schema's first.
/// Options are those of [`from_protobuf`] and the registry's, such as `("basic.auth.user.info", "user:password")`.
pub fn from_protobuf_registered(data: Expr, subject: &str, address: &str, options: &[(&str, &str)]) -> Expr {
    call("from_protobuf", vec![data, registered(Some(subject), address, options)])
}

/// A struct to framed Protobuf messages of the subject's latest schema, or of the option `protobufSchema`, which is
/// registered under the subject unless the option `auto.register.schemas` is false.
pub fn to_protobuf_registered(value: Expr, subject: &str, address: &str, options: &[(&str, &str)]) -> Expr {
    call("to_protobuf", vec![value, registered(Some(subject), address, options)])
}

/// Framed JSON documents to columns of a schema; their ids must be those of JSON Schemas of the registry at `address`.
/// Options are those of [`from_json_with`] and the registry's.
pub fn from_json_registered(
    data: Expr,
    schema: impl Into<SchemaText>,
    address: &str,
    options: &[(&str, &str)],
) -> Expr {
    call("from_json", vec![data, lit(schema.into().0), registered(None, address, options)])
}

/// A column to framed JSON documents; the JSON Schema of its type, or the option `jsonSchema`, is registered under the
/// subject in the registry at `address`, unless the option `auto.register.schemas` is false.
pub fn to_json_registered(value: Expr, subject: &str, address: &str, options: &[(&str, &str)]) -> Expr {
    call("to_json", vec![value, registered(Some(subject), address, options)])
}

/// Options that name a registry.
fn registered(subject: Option<&str>, address: &str, options: &[(&str, &str)]) -> Expr {
    let subject = subject.map(|subject| ("schema.registry.subject", subject));
    let place = subject.into_iter().chain([("schema.registry.address", address)]);
    option_map(&place.chain(options.iter().copied()).collect::<Vec<_>>())
}

/// The text that a JSON path such as `$.a.b[0]` finds.
pub fn get_json_object(text: Expr, path: &str) -> Expr {
    call("get_json_object", vec![text, lit(path)])
}

/// Part of a text, from a 1-based position.
pub fn substring(text: Expr, position: i32, length: i32) -> Expr {
    call("substring", vec![text, lit(position), lit(length)])
}

/// Parts of a text between matches of a Java regular expression.
pub fn split(text: Expr, pattern: &str) -> Expr {
    call("split", vec![text, lit(pattern)])
}

/// Strings joined with a separator; NULLs are left out.
pub fn concat_ws(separator: &str, of: impl IntoIterator<Item = Expr>) -> Expr {
    call("concat_ws", std::iter::once(lit(separator)).chain(of).collect())
}

/// Rounded half up to so many digits.
pub fn round(value: Expr, digits: i32) -> Expr {
    call("round", vec![value, lit(digits)])
}

/// A date or time as text by a Java pattern.
pub fn date_format(time: Expr, pattern: &str) -> Expr {
    call("date_format", vec![time, lit(pattern)])
}

/// A tumbling window of a length such as "10 seconds": a struct of `start` and `end`.
pub fn window(time: Expr, length: &str) -> Expr {
    call("window", vec![time, lit(length)])
}

/// A window of a length, a new one every `slide`.
pub fn sliding_window(time: Expr, length: &str, slide: &str) -> Expr {
    call("window", vec![time, lit(length), lit(slide)])
}

/// A window that ends when nothing came for `gap`.
pub fn session_window(time: Expr, gap: &str) -> Expr {
    call("session_window", vec![time, lit(gap)])
}

fn option_map(options: &[(&str, &str)]) -> Expr {
    map(options.iter().flat_map(|(name, value)| [lit(*name), lit(*value)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_expression;
    use crate::tree::col;

    #[test]
    fn functions_build_the_tree_that_sql_text_gives() {
        let schema =
            StructType::new().add("a b", SparkType::Integer, true).add("s", SparkType::String, false);
        let pairs = [
            (
                from_json(col("value").cast(SparkType::String), &schema),
                "from_json(CAST(value AS STRING), '`a b` INT,s STRING NOT NULL')",
            ),
            (
                from_json_with(col("v"), "a INT", &[("mode", "FAILFAST")]),
                "from_json(v, 'a INT', map('mode', 'FAILFAST'))",
            ),
            (to_json(struct_all()), "to_json(struct(*))"),
            (count_all(), "count(*)"),
            (count_distinct([col("v")]), "count(DISTINCT v)"),
            (sum(col("a") * 2 + 0.5f64).alias("s"), "sum(a * 2 + 0.5D) AS s"),
            (col("a").gt(1).and(!col("b").is_in(["x", "y"])), "a > 1 AND NOT b IN ('x', 'y')"),
            (col("a.b").get_item(0).ne(lit(None::<i32>)), "a.b[0] != NULL"),
            (window(col("ts"), "10 seconds"), "window(ts, '10 seconds')"),
            (super::super::when(col("a").lt(1), "x").otherwise("y"), "CASE WHEN a < 1 THEN 'x' ELSE 'y' END"),
        ];
        for (built, text) in pairs {
            assert_eq!(built, parse_expression(text).unwrap(), "{text}");
        }
    }
}
