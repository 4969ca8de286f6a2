//! Spark's analysis errors, one constructor for each way in which a text can be wrong.
//!
//! Names of columns and functions are quoted with backticks, SQL, types and settings with double quotes,
//! as Spark's parameters have them.

use crate::error::{Error, SparkError};
use crate::functions;
use crate::types::SparkType;

use super::coercion::is_numeric;
use super::typed::Typed;

/// `parts` as a quoted identifier: `` `a`.`b` ``.
pub(crate) fn identifier<S: AsRef<str>>(parts: &[S]) -> String {
    let quoted: Vec<String> = parts.iter().map(|p| format!("`{}`", p.as_ref().replace('`', "``"))).collect();
    quoted.join(".")
}

/// A type as error parameters have it: `"INT"`.
pub(crate) fn quoted_type(data_type: &SparkType) -> String {
    format!("\"{}\"", data_type.sql())
}

pub(crate) fn spark<K, V, const N: usize>(condition: &str, parameters: [(K, V); N]) -> Error
where
    K: Into<String>,
    V: Into<String>,
{
    SparkError::new(condition, parameters).into()
}

/// No column has this name. `proposal` holds the closest names, best first.
pub(crate) fn unresolved_column(parts: &[String], proposal: &[String]) -> Error {
    let name = identifier(parts);
    if proposal.is_empty() {
        return spark("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", [("objectName", name)]);
    }
    spark("UNRESOLVED_COLUMN.WITH_SUGGESTION", [("objectName", name), ("proposal", proposal.join(", "))])
}

/// Several columns have this name.
pub(crate) fn ambiguous(parts: &[String], candidates: &[String]) -> Error {
    let references = format!("[{}]", candidates.join(", "));
    spark("AMBIGUOUS_REFERENCE", [("name", identifier(parts)), ("referenceNames", references)])
}

/// A struct has no such field.
pub(crate) fn field_not_found(field: &str, fields: &[String]) -> Error {
    let fields: Vec<String> = fields.iter().map(|f| identifier(&[f])).collect();
    spark("FIELD_NOT_FOUND", [("fieldName", identifier(&[field])), ("fields", fields.join(", "))])
}

/// No function has this name.
pub(crate) fn unresolved_routine(name: &str) -> Error {
    let path = "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]";
    let parameters = [("routineName", identifier(&[name])), ("searchPath", path.to_owned())];
    let error = SparkError::new("UNRESOLVED_ROUTINE", parameters);
    match functions::nearest(&name.to_lowercase()) {
        Some(nearest) => error.about("Did you mean", nearest).into(),
        None => error.into(),
    }
}

/// No table or view has this name.
pub(crate) fn table_not_found(parts: &[String]) -> Error {
    spark("TABLE_OR_VIEW_NOT_FOUND", [("relationName", identifier(parts))])
}

/// A function got another number of arguments than `expected` says.
pub(crate) fn wrong_num_args(name: &str, expected: &str, actual: usize) -> Error {
    spark(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        [
            ("functionName", identifier(&[name])),
            ("expectedNum", expected.to_owned()),
            ("actualNum", actual.to_string()),
            ("docroot", "https://spark.apache.org/docs/latest".to_owned()),
        ],
    )
}

/// Argument `index` (from 0) of the function call `sql` has a type that the function does not take.
pub(crate) fn unexpected_input(sql: &str, index: usize, required: &str, got: &Typed) -> Error {
    spark(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        [
            ("sqlExpr", format!("\"{sql}\"")),
            ("paramIndex", ordinal(index).to_owned()),
            ("requiredType", required.to_owned()),
            ("inputSql", got.quoted_sql()),
            ("inputType", quoted_type(&got.data_type)),
        ],
    )
}

/// Both sides of an operator must have one type and have not.
pub(crate) fn different_operands(sql: &str, left: &SparkType, right: &SparkType) -> Error {
    spark(
        "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
        [("sqlExpr", format!("\"{sql}\"")), ("left", quoted_type(left)), ("right", quoted_type(right))],
    )
}

/// An operator does not work on values of this type.
pub(crate) fn wrong_operand(sql: &str, required: &str, actual: &SparkType) -> Error {
    spark(
        "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
        [
            ("sqlExpr", format!("\"{sql}\"")),
            ("inputType", required.to_owned()),
            ("actualDataType", quoted_type(actual)),
        ],
    )
}

