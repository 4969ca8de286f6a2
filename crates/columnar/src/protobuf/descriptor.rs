//! The messages that a descriptor set or `.proto` texts describe, with the names of their types resolved.
//!
//! A name is looked for in the scope where it stands and in those around it, the innermost first. All files of a set
//! are one room of names, whoever imports whom; what is imported but not given is missed only where a message that is
//! read or written has a field of it. Extensions and options (but for `packed` and `default`) change nothing that is
//! read, and are passed over.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::declared::{
    Declared, DeclaredEnum, ENUM, FieldDescriptor, File, GROUP, MESSAGE, UNRESOLVED, join,
};
use super::proto::{self, well_known};
use super::set;
use crate::Error;

/// A set larger than this is refused.
const MAX_SET_BYTES: usize = 64 << 20;
/// Texts of a schema and of all that it imports may be so long together.
const MAX_TEXT_BYTES: usize = 2 << 20;
/// Bytes of a full name, and its parts between dots.
const MAX_NAME: usize = 512;
const MAX_NAME_PARTS: usize = 64;

/// The messages that a descriptor set, or `.proto` texts, describe.
#[derive(Debug, Clone, Default)]
pub struct DescriptorSet {
    pub(super) messages: HashMap<Arc<str>, Arc<Message>>,
    pub(super) enums: HashMap<Arc<str>, Arc<Enum>>,
    /// Full names of messages that stand in no other, in the order of the files.
    top: Vec<Arc<str>>,
    /// Of texts, the one whose messages are counted by indexes comes first.
    pub(super) files: Vec<File>,
    /// Index of the file that declares a type.
    homes: HashMap<Arc<str>, usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub full_name: String,
    pub fields: Vec<FieldDescriptor>,
    pub is_map_entry: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Enum {
    pub values: Vec<(String, i32)>,
    /// Whether other numbers than those are values too, as in proto3.
    pub open: bool,
}

/// A `.proto` file as text, to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtoText {
    /// The path that others import it by; empty for a text that nobody imports.
    pub name: String,
    /// What `protoc` would read.
    pub text: String,
    /// Paths of the files that it needs, but for `google/protobuf`'s, which every registry knows.
    pub imports: Vec<String>,
}

