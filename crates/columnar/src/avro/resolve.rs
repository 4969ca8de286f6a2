//! Writer schema and reader schema to one plan of reading, by the rules of Avro's Java library 1.12, which Spark
//! reads with.
//!
//! - A promotion is int to long, float or double; long to float or double; float to double; string and bytes to
//!   each other. Fields are matched by name or by the reader's aliases; a field that the writer lacks takes the
//!   reader's default; one that the reader lacks is skipped. Enums and fixed must agree in name, records need not.
//! - A writer's union is resolved branch by branch, each against the whole reader schema. In a reader's union the
//!   first branch of the same type counts, then records of the same structure, then promotions.
//! - Schemas that do not match are an error only where a value meets it ([`Read::Fail`]), so one bad branch of a
//!   union does not hinder the others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::DataType;

use super::default::encode_default;
use super::options::Rebase;
use super::schema::{Kind, Logical, Named, RecordField, Schema, Type};
use super::size::Sizes;
use super::sql_type::{MOST_LEVELS, UnionShape, non_null, shape};
use crate::{Error, Result};

/// How a value is read into a column.
#[derive(Debug, Clone)]
pub(super) enum Read {
    /// Takes no bytes.
    Null,
    Boolean,
    Int,
    Date(Rebase),
    Long(Integer),
    /// Milliseconds or microseconds into microseconds.
    Moment {
        from: Integer,
        millis: bool,
        rebase: Rebase,
    },
    Float,
    IntegerToFloat(Integer),
    Double,
    FloatToDouble,
    /// By way of a float, if the reader's type is one.
    IntegerToDouble {
        from: Integer,
        float: bool,
    },
    Bytes,
    String,
    Fixed(usize),
    /// As long as told, or behind its length.
    Decimal {
        size: Option<usize>,
        precision: u8,
    },
    /// Text by index; none where the reader has no such symbol.
    Enum(Box<[Option<Box<str>>]>),
    List(Box<Items>),
    Map(Box<Items>),
    Record(Box<Record>),
    /// By index.
    Union(Box<[Read]>),
    /// A field of the struct that stands for the reader's union.
    Member {
        index: usize,
        value: Box<Read>,
    },
    /// The schemas do not match here.
    Fail(Box<str>),
}

/// What the writer's number is encoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    Int,
    Long,
}

/// Items of an array, or entries of a map.
#[derive(Debug, Clone)]
pub(super) struct Items {
    pub value: Read,
    /// The writer's type of an item.
    pub written: Type,
    /// Fewest bytes that an item takes.
    pub least: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    /// In the writer's order.
    pub steps: Vec<Step>,
    /// Fields that the writer lacks.
    pub defaults: Vec<Default>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Into this column of the struct.
    Field(usize, Read),
    Skip(Type),
}

/// A default value, encoded.
#[derive(Debug, Clone)]
pub(super) struct Default {
    pub column: usize,
    pub bytes: Arc<[u8]>,
    pub read: Read,
}

/// Steps of one plan; named types that are used often multiply.
const MOST_STEPS: usize = 200_000;

/// The plan of reading what `writer` wrote as `reader`, into a column of `target`.
///
/// # Errors
/// A plan that is too large. Schemas that do not match are no error here.
pub(super) fn resolve(writer: &Schema, reader: &Schema, target: &DataType, rebase: Rebase) -> Result<Read> {
    Resolver { writer, reader, rebase, steps: 0, level: 0 }.read(&writer.root, &reader.root, target)
}

struct Resolver<'a> {
    writer: &'a Schema,
    reader: &'a Schema,
    rebase: Rebase,
    steps: usize,
    level: usize,
}

impl<'a> Resolver<'a> {
    fn count(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.level > MOST_LEVELS {
            let why = format!(
                "writer and reader schema unfold to more than {MOST_STEPS} steps or {MOST_LEVELS} levels"
            );
            return Err(Error::BadSchema { why });
        }
        Ok(())
    }

    fn read(&mut self, w: &Type, r: &Type, target: &DataType) -> Result<Read> {
        self.level += 1;
        self.count()?;
        let found = match (w, r) {
            (Type::Union(branches), _) => self.writer_union(branches, r, target),
            (_, Type::Union(branches)) => match self.matching_branch(w, branches)? {
                Some(index) => self.as_branch(w, branches, index, target),
                None => Ok(self.mismatch(w, r)),
            },
            _ => self.plain(w, r, target),
        };
        self.level -= 1;
        found
    }

