//! A file as it is declared, in a descriptor set or as text, before the names of its types are resolved.

/// A `.proto` file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// The path that others import it by; empty for a text that nobody imports.
    pub name: String,
    pub package: String,
    pub proto3: bool,
    /// Paths, as written.
    pub imports: Vec<String>,
    pub messages: Vec<Declared>,
    pub enums: Vec<DeclaredEnum>,
    /// What it was read from, if that was text.
    pub text: Option<String>,
}

/// A message. Once its names are resolved, its fields are with the set's messages and no longer here.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    pub name: String,
    pub fields: Vec<FieldDescriptor>,
    /// The names that [`FieldDescriptor::oneof`] counts.
    pub oneofs: Vec<String>,
    pub nested: Vec<Declared>,
    pub enums: Vec<DeclaredEnum>,
    pub is_map_entry: bool,
    /// Whether it is declared by a field of the message around it; known when names are resolved.
    pub is_group: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct FieldDescriptor {
    pub name: String,
    pub number: u32,
    pub repeated: bool,
    pub required: bool,
    /// The number of the type, as FieldDescriptorProto.Type has it; [`UNRESOLVED`] for one that is known by name only.
    pub kind: u32,
    /// Of a message's or enum's type: once resolved, its full name without a dot before it.
    pub type_name: std::sync::Arc<str>,
    pub default: Option<String>,
    pub packed: Option<bool>,
    pub oneof: Option<u32>,
    pub proto3_optional: bool,
    pub proto3: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct DeclaredEnum {
    pub name: String,
    pub values: Vec<(String, i32)>,
}

/// A message or an enum: which of them is not known yet.
pub(super) const UNRESOLVED: u32 = 0;
pub(super) const GROUP: u32 = 10;
pub(super) const MESSAGE: u32 = 11;
pub(super) const STRING: u32 = 9;
pub(super) const BYTES: u32 = 12;
pub(super) const ENUM: u32 = 14;

/// The types that are words of the language, with their numbers.
pub(super) const SCALARS: [(&str, u32); 15] = [
    ("double", 1),
    ("float", 2),
    ("int64", 3),
    ("uint64", 4),
    ("int32", 5),
    ("fixed64", 6),
    ("fixed32", 7),
    ("bool", 8),
    ("string", 9),
    ("bytes", 12),
    ("uint32", 13),
    ("sfixed32", 15),
    ("sfixed64", 16),
    ("sint32", 17),
    ("sint64", 18),
];

/// The full name of what stands in a scope.
pub(super) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
