//! JSON documents as trees that keep what readers care about: the order of members, repeated names, and numbers as
//! they are written. Made by serde_json, level by level, which is slow and obviously right.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// The members of an object as they stand, repeated names among them.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

impl Tree {
    /// The first value of a text; what follows it is ignored. None if it is not strict JSON.
    pub fn first_of(text: &str) -> Option<Self> {
        let first = serde_json::Deserializer::from_str(text).into_iter::<Box<RawValue>>().next()?;
        Self::parse(first.ok()?.get())
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text.trim_start().as_bytes().first()? {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let member = |(name, value): (String, Box<RawValue>)| Some((name, Self::parse(value.get())?));
                Self::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            b'[' => {
                let elements: Vec<Box<RawValue>> = serde_json::from_str(text).ok()?;
                Self::Array(elements.iter().map(|element| Self::parse(element.get())).collect::<Option<_>>()?)
            }
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b't' => Self::Boolean(true),
            b'f' => Self::Boolean(false),
            b'n' => Self::Null,
            _ => Self::Number(text.trim().to_owned()),
        })
    }

    /// Levels of containers.
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(elements) => 1 + elements.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether a number is longer, or a name, than `numbers` and `names`.
    pub fn exceeds(&self, numbers: usize, names: usize) -> bool {
        match self {
            Self::Number(text) => text.len() > numbers,
            Self::Array(elements) => elements.iter().any(|element| element.exceeds(numbers, names)),
            Self::Object(members) => {
                members.iter().any(|(name, value)| name.len() > names || value.exceeds(numbers, names))
            }
            _ => false,
        }
    }
}