/// The arguments of a function or the branches of a CASE have no common type.
pub(crate) fn different_types(sql: &str, function: &str, types: &[SparkType]) -> Error {
    let types: Vec<String> = types.iter().map(quoted_type).collect();
    let list = match function {
        "array" => format!("({})", types.join(" or ")),
        _ => format!("[{}]", types.join(", ")),
    };
    spark(
        "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        [("sqlExpr", format!("\"{sql}\"")), ("functionName", identifier(&[function])), ("dataType", list)],
    )
}

/// Values of one type are never cast to the other.
pub(crate) fn cannot_cast(sql: &str, from: &SparkType, to: &SparkType) -> Error {
    spark(
        "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
        [("sqlExpr", format!("\"{sql}\"")), ("srcType", quoted_type(from)), ("targetType", quoted_type(to))],
    )
}

/// An argument must be a constant.
pub(crate) fn not_foldable(sql: &str, name: &str, expected: &SparkType, got: &Typed) -> Error {
    spark(
        "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        [
            ("sqlExpr", format!("\"{sql}\"")),
            ("inputName", identifier(&[name])),
            ("inputType", quoted_type(expected)),
            ("inputExpr", got.quoted_sql()),
        ],
    )
}

/// A condition is not BOOLEAN.
pub(crate) fn filter_not_boolean(sql: &str, actual: &SparkType) -> Error {
    spark(
        "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
        [("sqlExpr", format!("\"{sql}\"")), ("filter", format!("\"{sql}\"")), ("type", quoted_type(actual))],
    )
}

/// A column is used beside aggregates but not grouped by.
pub(crate) fn missing_aggregation(sql: &str) -> Error {
    spark(
        "MISSING_AGGREGATION",
        [("expression", format!("\"{sql}\"")), ("expressionAnyValue", format!("\"any_value({sql})\""))],
    )
}

/// A column is used beside aggregates and there is no GROUP BY at all.
pub(crate) fn missing_group_by() -> Error {
    spark("MISSING_GROUP_BY", [] as [(&str, &str); 0])
}

/// Rows cannot be sorted or grouped by values of this type.
pub(crate) fn invalid_ordering(function: &str, sql: &str, data_type: &SparkType) -> Error {
    spark(
        "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
        [
            ("functionName", identifier(&[function])),
            ("dataType", quoted_type(data_type)),
            ("sqlExpr", format!("\"{sql}\"")),
        ],
    )
}

/// A cast that Spark refuses: with the function that does it where casts are strict, or (`without_ansi`) with the
/// setting that allows it.
pub(crate) fn refused_cast(
    sql: &str,
    from: &SparkType,
    to: &SparkType,
    (strict, without_ansi): (bool, bool),
) -> Error {
    let instead = match (from, to) {
        _ if !strict => None,
        (from, SparkType::Date) if is_numeric(from) => Some("`DATE_FROM_UNIX_DATE`"),
        (SparkType::Date, to) if is_numeric(to) => Some("`UNIX_DATE`"),
        _ => None,
    };
    let types = || {
        [("sqlExpr", format!("\"{sql}\"")), ("srcType", quoted_type(from)), ("targetType", quoted_type(to))]
    };
    if let Some(functions) = instead {
        let [a, b, c] = types();
        return spark(
            "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION",
            [a, b, c, ("functionNames", functions.to_owned())],
        );
    }
    if !without_ansi {
        return cannot_cast(sql, from, to);
    }
    let [a, b, c] = types();
    let config = ("config", "\"spark.sql.ansi.enabled\"".to_owned());
    spark(
        "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION",
        [a, b, c, config, ("configVal", "'false'".to_owned())],
    )
}

/// ORDER BY 3 where fewer columns come out.
pub(crate) fn order_by_position(position: i32, size: usize) -> Error {
    spark("ORDER_BY_POS_OUT_OF_RANGE", [("index", position.to_string()), ("size", size.to_string())])
}

fn ordinal(index: usize) -> &'static str {
    const NAMES: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    NAMES.get(index).copied().unwrap_or("later")
}
