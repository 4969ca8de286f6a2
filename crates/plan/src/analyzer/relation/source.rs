//! Leaves: sources, rows in memory, tables and views.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr as Plan, LogicalPlanBuilder};

use super::{Analyzer, Resolved};
use crate::analyzer::expression::{Resolver, array_of, columns_of};
use crate::analyzer::scope::{Attribute, Scope};
use crate::analyzer::{Typed, cast_to, errors};
use crate::error::{Error, Result};
use crate::functions::fold;
use crate::tree::{Expr, Read, Value};
use crate::types::{SparkType, StructField, StructType};

/// A source whose provider has an INT column of this name, which is not in the source's schema, tells in it
/// the task that read a row: `spark_partition_id()` is that column, where it stands directly over the source.
pub const PARTITION_ID_COLUMN: &str = "__spark_partition_id";

/// A range is made as rows in memory up to this size.
const MAX_RANGE: i128 = 50_000_000;

impl Analyzer<'_> {
    pub(super) fn read(&self, read: &Read) -> Result<Resolved> {
        let source = self.catalog.source(read)?;
        let name = self.fresh(&read.format);
        let scan = LogicalPlanBuilder::scan(
            TableReference::bare(name.clone()),
            provider_as_source(Arc::clone(&source.provider)),
            None,
        )?
        .build()?;
        let table = TableReference::bare(name);
        // By position: what the provider calls a column is its own affair, and Spark allows a name twice.
        let provided = source.provider.schema();
        let mut names = provided.fields().iter().map(|field| field.name().clone());
        let (mut scope, mut columns) = self.bind(&source.schema, |_| {
            Plan::Column(Column::new(Some(table.clone()), names.next().unwrap_or_default()))
        });
        if provided.column_with_name(PARTITION_ID_COLUMN).is_some() {
            let column = self.fresh(PARTITION_ID_COLUMN);
            columns.push(Plan::Column(Column::new(Some(table), PARTITION_ID_COLUMN)).alias(&column));
            scope.hidden.push(Attribute {
                name: PARTITION_ID_COLUMN.into(),
                qualifier: vec![PARTITION_ID_COLUMN.to_owned()],
                column,
                data_type: SparkType::Integer,
                nullable: false,
                watermark: None,
            });
        }
        let plan = LogicalPlanBuilder::new(scan).project(columns)?.build()?;
        Ok(Resolved::new(plan, scope, source.streaming))
    }

    pub(super) fn rows(&self, schema: &StructType, rows: &[Vec<Value>]) -> Result<Resolved> {
        let columns = columns_of(rows, schema)?;
        self.in_memory(schema, columns, rows.len())
    }

    /// Columns in memory as a relation.
    fn in_memory(&self, schema: &StructType, columns: Vec<ArrayRef>, rows: usize) -> Result<Resolved> {
        let names: Vec<String> = schema.fields.iter().map(|f| self.fresh(&f.name)).collect();
        let fields: Vec<Field> = names
            .iter()
            .zip(&schema.fields)
            .map(|(name, f)| Field::new(name, f.data_type.to_arrow(), true))
            .collect();
        let arrow = Arc::new(Schema::new(fields));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&arrow), columns, &options)
            .map_err(DataFusionError::from)?;
        let provider: Arc<dyn TableProvider> = Arc::new(MemTable::try_new(arrow, vec![vec![batch]])?);
        let table = TableReference::bare(self.fresh("rows"));
        let scan = LogicalPlanBuilder::scan(table.clone(), provider_as_source(provider), None)?.build()?;
        let mut names = names.into_iter();
        let (scope, columns) = self.bind(schema, |_| {
            Plan::Column(Column::new(Some(table.clone()), names.next().unwrap_or_default()))
        });
        let plan = LogicalPlanBuilder::new(scan).project(columns)?.build()?;
        Ok(Resolved::new(plan, scope, false))
    }

    /// A scope with fresh columns for `schema`, and the projection that makes them.
    fn bind(&self, schema: &StructType, mut source: impl FnMut(&StructField) -> Plan) -> (Scope, Vec<Plan>) {
        let mut columns = Vec::with_capacity(schema.fields.len());
        let mut attributes = Vec::with_capacity(schema.fields.len());
        for field in &schema.fields {
            let column = self.fresh(&field.name);
            columns.push(source(field).alias(&column));
            attributes.push(Attribute {
                name: field.name.clone(),
                qualifier: Vec::new(),
                column,
                data_type: field.data_type.clone(),
                nullable: field.nullable,
                watermark: None,
            });
        }
        let case_sensitive = self.conf.case_sensitive();
        (Scope { attributes, case_sensitive, ..Scope::default() }, columns)
    }

    pub(super) fn table(&self, parts: &[String]) -> Result<Resolved> {
        let Some(name) = parts.last() else { return Err(errors::table_not_found(parts)) };
        let mut resolved = match (parts.len() == 1).then(|| self.cte(name)).flatten() {
            Some((query, visible)) => {
                // A name of WITH sees only those before it, so that it cannot mean itself.
                let hidden = self.ctes.borrow_mut().split_off(visible);
                let resolved = self.relation(&query);
                self.ctes.borrow_mut().extend(hidden);
                resolved?
            }
            None => {
                let relation = self.catalog.table(&parts.join("."));
                let relation = relation.ok_or_else(|| errors::table_not_found(parts))?;
                // A view does not see the names of the query that uses it.
                let hidden = self.ctes.take();
                let resolved = self.relation(&relation);
                self.ctes.replace(hidden);
                resolved?
            }
        };
        resolved.scope.qualify(name);
        Ok(resolved)
    }

    /// A function in FROM: `range(end)`, `range(start, end [, step])`, or a generator.
    pub(super) fn table_function(&self, name: &str, arguments: &[Expr]) -> Result<Resolved> {
        if !name.eq_ignore_ascii_case("range") {
            let call = Expr::Call(crate::tree::Call::new(name, arguments.to_vec()));
            let row = crate::tree::Relation::OneRow;
            return self.project(&row, std::slice::from_ref(&call), &[]);
        }
        let nothing = Scope::default();
        let resolver = Resolver::new(self, &nothing);
        let mut numbers = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let typed = cast_to(resolver.resolve(argument)?, &SparkType::Long, self.conf)?;
            match fold(&typed.expr)? {
                datafusion::scalar::ScalarValue::Int64(Some(number)) => numbers.push(number),
                _ => return Err(Error::unsupported("range() of what is no number")),
            }
        }
        match numbers.as_slice() {
            [end] => self.range(0, *end, 1),
            [start, end] => self.range(*start, *end, 1),
            [start, end, step, ..] => self.range(*start, *end, *step),
            [] => Err(errors::wrong_num_args("range", "[1, 2, 3, 4]", 0)),
        }
    }

    pub(super) fn range(&self, start: i64, end: i64, step: i64) -> Result<Resolved> {
        if step == 0 {
            return Err(DataFusionError::Plan("range: the step must not be 0".into()).into());
        }
        let span = i128::from(end) - i128::from(start);
        let count = if (span > 0) == (step > 0) {
            let step = i128::from(step).abs();
            (span.abs() + step - 1) / step
        } else {
            0
        };
        if count > MAX_RANGE {
            return Err(Error::unsupported(format!("a range of more than {MAX_RANGE} rows")));
        }
        let count = i64::try_from(count).unwrap_or(0);
        let values: Int64Array = (0..count).map(|i| start + i * step).collect();
        let schema = StructType::new().add("id", SparkType::Long, false);
        let rows = values.len();
        self.in_memory(&schema, vec![Arc::new(values)], rows)
    }

    pub(super) fn one_row(&self) -> Result<Resolved> {
        let plan = LogicalPlanBuilder::empty(true).build()?;
        let case_sensitive = self.conf.case_sensitive();
        Ok(Resolved::new(plan, Scope { case_sensitive, ..Scope::default() }, false))
    }

    /// `VALUES`: constants, each column of their common type.
    pub(super) fn values(&self, rows: &[Vec<Expr>]) -> Result<Resolved> {
        let nothing = Scope::default();
        let resolver = Resolver::new(self, &nothing);
        let width = rows.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<Typed>> = vec![Vec::with_capacity(rows.len()); width];
        for row in rows {
            if row.len() != width {
                return Err(errors::spark(
                    "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                    [
                        ("expectedNumCols", width.to_string()),
                        ("actualNumCols", row.len().to_string()),
                        ("rowIndex", "0".to_owned()),
                    ],
                ));
            }
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(resolver.resolve(value)?);
            }
        }
        let mut schema = StructType::new();
        let mut arrays = Vec::with_capacity(width);
        for (index, column) in columns.into_iter().enumerate() {
            let column = resolver.unify(column, "VALUES", "values")?;
            let data_type = column.first().map_or(SparkType::Null, |v| v.data_type.clone());
            let nullable = column.iter().any(|v| v.nullable);
            arrays.push(self.constants(&column, &data_type)?);
            schema = schema.add(format!("col{}", index + 1), data_type, nullable);
        }
        self.in_memory(&schema, arrays, rows.len())
    }

    fn constants(&self, column: &[Typed], data_type: &SparkType) -> Result<ArrayRef> {
        if column.is_empty() || *data_type == SparkType::Null {
            return array_of(&vec![&Value::Null; column.len()], data_type);
        }
        let pieces = column
            .iter()
            .map(|value| Ok(fold(&value.expr)?.to_array()?))
            .collect::<Result<Vec<ArrayRef>>>()?;
        let pieces: Vec<&dyn arrow_array::Array> = pieces.iter().map(AsRef::as_ref).collect();
        Ok(arrow_select::concat::concat(&pieces).map_err(DataFusionError::from)?)
    }
}
