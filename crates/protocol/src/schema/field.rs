//! The vocabulary of the tables.
//!
//! A message is a list of fields; a field has a kind and the versions in which it is present. In flexible
//! versions (KIP-482) lengths are compact and every structure ends with tagged fields.

use crate::ApiKey;

/// The schema of one request kind and its response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    pub(crate) api: ApiKey,
    /// Lowest and highest version.
    pub(crate) versions: (i16, i16),
    /// First flexible version, or [`NEVER`].
    pub(crate) flexible: i16,
    pub(crate) request: &'static [Field],
    pub(crate) response: &'static [Field],
}

/// One field of a structure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    from: i16,
    until: i16,
    nullable: i16,
    /// Its tag, if it travels among the tagged fields.
    pub(crate) tag: Option<u32>,
}

/// What a field is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    Uuid,
    /// UTF-8 with a length of 16 bits, or compact.
    Text,
    /// Bytes with a length of 32 bits, or compact.
    Bytes,
    /// Values of one kind after a count of 32 bits, or compact.
    Array(&'static Kind),
    /// Structures after a count of 32 bits, or compact.
    List(&'static [Field]),
    /// One structure.
    Struct(&'static [Field]),
}

/// A version that does not come.
pub(crate) const NEVER: i16 = i16::MAX;

/// A field that is present in all versions and never null.
pub(crate) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, from: 0, until: NEVER, nullable: NEVER, tag: None }
}

/// An array of single values.
pub(crate) const fn array(name: &'static str, element: &'static Kind) -> Field {
    field(name, Kind::Array(element))
}

/// An array of structures.
pub(crate) const fn list(name: &'static str, element: &'static [Field]) -> Field {
    field(name, Kind::List(element))
}

/// A structure within its parent.
pub(crate) const fn nested(name: &'static str, fields: &'static [Field]) -> Field {
    field(name, Kind::Struct(fields))
}

impl Field {
    /// Present from this version.
    pub(crate) const fn from(self, version: i16) -> Self {
        Self { from: version, ..self }
    }

    /// Present up to this version.
    pub(crate) const fn until(self, version: i16) -> Self {
        Self { until: version, ..self }
    }

    /// May be null from this version.
    pub(crate) const fn nullable(self, version: i16) -> Self {
        Self { nullable: version, ..self }
    }

    /// Travels among the tagged fields.
    pub(crate) const fn tagged(self, tag: u32) -> Self {
        Self { tag: Some(tag), ..self }
    }

    /// Whether a message of this version has the field.
    pub(crate) fn is_present(&self, version: i16) -> bool {
        (self.from..=self.until).contains(&version)
    }

    /// Whether it may be null in this version.
    pub(crate) fn is_nullable(&self, version: i16) -> bool {
        version >= self.nullable
    }
}

/// Fewest bytes that a value of this kind takes, nested or in an array.
pub(crate) fn smallest(kind: &Kind, version: i16, flexible: bool) -> usize {
    match kind {
        Kind::Bool | Kind::I8 => 1,
        Kind::I16 => 2,
        Kind::I32 => 4,
        Kind::I64 => 8,
        Kind::Uuid => 16,
        Kind::Text => {
            if flexible {
                1
            } else {
                2
            }
        }
        Kind::Bytes | Kind::Array(_) | Kind::List(_) => {
            if flexible {
                1
            } else {
                4
            }
        }
        Kind::Struct(fields) => smallest_struct(fields, version, flexible),
    }
}

/// Fewest bytes that a structure takes.
pub(crate) fn smallest_struct(fields: &[Field], version: i16, flexible: bool) -> usize {
    let plain = fields.iter().filter(|field| field.tag.is_none() && field.is_present(version));
    plain.map(|field| smallest(&field.kind, version, flexible)).sum::<usize>() + usize::from(flexible)
}
