//! Options of `from_protobuf` and `to_protobuf`, with Spark's names and defaults.

use crate::json::ParseMode;
use crate::{Error, Result};

/// Options of Protobuf. Defaults are Spark's.
#[derive(Debug, Clone)]
pub struct ProtobufOptions {
    /// Default FAILFAST. PERMISSIVE gives null for bytes that are no such message.
    pub mode: ParseMode,
    /// `recursive.fields.max.depth`: how often a message may stand inside of itself, 1 to 10; deeper fields are
    /// left out. Default none: such messages are refused.
    pub recursive_fields_max_depth: Option<usize>,
    /// `emit.default.values`: fields of proto3 without presence are never null. Default false.
    pub emit_default_values: bool,
    /// `enums.as.ints`. Default false: names.
    pub enums_as_ints: bool,
    /// `upcast.unsigned.ints`: uint32 is bigint and uint64 is decimal(20,0). Default false: they wrap.
    pub upcast_unsigned_ints: bool,
    /// `unwrap.primitive.wrapper.types`: `google.protobuf.Int64Value` and the like are their value. Default
    /// false: a struct of it.
    pub unwrap_primitive_wrapper_types: bool,
    /// `retain.empty.message.types`: messages without fields are structs of one field that is always null. Default
    /// false: they are left out.
    pub retain_empty_message_types: bool,
}

impl Default for ProtobufOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::FailFast,
            recursive_fields_max_depth: None,
            emit_default_values: false,
            enums_as_ints: false,
            upcast_unsigned_ints: false,
            unwrap_primitive_wrapper_types: false,
            retain_empty_message_types: false,
        }
    }
}

impl ProtobufOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option.
    ///
    /// # Errors
    /// [`Error::BadOption`] for a value that has no meaning, and for `convert.any.fields.to.json`, which is not
    /// supported yet.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        let bad = |why: &str| Error::BadOption { option: name.into(), value: value.into(), why: why.into() };
        let boolean = || match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(bad("use true or false")),
        };
        match name.to_ascii_lowercase().as_str() {
            "mode" => {
                self.mode = match value.to_ascii_uppercase().as_str() {
                    "FAILFAST" => ParseMode::FailFast,
                    "DROPMALFORMED" => {
                        return Err(bad("from_protobuf knows the modes PERMISSIVE and FAILFAST"));
                    }
                    // What is no mode is PERMISSIVE, as in Spark.
                    _ => ParseMode::Permissive,
                }
            }
            "recursive.fields.max.depth" => {
                let depth: i32 = value.parse().map_err(|_| bad("use a whole number"))?;
                self.recursive_fields_max_depth = match depth {
                    1..=10 => Some(depth.unsigned_abs() as usize),
                    // As if nothing were said: messages inside of themselves are refused.
                    _ => None,
                }
            }
            "emit.default.values" => self.emit_default_values = boolean()?,
            "enums.as.ints" => self.enums_as_ints = boolean()?,
            "upcast.unsigned.ints" => self.upcast_unsigned_ints = boolean()?,
            "unwrap.primitive.wrapper.types" => self.unwrap_primitive_wrapper_types = boolean()?,
            "retain.empty.message.types" => self.retain_empty_message_types = boolean()?,
            "convert.any.fields.to.json" => {
                if boolean()? {
                    return Err(bad(
                        "Any fields as JSON are not supported yet; they come as type_url and value",
                    ));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
