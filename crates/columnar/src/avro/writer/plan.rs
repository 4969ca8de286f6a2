//! Column type and schema to a plan of writing; Spark's `AvroSerializer`.
//!
//! Fields are matched by name without regard to case. A field of the schema that the struct lacks is written as null
//! if it may be null, else the schema is refused, as is a struct field that the schema lacks. The types that fit are
//! those of the table in `sql_type`, read from right to left, and: a timestamp as a plain long in milliseconds, a
//! string as an enum, a binary as a fixed of its length.

use std::collections::HashMap;

use arrow_schema::{DataType, Fields, IntervalUnit, TimeUnit};

use crate::avro::schema::{Decimal, Kind, Logical, RecordField, Schema, Type};
use crate::avro::sql_type::MOST_LEVELS;
use crate::{Error, Result};

/// How a value is written.
#[derive(Debug)]
pub(super) enum Emit {
    Null,
    Boolean,
    Int,
    Long,
    /// Microseconds as milliseconds, rounded down.
    Millis,
    Float,
    Double,
    String,
    Bytes,
    Fixed(usize),
    /// In so many bytes, or in as many as needed behind their number.
    Decimal(Option<usize>),
    /// Index by symbol.
    Enum(HashMap<String, i64>),
    List(Box<Emit>),
    Map(Box<Emit>),
    /// The schema's fields in its order.
    Record(Vec<FieldEmit>),
    /// Index of the branch for null, if there is one, and for the value.
    Union {
        null: Option<i64>,
        value: i64,
        of: Box<Emit>,
    },
    /// A struct whose first field that is not null is the value; index and plan by field.
    Members {
        null: Option<i64>,
        branches: Vec<(i64, Emit)>,
    },
}

#[derive(Debug)]
pub(super) struct FieldEmit {
    pub name: String,
    /// Of the struct; none writes null.
    pub column: Option<usize>,
    pub of: Emit,
    /// The field's type as JSON text, for the error about a null.
    pub written: String,
}

fn refused(why: impl Into<String>) -> Error {
    Error::BadSchema { why: why.into() }
}

/// The plan of writing values of `of` by the schema.
pub(super) fn compile(of: &DataType, schema: &Schema) -> Result<Emit> {
    Compiler { schema, level: 0, path: Vec::new() }.any(of, &schema.root)
}

struct Compiler<'a> {
    schema: &'a Schema,
    level: usize,
    path: Vec<String>,
}