    fn writer_union(&mut self, branches: &[Type], r: &Type, target: &DataType) -> Result<Read> {
        let same = match r {
            Type::Union(read)
                if self.equivalent(&Type::Union(branches.to_vec()), r, &mut HashSet::new())? =>
            {
                Some(read)
            }
            _ => None,
        };
        let plans = branches.iter().enumerate().map(|(index, branch)| match same {
            Some(read) => self.as_branch(branch, read, index, target),
            None => self.read(branch, r, target),
        });
        Ok(Read::Union(plans.collect::<Result<_>>()?))
    }

    /// A value of type `w` as branch `index` of the reader's union.
    fn as_branch(&mut self, w: &Type, branches: &[Type], index: usize, target: &DataType) -> Result<Read> {
        let branch = &branches[index];
        if *branch == Type::Null {
            return Ok(Read::Null);
        }
        if shape(branches) != UnionShape::Members {
            return self.read(w, branch, target);
        }
        let member = branches[..index].iter().filter(|b| **b != Type::Null).count();
        match target {
            DataType::Struct(fields) if fields.len() == non_null(branches).count() => {
                let value = Box::new(self.read(w, branch, fields[member].data_type())?);
                Ok(Read::Member { index: member, value })
            }
            _ => Ok(Read::Fail("a branch of the union was dropped at recursiveFieldMaxDepth".into())),
        }
    }

    /// Neither type is a union.
    fn plain(&mut self, w: &Type, r: &Type, target: &DataType) -> Result<Read> {
        Ok(match (w, r) {
            (Type::Null, Type::Null) => Read::Null,
            (Type::Boolean, Type::Boolean) => Read::Boolean,
            (Type::Int(_), Type::Int(logical)) => match (logical, target) {
                (_, DataType::Int64) => Read::Long(Integer::Int),
                (Some(Logical::Date), _) => Read::Date(self.rebase),
                _ => Read::Int,
            },
            (Type::Int(_), Type::Long(logical)) => self.long(Integer::Int, *logical),
            (Type::Long(_), Type::Long(logical)) => self.long(Integer::Long, *logical),
            (Type::Int(_) | Type::Long(_), Type::Float | Type::Double) => {
                let from = if matches!(w, Type::Int(_)) { Integer::Int } else { Integer::Long };
                match (r, target) {
                    (Type::Float, DataType::Float32) => Read::IntegerToFloat(from),
                    _ => Read::IntegerToDouble { from, float: *r == Type::Float },
                }
            }
            (Type::Float, Type::Float) if *target == DataType::Float32 => Read::Float,
            (Type::Float, Type::Float | Type::Double) => Read::FloatToDouble,
            (Type::Double, Type::Double) => Read::Double,
            (Type::String | Type::Bytes(_), Type::String) => Read::String,
            (Type::String | Type::Bytes(_), Type::Bytes(_)) => match target {
                DataType::Decimal128(precision, _) => Read::Decimal { size: None, precision: *precision },
                _ => Read::Bytes,
            },
            (Type::Array(written), Type::Array(items)) => match target {
                DataType::List(element) => Read::List(self.items(written, items, element.data_type(), 0)?),
                _ => self.mismatch(w, r),
            },
            (Type::Map(written), Type::Map(values)) => match target {
                DataType::Map(entries, _) => match entries.data_type() {
                    DataType::Struct(kv) => Read::Map(self.items(written, values, kv[1].data_type(), 1)?),
                    _ => self.mismatch(w, r),
                },
                _ => self.mismatch(w, r),
            },
            (Type::Named(written), Type::Named(read)) => self.named(*written, *read, w, r, target)?,
            _ => self.mismatch(w, r),
        })
    }

    fn long(&self, from: Integer, logical: Option<Logical>) -> Read {
        let moment = |millis, rebase| Read::Moment { from, millis, rebase };
        match logical {
            Some(Logical::TimestampMillis) => moment(true, self.rebase),
            Some(Logical::TimestampMicros) => moment(false, self.rebase),
            Some(Logical::LocalTimestampMillis) => moment(true, Rebase::Corrected),
            _ => Read::Long(from),
        }
    }

    fn items(&mut self, written: &Type, read: &Type, target: &DataType, more: usize) -> Result<Box<Items>> {
        let value = self.read(written, read, target)?;
        let least = more + Sizes::new(self.writer).least(written, 0);
        Ok(Box::new(Items { value, written: written.clone(), least }))
    }

