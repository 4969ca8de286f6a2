//! An error about a record names its topic, partition and offset.
//!
//! A decoding function under FAILFAST that stands over a Kafka source gets the source's columns `topic`, `partition`
//! and `offset` as further arguments (see `functions::placed`), through whatever filters, sorts, limits, projections
//! and generators stand between, which hand them on; so does one in a group's key or an aggregate's argument. Other
//! modes fail for no record, so nothing is read for them in vain.
//!
//! A source is Kafka's where it has the columns `topic`, `partition`, `offset` and `timestampType` of Spark's types:
//! also a table of records that were copied with them names the records that they were.

use std::cell::Cell;
use std::sync::Arc;

use arrow_schema::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, TableScan};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::functions::{fails_for_records, with_place};

/// The rule; it goes before those that leave columns out.
#[derive(Debug, Default)]
pub(super) struct NameRecords;

/// Topic, partition and offset in a relation.
type Place = [Expr; 3];

impl OptimizerRule for NameRecords {
    fn name(&self) -> &str {
        "name_records"
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let names = Names::default();
        plan.transform_up_with_subqueries(|node| place_calls(node, &names))
    }
}

/// Names for columns that are handed on.
#[derive(Default)]
struct Names {
    next: Cell<usize>,
}

impl Names {
    fn fresh(&self, name: &str) -> String {
        self.next.set(self.next.get() + 1);
        format!("__record_{name}_{}", self.next.get())
    }
}

fn place_calls(node: LogicalPlan, names: &Names) -> Result<Transformed<LogicalPlan>> {
    let input = match &node {
        LogicalPlan::Projection(projection) => &projection.input,
        LogicalPlan::Filter(filter) => &filter.input,
        LogicalPlan::Aggregate(aggregate) => &aggregate.input,
        _ => return Ok(Transformed::no(node)),
    };
    let strict = |expr: &Expr| expr.exists(|e| Ok(fails_for_records(e)));
    let expressions = node.expressions();
    if !expressions.iter().map(strict).collect::<Result<Vec<_>>>()?.contains(&true) {
        return Ok(Transformed::no(node));
    }
    let Some((exposed, place)) = expose(input, names)? else { return Ok(Transformed::no(node)) };
    let schema = Arc::clone(node.schema());
    let columns: Vec<Column> = schema.columns();
    let mut placed = Vec::with_capacity(expressions.len());
    for expr in expressions {
        // A column of the result has the name that the call had.
        let name = expr.schema_name().to_string();
        let changed = expr.transform_up(|e| match fails_for_records(&e) {
            true => Ok(Transformed::yes(with_place(e, &place))),
            false => Ok(Transformed::no(e)),
        })?;
        let renamed = changed.transformed && !matches!(node, LogicalPlan::Filter(_));
        let unnamed = renamed && changed.data.schema_name().to_string() != name;
        placed.push(if unnamed { changed.data.alias(name) } else { changed.data });
    }
    let plan = node.with_new_exprs(placed, vec![exposed])?.recompute_schema()?;
    if plan.schema().fields().len() == columns.len() {
        return Ok(Transformed::yes(plan));
    }
    let columns = columns.into_iter().map(Expr::Column).collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
}

/// The relation with columns of its records' places; none where a row is no single record.
fn expose(plan: &LogicalPlan, names: &Names) -> Result<Option<(LogicalPlan, Place)>> {
    match plan {
        LogicalPlan::TableScan(scan) => Ok(place_of(scan).map(|place| (plan.clone(), place))),
        LogicalPlan::Projection(projection) => {
            let Some((input, place)) = expose(&projection.input, names)? else { return Ok(None) };
            let mut exprs = projection.expr.clone();
            let mut column = |expr: &Expr| -> Expr {
                let found = exprs.iter().find(|own| is_column(own, expr)).cloned();
                let expr = found.unwrap_or_else(|| {
                    let name = match expr {
                        Expr::Column(column) => column.name.trim_start_matches("__record_").to_owned(),
                        other => other.schema_name().to_string(),
                    };
                    let alias = expr.clone().alias(names.fresh(&name));
                    exprs.push(alias.clone());
                    alias
                });
                let (qualifier, name) = expr.qualified_name();
                Expr::Column(Column::new(qualifier, name))
            };
            let place = [column(&place[0]), column(&place[1]), column(&place[2])];
            let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?);
            Ok(Some((plan, place)))
        }
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::Unnest(_) => {
            let inputs = plan.inputs();
            let [input] = inputs.as_slice() else { return Ok(None) };
            let Some((input, place)) = expose(input, names)? else { return Ok(None) };
            let plan = plan.with_new_exprs(plan.expressions(), vec![input])?.recompute_schema()?;
            Ok(Some((plan, place)))
        }
        _ => Ok(None),
    }
}