impl DescriptorSet {
    /// Reads a set.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for bytes that are no descriptor set.
    pub fn parse(bytes: &[u8]) -> crate::Result<Self> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(too_long("the descriptor set", bytes.len(), MAX_SET_BYTES));
        }
        let files = set::files(bytes).map_err(|malformed| bad(malformed.what))?;
        Self::link(files)
    }

    /// Reads the text of a `.proto` file, and those of the files that it imports, by the paths that it imports them
    /// by. Google's own, `google/protobuf/timestamp.proto` and the like, need not be given.
    ///
    /// # Errors
    /// [`Error::BadProto`] for a text that is no `.proto` file, [`Error::LimitExceeded`] for more than 2 MiB.
    pub fn from_proto(text: &str, imports: &[(String, String)]) -> crate::Result<Self> {
        let bytes = imports.iter().fold(text.len(), |sum, (_, text)| sum.saturating_add(text.len()));
        if bytes > MAX_TEXT_BYTES {
            return Err(too_long("the .proto texts", bytes, MAX_TEXT_BYTES));
        }
        let mut files = vec![proto::parse("", text)?];
        if files[0].messages.is_empty() {
            return Err(bad("it describes no message"));
        }
        for (name, text) in imports {
            files.push(proto::parse(name, text)?);
        }
        // What is imported by what was just added is looked at too.
        let mut at = 0;
        let mut known: HashSet<String> = imports.iter().map(|(name, _)| name.clone()).collect();
        while let Some(file) = files.get(at) {
            for import in file.imports.clone() {
                if let Some(text) = well_known::text(&import)
                    && known.insert(import.clone())
                {
                    files.push(proto::parse(&import, text)?);
                }
            }
            at += 1;
        }
        Self::link(files)
    }

    /// The full name of a message: of the first one of a full or short name that stands in no other, or else one that
    /// does, by its full name. Without a name, the first message.
    ///
    /// # Errors
    /// [`Error::UnknownMessage`].
    pub fn full_name(&self, name: Option<&str>) -> crate::Result<&str> {
        match name {
            Some(name) => Ok(&self.message(name)?.full_name),
            None => self.top.first().map(|name| &**name).ok_or_else(|| bad("it describes no message")),
        }
    }

    /// The full name of the message at a path of indexes in the text that [`Self::from_proto`] was given: `[0]` is
    /// its first, `[0, 1]` the second in that. As Confluent's Java serializer counts, a map's entries and groups are
    /// left out.
    pub fn message_at(&self, indexes: &[u32]) -> Option<String> {
        let file = self.files.first()?;
        let (mut scope, mut messages) = (file.package.clone(), &file.messages);
        for index in indexes {
            let message = counted(messages).nth(*index as usize)?;
            scope = join(&scope, &message.name);
            messages = &message.nested;
        }
        (!indexes.is_empty()).then_some(scope)
    }

    /// The name of a message without its package.
    ///
    /// # Errors
    /// [`Error::UnknownMessage`].
    pub fn local_name(&self, message: &str) -> crate::Result<&str> {
        let full_name = self.full_name(Some(message))?;
        let package = self.home(full_name).map_or("", |home| &self.files[home].package);
        Ok(full_name.strip_prefix(package).map_or(full_name, |name| name.trim_start_matches('.')))
    }

    /// The indexes of a message in the file that declares it; see [`Self::message_at`].
    ///
    /// # Errors
    /// [`Error::UnknownMessage`]; [`Error::BadDescriptor`] for a group and a map's entry.
    pub fn indexes(&self, message: &str) -> crate::Result<Vec<u32>> {
        let full_name = self.message(message)?.full_name.as_str();
        let home = self.home(full_name).unwrap_or(0);
        let file = &self.files[home];
        let mut indexes = Vec::new();
        let (mut scope, mut messages) = (file.package.clone(), &file.messages);
        while scope != full_name {
            let inside = |m: &Declared| {
                let name = join(&scope, &m.name);
                full_name.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let found = counted(messages).enumerate().find(|(_, m)| inside(m));
            let (index, found) =
                found.ok_or_else(|| bad(format!("{full_name} is a group or a map's entry")))?;
            indexes.push(index as u32);
            scope = join(&scope, &found.name);
            messages = &found.nested;
        }
        Ok(indexes)
    }

    /// The texts of the file that declares a message and of those that it needs: the needed before the needing, so the
    /// message's own is the last. A file that was read from text stays as it is; one of a descriptor set is written
    /// anew, without comments, services, extensions and options (but for `packed` and `default`).
    ///
    /// # Errors
    /// [`Error::UnknownMessage`]; [`Error::BadDescriptor`] for a file that imports one that is not there.
    pub fn texts(&self, message: &str) -> crate::Result<Vec<ProtoText>> {
        let home = self.home(self.full_name(Some(message))?).unwrap_or(0);
        let (mut texts, mut seen) = (Vec::new(), HashSet::from([home]));
        // Depth first; a file that stands here a second time has had its needs met.
        let mut steps = vec![(home, false)];
        while let Some((index, is_met)) = steps.pop() {
            let file = &self.files[index];
            let needed = match &file.text {
                Some(_) => {
                    let names = file.imports.iter().filter(|name| !well_known::is_known(name));
                    names.map(|name| self.file_named(name)).collect::<crate::Result<Vec<usize>>>()?
                }
                None => proto::needed(self, index),
            };
            let is_known = |index: usize| well_known::is_known(&self.files[index].name);
            let needed = needed.into_iter().filter(|index| !is_known(*index));
            if is_met {
                let imports = needed.map(|index| self.files[index].name.clone()).collect();
                let text = file.text.clone().unwrap_or_else(|| proto::render(self, index));
                texts.push(ProtoText { name: file.name.clone(), text, imports });
                continue;
            }
            steps.push((index, true));
            steps.extend(needed.filter(|index| seen.insert(*index)).map(|index| (index, false)));
        }
        Ok(texts)
    }

    fn file_named(&self, name: &str) -> crate::Result<usize> {
        let found = self.files.iter().position(|file| file.name == name);
        found.ok_or_else(|| {
            bad(format!("it imports {name}, which is not given; a descriptor set would hold it"))
        })
    }

    /// The file that declares a type.
    pub(super) fn home(&self, type_name: &str) -> Option<usize> {
        self.homes.get(type_name).copied()
    }

    /// The first message of a full or short name that stands in no other, or else one that does, by its full name.
    pub(super) fn message(&self, name: &str) -> crate::Result<&Arc<Message>> {
        let name = name.strip_prefix('.').unwrap_or(name);
        let top = self.top.iter().find(|full| ***full == *name || full.rsplit('.').next() == Some(name));
        let found = self.messages.get(top.map_or(name, |full| full));
        found.ok_or_else(|| Error::UnknownMessage {
            name: name.into(),
            known: self.top.iter().take(20).map(|name| &**name).collect::<Vec<_>>().join(", "),
        })
    }

    /// Resolves the names. Of two types of one name the first counts.
    fn link(mut files: Vec<File>) -> crate::Result<Self> {
        let mut kinds = HashMap::new();
        let mut linked = Self::default();
        for (index, file) in files.iter().enumerate() {
            let mut declare = |name: String, kind: u32| {
                let name: Arc<str> = name.into();
                kinds.entry(Arc::clone(&name)).or_insert(kind);
                linked.homes.entry(name).or_insert(index);
            };
            declare_all(&file.package, &file.messages, &file.enums, &mut declare)?;
        }
        for file in &mut files {
            let scope = file.package.clone();
            for message in &file.messages {
                linked.top.push(join(&scope, &message.name).into());
            }
            linked.take(&scope, &mut file.messages, &mut file.enums, file.proto3, &kinds);
        }
        if linked.top.is_empty() {
            return Err(bad("it describes no message"));
        }
        linked.files = files;
        Ok(linked)
    }

    /// Takes fields and values out of what is declared.
    fn take(
        &mut self,
        scope: &str,
        messages: &mut [Declared],
        enums: &mut [DeclaredEnum],
        open: bool,
        kinds: &HashMap<Arc<str>, u32>,
    ) {
        for found in enums {
            let name: Arc<str> = join(scope, &found.name).into();
            let values = std::mem::take(&mut found.values);
            self.enums.entry(name).or_insert_with(|| Arc::new(Enum { values, open }));
        }
        for declared in messages {
            let full_name = join(scope, &declared.name);
            let mut fields = std::mem::take(&mut declared.fields);
            for field in &mut fields {
                resolve(field, &full_name, kinds);
            }
            let groups = fields.iter().filter(|field| field.kind == GROUP);
            let groups: HashSet<&str> = groups.map(|field| &*field.type_name).collect();
            for nested in &mut declared.nested {
                nested.is_group = groups.contains(join(&full_name, &nested.name).as_str());
            }
            drop(groups);
            self.take(&full_name, &mut declared.nested, &mut declared.enums, open, kinds);
            let name: Arc<str> = full_name.as_str().into();
            let is_map_entry = declared.is_map_entry;
            self.messages
                .entry(name)
                .or_insert_with(|| Arc::new(Message { full_name, fields, is_map_entry }));
        }
    }
}

