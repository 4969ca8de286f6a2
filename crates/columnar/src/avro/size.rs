//! How few bytes a value can take: what bounds the counts that a payload claims.

use std::collections::HashMap;

use super::schema::{Kind, Schema, Type};
use super::sql_type::MOST_LEVELS;

/// Fewest bytes that a value of a type takes.
pub(super) struct Sizes<'a> {
    schema: &'a Schema,
    known: HashMap<usize, usize>,
}

impl<'a> Sizes<'a> {
    pub fn new(schema: &'a Schema) -> Self {
        Self { schema, known: HashMap::new() }
    }

    pub fn least(&mut self, of: &Type, depth: usize) -> usize {
        match of {
            _ if depth > MOST_LEVELS => 0,
            Type::Null => 0,
            Type::Float => 4,
            Type::Double => 8,
            Type::Union(branches) => {
                let least = branches.iter().map(|b| self.least(b, depth + 1)).min().unwrap_or(0);
                least.saturating_add(1)
            }
            Type::Named(index) => {
                if let Some(known) = self.known.get(index) {
                    return *known;
                }
                // A record that holds itself holds it behind a union, array or map.
                self.known.insert(*index, 0);
                let least = match &self.schema.named(*index).kind {
                    Kind::Fixed { size, .. } => *size,
                    Kind::Enum { .. } => 1,
                    Kind::Record(fields) => {
                        fields.iter().fold(0usize, |sum, f| sum.saturating_add(self.least(&f.of, depth + 1)))
                    }
                };
                self.known.insert(*index, least);
                least
            }
            _ => 1,
        }
    }
}