    fn named(&mut self, written: usize, read: usize, w: &Type, r: &Type, target: &DataType) -> Result<Read> {
        let (writer, reader) = (self.writer.named(written), self.reader.named(read));
        Ok(match (&writer.kind, &reader.kind) {
            (Kind::Record(from), Kind::Record(to)) => match target {
                DataType::Struct(_) => self.record(from, to, target)?,
                _ => self.mismatch(w, r),
            },
            _ if !same_name(writer, reader) => self.mismatch(w, r),
            (Kind::Enum { symbols: from, .. }, Kind::Enum { symbols: to, default }) => {
                let known: HashSet<&String> = to.iter().collect();
                let default = default.map(|index| &to[index]);
                let text = |symbol: &String| {
                    let symbol = if known.contains(symbol) { Some(symbol) } else { default };
                    symbol.map(|s| s.as_str().into())
                };
                Read::Enum(from.iter().map(text).collect())
            }
            (Kind::Fixed { size: from, .. }, Kind::Fixed { size: to, .. }) if from == to => match target {
                DataType::Decimal128(precision, _) => {
                    Read::Decimal { size: Some(*to), precision: *precision }
                }
                _ => Read::Fixed(*to),
            },
            _ => self.mismatch(w, r),
        })
    }

    fn record(&mut self, from: &[RecordField], to: &[RecordField], target: &DataType) -> Result<Read> {
        let DataType::Struct(types) = target else { return Ok(Read::Fail("not a struct".into())) };
        let columns: HashMap<&str, usize> =
            types.iter().enumerate().map(|(at, column)| (column.name().as_str(), at)).collect();
        let sources = match_fields(from, to);
        let mut readers = vec![None; from.len()];
        for (read, source) in to.iter().zip(&sources) {
            if let Some(source) = source {
                readers[*source] = Some(read);
            }
        }
        let mut steps = Vec::with_capacity(from.len());
        for (written, read) in from.iter().zip(readers) {
            let column = read.and_then(|read| Some((read, *columns.get(read.name.as_str())?)));
            steps.push(match column {
                Some((read, column)) => {
                    Step::Field(column, self.read(&written.of, &read.of, types[column].data_type())?)
                }
                None => Step::Skip(written.of.clone()),
            });
        }
        let mut defaults = Vec::new();
        for (read, _) in to.iter().zip(&sources).filter(|(_, source)| source.is_none()) {
            let Some(default) = &read.default else {
                return Ok(Read::Fail(format!("the required field {} is missing", read.name).into()));
            };
            let Some(column) = columns.get(read.name.as_str()) else { continue };
            let Some(bytes) = encode_default(self.reader, &read.of, default) else {
                let why = format!("the default of the field {} does not fit its type", read.name);
                return Ok(Read::Fail(why.into()));
            };
            // Encoded by the reader's schema, so it is also what it is read from.
            let mut own = Resolver { writer: self.reader, steps: self.steps, level: self.level, ..*self };
            let plan = own.read(&read.of, &read.of, types[*column].data_type())?;
            self.steps = own.steps;
            defaults.push(Default { column: *column, bytes: bytes.into(), read: plan });
        }
        Ok(Read::Record(Box::new(Record { steps, defaults })))
    }

    fn mismatch(&self, w: &Type, r: &Type) -> Read {
        Read::Fail(
            format!("Found {}, expecting {}", self.writer.type_name(w), self.reader.type_name(r)).into(),
        )
    }

    fn matching_branch(&mut self, w: &Type, branches: &[Type]) -> Result<Option<usize>> {
        let mut structure = None;
        for (index, branch) in branches.iter().enumerate() {
            match (w, branch) {
                (Type::Named(written), Type::Named(read)) => {
                    let (writer, reader) = (self.writer.named(*written), self.reader.named(*read));
                    let kinds = std::mem::discriminant(&writer.kind) == std::mem::discriminant(&reader.kind);
                    if kinds && (writer.name == reader.name || reader.aliases.contains(&writer.name.full())) {
                        return Ok(Some(index));
                    }
                    let same_simple = writer.name.simple == reader.name.simple;
                    if (structure.is_none() || same_simple) && self.fits_record(*written, *read, 0)? {
                        structure = Some(index);
                    }
                }
                _ if std::mem::discriminant(w) == std::mem::discriminant(branch) => return Ok(Some(index)),
                _ => {}
            }
        }
        Ok(structure.or_else(|| branches.iter().position(|branch| promotes(w, branch))))
    }