impl Compiler<'_> {
    fn any(&mut self, of: &DataType, avro: &Type) -> Result<Emit> {
        // Column types are finite, so a recursive schema ends where the column does.
        if self.level > MOST_LEVELS {
            return Err(refused(format!("it is nested deeper than {MOST_LEVELS} levels")));
        }
        self.level += 1;
        let found = match avro {
            Type::Union(branches) => self.union(of, branches),
            _ => self.plain(of, avro),
        };
        self.level -= 1;
        found
    }

    fn union(&mut self, of: &DataType, branches: &[Type]) -> Result<Emit> {
        let index = |wanted: &dyn Fn(&Type) -> bool| branches.iter().position(wanted).map(|at| at as i64);
        let null = index(&|b| *b == Type::Null);
        let others: Vec<(i64, &Type)> =
            (0..).zip(branches).filter(|(_, branch)| **branch != Type::Null).collect();
        let one = |value: i64, of: Emit| Ok(Emit::Union { null, value, of: Box::new(of) });
        let all = |wanted: &dyn Fn(&Type) -> bool| others.len() == 2 && others.iter().all(|(_, b)| wanted(b));
        match (others.as_slice(), of) {
            ([], DataType::Null) => one(null.unwrap_or(0), Emit::Null),
            ([(at, branch)], _) => one(*at, self.any(of, branch)?),
            (_, DataType::Int64) if all(&|b| matches!(b, Type::Int(_) | Type::Long(_))) => {
                one(index(&|b| matches!(b, Type::Long(_))).unwrap_or(0), Emit::Long)
            }
            (_, DataType::Float64) if all(&|b| matches!(b, Type::Float | Type::Double)) => {
                one(index(&|b| *b == Type::Double).unwrap_or(0), Emit::Double)
            }
            (_, DataType::Struct(fields)) => self.members(fields, &others, null),
            _ => Err(self.incompatible(of, &Type::Union(branches.to_vec()))),
        }
    }

    fn members(&mut self, fields: &Fields, others: &[(i64, &Type)], null: Option<i64>) -> Result<Emit> {
        let named = fields.iter().enumerate().all(|(at, f)| *f.name() == format!("member{at}"));
        if fields.len() != others.len() || !named {
            return Err(refused(format!(
                "{} is a union of {} types, which is written from a struct of as many fields named member0, member1, \
                 ... and not from ({})",
                self.place(),
                others.len(),
                fields.iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join(", ")
            )));
        }
        let plan = |this: &mut Self, (at, branch): &(i64, &Type), field: &DataType| {
            Ok((*at, this.any(field, branch)?))
        };
        let branches = others.iter().zip(fields.iter()).map(|(branch, f)| plan(self, branch, f.data_type()));
        Ok(Emit::Members { null, branches: branches.collect::<Result<_>>()? })
    }

    fn plain(&mut self, of: &DataType, avro: &Type) -> Result<Emit> {
        use DataType as D;
        Ok(match (of, avro) {
            (D::Null, Type::Null) => Emit::Null,
            (D::Boolean, Type::Boolean) => Emit::Boolean,
            (D::Int8 | D::Int16 | D::Int32 | D::Date32, Type::Int(_)) => Emit::Int,
            (D::Interval(IntervalUnit::YearMonth), Type::Int(_)) => Emit::Int,
            (D::Int64, Type::Long(_)) => Emit::Long,
            (D::Duration(TimeUnit::Microsecond), Type::Long(_)) => Emit::Long,
            (D::Timestamp(_, Some(_)), Type::Long(logical)) => match logical {
                None | Some(Logical::TimestampMillis) => Emit::Millis,
                Some(Logical::TimestampMicros) => Emit::Long,
                _ => return Err(self.incompatible(of, avro)),
            },
            (D::Timestamp(_, None), Type::Long(logical)) => match logical {
                None | Some(Logical::LocalTimestampMillis) => Emit::Millis,
                Some(Logical::LocalTimestampMicros) => Emit::Long,
                _ => return Err(self.incompatible(of, avro)),
            },
            (D::Float32, Type::Float) => Emit::Float,
            (D::Float64, Type::Double) => Emit::Double,
            (D::Utf8View, Type::String) => Emit::String,
            (D::BinaryView, Type::Bytes(_)) => Emit::Bytes,
            (D::Decimal128(p, s), Type::Bytes(Some(decimal))) if same_decimal(*p, *s, *decimal) => {
                Emit::Decimal(None)
            }
            (D::List(element), Type::Array(items)) => {
                self.path.push("element".into());
                let of = self.any(element.data_type(), items)?;
                self.path.pop();
                Emit::List(Box::new(of))
            }
            (D::Map(entries, _), Type::Map(values)) => match entries.data_type() {
                D::Struct(kv) if kv.len() == 2 && kv[0].data_type() == &D::Utf8View => {
                    self.path.push("value".into());
                    let of = self.any(kv[1].data_type(), values)?;
                    self.path.pop();
                    Emit::Map(Box::new(of))
                }
                _ => return Err(self.incompatible(of, avro)),
            },
            (_, Type::Named(index)) => self.named(of, *index, avro)?,
            _ => return Err(self.incompatible(of, avro)),
        })
    }

    fn named(&mut self, of: &DataType, index: usize, avro: &Type) -> Result<Emit> {
        let schema = self.schema;
        match (of, &schema.named(index).kind) {
            (DataType::Struct(fields), Kind::Record(written)) => self.record(fields, written),
            (DataType::Utf8View, Kind::Enum { symbols, .. }) => {
                Ok(Emit::Enum(symbols.iter().cloned().zip(0..).collect()))
            }
            (DataType::BinaryView, Kind::Fixed { size, .. }) => Ok(Emit::Fixed(*size)),
            (DataType::Decimal128(p, s), Kind::Fixed { size, decimal: Some(decimal) })
                if same_decimal(*p, *s, *decimal) =>
            {
                Ok(Emit::Decimal(Some(*size)))
            }
            _ => Err(self.incompatible(of, avro)),
        }
    }

    fn record(&mut self, fields: &Fields, written: &[RecordField]) -> Result<Emit> {
        let lower: HashMap<String, usize> =
            fields.iter().enumerate().map(|(at, f)| (f.name().to_lowercase(), at)).collect();
        let mut used = vec![false; fields.len()];
        let mut out = Vec::with_capacity(written.len());
        for field in written {
            self.path.push(field.name.clone());
            let column = lower.get(&field.name.to_lowercase()).copied();
            let of = match column {
                Some(at) if !used[at] => {
                    used[at] = true;
                    self.any(fields[at].data_type(), &field.of)?
                }
                Some(_) => return Err(refused(format!("{} matches a field twice", self.place()))),
                None => self.absent(&field.of)?,
            };
            self.path.pop();
            let type_of = Schema { root: field.of.clone(), names: self.schema.names.clone() };
            out.push(FieldEmit { name: field.name.clone(), column, of, written: type_of.to_json() });
        }
        if let Some(at) = used.iter().position(|used| !used) {
            self.path.push(fields[at].name().clone());
            return Err(refused(format!("Cannot find {} in Avro schema", self.place())));
        }
        Ok(Emit::Record(out))
    }

    fn absent(&self, of: &Type) -> Result<Emit> {
        let null = match of {
            Type::Union(branches) => branches.iter().position(|b| *b == Type::Null),
            _ => None,
        };
        match null {
            Some(at) => Ok(Emit::Union { null: Some(at as i64), value: at as i64, of: Box::new(Emit::Null) }),
            None => Err(refused(format!(
                "Found {} in Avro schema but there is no match in the SQL schema",
                self.place()
            ))),
        }
    }

    fn place(&self) -> String {
        match self.path.as_slice() {
            [] => "top-level record".into(),
            path => format!("field '{}'", path.join(".")),
        }
    }

    fn incompatible(&self, of: &DataType, avro: &Type) -> Error {
        refused(format!("{} of type {of} cannot be written as {}", self.place(), self.schema.type_name(avro)))
    }
}

fn same_decimal(precision: u8, scale: i8, decimal: Decimal) -> bool {
    u32::from(precision) == decimal.precision && i64::from(scale) == i64::from(decimal.scale)
}