fn is_column(own: &Expr, column: &Expr) -> bool {
    match own {
        Expr::Alias(alias) => *alias.expr == *column,
        own => own == column,
    }
}

/// The three columns of a scan that is Kafka's.
fn place_of(scan: &TableScan) -> Option<Place> {
    let schema = scan.source.schema();
    let has = |name: &str, data_type: DataType| {
        schema.column_with_name(name).is_some_and(|(_, field)| *field.data_type() == data_type)
    };
    let is_kafka = scan.projection.is_none()
        && has("topic", DataType::Utf8View)
        && has("partition", DataType::Int32)
        && has("offset", DataType::Int64)
        && has("timestampType", DataType::Int32);
    let column = |name: &str| Expr::Column(Column::new(Some(scan.table_name.clone()), name));
    is_kafka.then(|| ["topic", "partition", "offset"].map(column))
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        BinaryViewArray, Int32Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
    };
    use datafusion::datasource::MemTable;
    use datafusion::error::DataFusionError;

    use crate::analyzer::{Analyzed, Catalog, Conf, Source, analyze};
    use crate::error::{Error, Result, SparkError};
    use crate::session::session_state;
    use crate::tree::{Read, Relation};
    use crate::types::StructType;

    use super::*;

    /// The table `t`: three records of partition 3, of which the second is bad for every format.
    struct Kafka;

    impl Catalog for Kafka {
        fn table(&self, _name: &str) -> Option<Relation> {
            Some(Relation::Read(Read::new("kafka", false)))
        }

        fn source(&self, _read: &Read) -> Result<Source> {
            let values: [&[u8]; 3] = [b"{\"a\": {\"b\": 1}}", b"{\"a\": {\"b\": \"x\"}}", b"\x08\x01"];
            let times = TimestampMicrosecondArray::from(vec![0; 3]).with_timezone("UTC");
            let schema = millstream_columnar::records::source_schema(false);
            let columns: Vec<arrow_array::ArrayRef> = vec![
                Arc::new(BinaryViewArray::from(vec![None as Option<&[u8]>; 3])),
                Arc::new(BinaryViewArray::from_iter_values(values)),
                Arc::new(StringViewArray::from(vec!["orders"; 3])),
                Arc::new(Int32Array::from(vec![3; 3])),
                Arc::new(Int64Array::from(vec![40, 42, 47])),
                Arc::new(times),
                Arc::new(Int32Array::from(vec![0; 3])),
            ];
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(DataFusionError::from)?;
            let table = MemTable::try_new(Arc::clone(&schema), vec![vec![batch]])?;
            let schema = StructType::from_arrow(&schema)?;
            Ok(Source { provider: Arc::new(table), schema, streaming: false })
        }
    }

    fn run(query: &str) -> Result<Vec<RecordBatch>> {
        let conf = Conf::from_iter([("millstream.parallelism", "1")]);
        let analyzed: Analyzed = analyze(&Relation::Sql(query.to_owned()), &Kafka, &conf)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let state = session_state(&conf)?;
        let batches = runtime.block_on(async {
            let plan = state.create_physical_plan(&analyzed.plan).await?;
            assert_eq!(plan.schema().fields().len(), analyzed.schema.fields.len());
            datafusion::physical_plan::collect(plan, state.task_ctx()).await
        })?;
        Ok(batches)
    }

    fn refused(query: &str) -> String {
        let error = run(query).unwrap_err();
        SparkError::find(&error).map_or_else(|| error.to_string(), |spark| spark.message.clone())
    }

    const RECORD: &str = "Record: topic orders, partition 3, offset 42";

    #[test]
    fn an_error_names_the_record_and_the_field_through_filters_and_projections() {
        let call = |text: &str| format!("from_json({text}, 'a STRUCT<b: INT>', map('mode', 'FAILFAST'))");
        for query in [
            format!("SELECT {} FROM t", call("CAST(value AS STRING)")),
            format!(
                "SELECT v.a.b FROM (SELECT {} AS v FROM t) WHERE v.a.b > 0",
                call("CAST(value AS STRING)")
            ),
            format!("SELECT 1 FROM t WHERE {} IS NOT NULL", call("CAST(value AS STRING)")),
            format!(
                "SELECT {} FROM (SELECT text FROM (SELECT CAST(value AS STRING) AS text, offset AS o FROM t) \
                 WHERE o > 0 LIMIT 3)",
                call("text")
            ),
            format!(
                "SELECT n, {} FROM (SELECT posexplode(array(CAST(value AS STRING), '{{}}')) AS (n, text) FROM t)",
                call("text")
            ),
            format!("SELECT count({}) AS n, max(offset) FROM t", call("CAST(value AS STRING)")),
            format!("SELECT {0}.a.b, count(*) FROM t GROUP BY {0}.a.b", call("CAST(value AS STRING)")),
            format!("SELECT {} FROM (SELECT CAST(value AS STRING) AS x FROM t) AS s", call("s.x")),
            format!("SELECT CASE WHEN offset >= 0 THEN {} END AS v FROM t", call("CAST(value AS STRING)")),
        ] {
            let message = refused(&query);
            assert!(message.contains("[CANNOT_PARSE_JSON_FIELD]"), "{query}: {message}");
            assert!(message.contains(RECORD) && message.contains("Field: a.b"), "{query}: {message}");
        }
    }

    #[test]
    fn every_format_names_the_record() {
        // `message M { int32 i = 1; }` of proto3.
        let set = "X'0A18220E0A014D12090A0169180120012805620670726F746F33'";
        let record = "Record: topic orders, partition 3, offset 40";
        for call in [
            "from_csv(CAST(value AS STRING), 'a INT, b INT', map('mode', 'FAILFAST'))".to_owned(),
            r#"from_avro(value, '{"type":"fixed","name":"F","size":99}')"#.to_owned(),
            "from_kafka(value, 'long', map('mode', 'FAILFAST'))".to_owned(),
            format!("from_protobuf(value, 'M', {set})"),
        ] {
            let message = refused(&format!("SELECT {call} FROM t"));
            assert!(message.contains(record), "{call}: {message}");
        }
    }

    #[test]
    fn nothing_is_read_where_nothing_fails_or_no_record_is_known() {
        let rows = run("SELECT from_json(CAST(value AS STRING), 'a STRUCT<b: INT>').a.b FROM t").unwrap();
        assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
        let plan = |query: &str| {
            let conf = Conf::new();
            let analyzed = analyze(&Relation::Sql(query.to_owned()), &Kafka, &conf).unwrap();
            format!("{:?}", session_state(&conf).unwrap().optimize(&analyzed.plan).unwrap())
        };
        assert!(!plan("SELECT from_json(CAST(value AS STRING), 'a INT') FROM t").contains("offset"));
        let strict = "from_json(text, 'a INT', map('mode', 'FAILFAST'))";
        let of_all = format!("SELECT {strict} FROM (SELECT max(CAST(value AS STRING)) AS text FROM t)");
        assert!(!plan(&of_all).contains("offset"));
        assert!(refused("SELECT from_avro(x'', '\"int\"')").contains("FAILFAST"));
        assert!(matches!(run("SELECT nothing FROM t"), Err(Error::Spark(_))));
    }
}