    /// Whether records are of one structure: no field lacks, and no matched pair fails at once.
    fn fits_record(&mut self, written: usize, read: usize, depth: usize) -> Result<bool> {
        let (writer, reader) = (self.writer, self.reader);
        let (Kind::Record(from), Kind::Record(to)) = (&writer.named(written).kind, &reader.named(read).kind)
        else {
            return Ok(false);
        };
        for (field, source) in to.iter().zip(match_fields(from, to)) {
            let fits = match source {
                None => field.default.is_some(),
                Some(index) => self.fits(&from[index].of, &field.of, depth + 1)?,
            };
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits(&mut self, w: &Type, r: &Type, depth: usize) -> Result<bool> {
        self.count()?;
        if depth > MOST_COMPARED {
            return Ok(true);
        }
        Ok(match (w, r) {
            (Type::Union(_), _) => true,
            (_, Type::Union(branches)) => self.matching_branch(w, branches)?.is_some(),
            (Type::Named(written), Type::Named(read)) => {
                let (writer, reader) = (self.writer.named(*written), self.reader.named(*read));
                match (&writer.kind, &reader.kind) {
                    (Kind::Record(_), Kind::Record(_)) => self.fits_record(*written, *read, depth)?,
                    (Kind::Enum { .. }, Kind::Enum { .. }) => same_name(writer, reader),
                    (Kind::Fixed { size: from, .. }, Kind::Fixed { size: to, .. }) => {
                        from == to && same_name(writer, reader)
                    }
                    _ => false,
                }
            }
            _ => std::mem::discriminant(w) == std::mem::discriminant(r) || promotes(w, r),
        })
    }

    /// Whether two types are the same but for logical types, defaults and aliases.
    fn equivalent(&mut self, w: &Type, r: &Type, seen: &mut HashSet<(usize, usize)>) -> Result<bool> {
        self.count()?;
        Ok(match (w, r) {
            (Type::Array(w), Type::Array(r)) | (Type::Map(w), Type::Map(r)) => self.equivalent(w, r, seen)?,
            (Type::Union(w), Type::Union(r)) => {
                w.len() == r.len() && {
                    let mut same = true;
                    for (w, r) in w.iter().zip(r) {
                        same = same && self.equivalent(w, r, seen)?;
                    }
                    same
                }
            }
            (Type::Named(written), Type::Named(read)) => {
                let (writer, reader) = (self.writer.named(*written), self.reader.named(*read));
                same_name(writer, reader)
                    && match (&writer.kind, &reader.kind) {
                        (Kind::Fixed { size: w, .. }, Kind::Fixed { size: r, .. }) => w == r,
                        (Kind::Enum { symbols: w, .. }, Kind::Enum { symbols: r, .. }) => w == r,
                        (Kind::Record(w), Kind::Record(r)) => {
                            let mut same = w.len() == r.len();
                            if same && seen.insert((*written, *read)) {
                                for (w, r) in w.iter().zip(r) {
                                    same = same && w.name == r.name && self.equivalent(&w.of, &r.of, seen)?;
                                }
                            }
                            same
                        }
                        _ => false,
                    }
            }
            _ => std::mem::discriminant(w) == std::mem::discriminant(r),
        })
    }
}

/// Levels to which records in unions are compared.
const MOST_COMPARED: usize = 16;

fn same_name(writer: &Named, reader: &Named) -> bool {
    writer.name.simple == reader.name.simple || reader.aliases.contains(&writer.name.full())
}

/// For each of the reader's fields the writer's field of its name, or else of one of its aliases.
fn match_fields(from: &[RecordField], to: &[RecordField]) -> Vec<Option<usize>> {
    let places: HashMap<&str, usize> = from.iter().enumerate().map(|(at, f)| (f.name.as_str(), at)).collect();
    let names: HashSet<&str> = to.iter().map(|f| f.name.as_str()).collect();
    let mut taken = HashSet::new();
    to.iter()
        .map(|field| {
            let own = places.get(field.name.as_str()).copied();
            let by_alias = || {
                let aliases = field.aliases.iter().filter(|alias| !names.contains(alias.as_str()));
                aliases.filter_map(|alias| places.get(alias.as_str()).copied()).next()
            };
            own.or_else(by_alias).filter(|at| taken.insert(*at))
        })
        .collect()
}

fn promotes(w: &Type, r: &Type) -> bool {
    match w {
        Type::Int(_) => matches!(r, Type::Long(_) | Type::Float | Type::Double),
        Type::Long(_) => matches!(r, Type::Float | Type::Double),
        Type::Float => matches!(r, Type::Double),
        Type::String => matches!(r, Type::Bytes(_)),
        Type::Bytes(_) => matches!(r, Type::String),
        _ => false,
    }
}