/// The messages that indexes count.
fn counted(messages: &[Declared]) -> impl Iterator<Item = &Declared> {
    messages.iter().filter(|message| !message.is_map_entry && !message.is_group)
}

/// Calls `declare` with the full name and kind of each type.
fn declare_all(
    scope: &str,
    messages: &[Declared],
    enums: &[DeclaredEnum],
    declare: &mut impl FnMut(String, u32),
) -> crate::Result<()> {
    let full = |name: &str| {
        let name = join(scope, name);
        if name.len() > MAX_NAME || name.split('.').count() > MAX_NAME_PARTS {
            let start: String = name.chars().take(40).collect();
            return Err(bad(format!(
                "the name of {start}... is longer than {MAX_NAME} bytes or {MAX_NAME_PARTS} parts"
            )));
        }
        Ok(name)
    };
    for message in messages {
        let name = full(&message.name)?;
        declare(name.clone(), MESSAGE);
        declare_all(&name, &message.nested, &message.enums, declare)?;
    }
    for found in enums {
        declare(full(&found.name)?, ENUM);
    }
    Ok(())
}

/// Gives a field the full name of its type, and its kind. What cannot be found stays as it is.
fn resolve(field: &mut FieldDescriptor, scope: &str, kinds: &HashMap<Arc<str>, u32>) {
    if field.type_name.is_empty() || field.type_name.len() > MAX_NAME {
        return;
    }
    let found = match field.type_name.strip_prefix('.') {
        Some(absolute) => kinds.get_key_value(absolute),
        None => {
            let mut scopes = std::iter::successors(Some(scope), |scope| match scope.rsplit_once('.') {
                Some((outer, _)) => Some(outer),
                None => (!scope.is_empty()).then_some(""),
            });
            scopes.find_map(|scope| kinds.get_key_value(join(scope, &field.type_name).as_str()))
        }
    };
    match found {
        Some((name, kind)) => {
            field.type_name = Arc::clone(name);
            if field.kind == UNRESOLVED {
                field.kind = *kind;
            }
        }
        None => field.type_name = field.type_name.strip_prefix('.').unwrap_or(&field.type_name).into(),
    }
}

fn bad(why: impl Into<String>) -> Error {
    Error::BadDescriptor { why: why.into() }
}

fn too_long(what: &str, found: usize, limit: usize) -> Error {
    let setting = "the size (leave out what is not needed)";
    Error::LimitExceeded { what: what.into(), unit: "bytes", found, limit, setting }
}
