//! Queries over rows in memory, from text to values.

use std::collections::HashMap;

use datafusion::physical_plan::collect;

use super::{Analyzed, Catalog, Conf, Source, analyze};
use crate::error::{Error, Result};
use crate::session::session_state;
use crate::tree::{Read, Relation, Value};
use crate::types::StructType;

#[derive(Default)]
struct Views(HashMap<String, Relation>);

impl Catalog for Views {
    fn table(&self, name: &str) -> Option<Relation> {
        self.0.get(&name.to_lowercase()).cloned()
    }

    fn source(&self, _read: &Read) -> Result<Source> {
        Err(Error::unsupported("sources in this test"))
    }
}

fn views() -> Views {
    let rows = |ddl: &str, rows: Vec<Vec<Value>>| Relation::Rows {
        schema: StructType::parse_ddl(ddl).unwrap(),
        rows,
    };
    let text = |t: &str| Value::String(t.to_owned());
    let t = rows(
        "Id INT, k STRING, v INT",
        vec![
            vec![Value::Integer(1), text("a"), Value::Integer(10)],
            vec![Value::Integer(2), text("b"), Value::Null],
            vec![Value::Integer(3), text("a"), Value::Integer(30)],
            vec![Value::Integer(4), Value::Null, Value::Integer(5)],
        ],
    );
    let names =
        rows("k STRING, name STRING", vec![vec![text("a"), text("Anna")], vec![text("c"), text("Carl")]]);
    Views(HashMap::from([("t".to_owned(), t), ("names".to_owned(), names)]))
}

fn analyzed(query: &str) -> Result<Analyzed> {
    analyze(&Relation::Sql(query.to_owned()), &views(), &Conf::new())
}

/// Column names, then a line a row.
fn run(query: &str) -> Vec<String> {
    let analyzed = analyzed(query).unwrap_or_else(|e| panic!("{query}: {e}"));
    let state = session_state(&Conf::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let batches = runtime.block_on(async {
        let plan = state.create_physical_plan(&analyzed.plan).await.unwrap();
        collect(plan, state.task_ctx()).await.unwrap_or_else(|e| panic!("{query}: {e}"))
    });
    let names: Vec<&str> = analyzed.schema.fields.iter().map(|f| f.name.as_ref()).collect();
    let mut lines = vec![names.join(" ")];
    for batch in batches {
        let batch = analyzed.rename(&batch).unwrap();
        let utc = "UTC".parse().unwrap();
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|c| millstream_columnar::text::cast_to_string(c.as_ref(), &utc).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            use arrow_array::Array as _;
            let cells: Vec<&str> =
                columns.iter().map(|c| if c.is_null(row) { "NULL" } else { c.value(row) }).collect();
            lines.push(cells.join(" "));
        }
    }
    lines
}

fn condition(query: &str) -> (String, Vec<(String, String)>) {
    let error = analyzed(query).expect_err(query);
    let spark = error.spark().unwrap_or_else(|| panic!("{query}: {error}"));
    (spark.condition.clone().unwrap_or_default(), spark.parameters.clone().into_iter().collect())
}

#[test]
fn names_are_found_in_any_case_and_columns_are_named_as_spark_names_them() {
    assert_eq!(
        run("SELECT ID, Id + 1, CAST(v AS STRING), upper(k), 'x', 1.5, -1, NOT (v > 1 AND k = 'a'), \
             v IS NULL, t.k, struct(id, v).id, IF(v > 1, 1, 2) FROM t LIMIT 1"),
        [
            "Id (Id + 1) v upper(k) x 1.5 -1 (NOT ((v > 1) AND (k = a))) (v IS NULL) k struct(Id, v).Id \
             (IF((v > 1), 1, 2))",
            "1 2 10 A x 1.5 -1 false false a 1 1"
        ]
    );
}

#[test]
fn one_name_may_stand_for_several_columns() {
    assert_eq!(run("SELECT id AS x, v AS x, * FROM t WHERE id = 1"), ["x x Id k v", "1 10 1 a 10"]);
    assert_eq!(condition("SELECT x FROM (SELECT id AS x, v AS x FROM t)").0, "AMBIGUOUS_REFERENCE");
}

#[test]
fn groups_have_sparks_names_types_and_nulls() {
    assert_eq!(
        run("SELECT k, count(*), count(v), sum(v) AS s, avg(v), min(v), max(k) FROM t GROUP BY k ORDER BY k"),
        [
            "k count(1) count(v) s avg(v) min(v) max(k)",
            "NULL 1 1 5 5.0 5 NULL",
            "a 2 2 40 20.0 10 a",
            "b 1 0 NULL NULL NULL b"
        ]
    );
    assert_eq!(run("SELECT sum(v) + 1 AS s, count(DISTINCT k) FROM t"), ["s count(DISTINCT k)", "46 2"]);
    assert_eq!(run("SELECT count(1) AS n FROM t WHERE id > 9"), ["n", "0"]);
    assert_eq!(
        run("SELECT upper(k) u, sum(v) FROM t GROUP BY upper(k) HAVING count(*) > 1 ORDER BY sum(v) DESC"),
        ["u sum(v)", "A 40"]
    );
    assert_eq!(
        run("SELECT k, max_by(id, v) m, bool_and(v > 5) b, count(*) FILTER (WHERE v > 10) c, \
             collect_list(v) l FROM t GROUP BY k ORDER BY 1"),
        ["k m b c l", "NULL 4 false 0 [5]", "a 3 true 1 [10, 30]", "b NULL NULL 0 []"]
    );
}

#[test]
fn a_column_beside_aggregates_must_be_grouped_by() {
    let parameters = vec![
        ("expression".to_owned(), "\"v\"".to_owned()),
        ("expressionAnyValue".to_owned(), "\"any_value(v)\"".to_owned()),
    ];
    let found = condition("SELECT k, v, count(1) AS n FROM t GROUP BY k");
    assert_eq!(found, ("MISSING_AGGREGATION".to_owned(), parameters));
    assert_eq!(condition("SELECT v, count(1) AS n FROM t").0, "MISSING_GROUP_BY");
}

#[test]
fn rollup_gives_every_level() {
    assert_eq!(
        run("SELECT k, count(1) n FROM t WHERE k IS NOT NULL GROUP BY ROLLUP(k) ORDER BY k NULLS LAST"),
        ["k n", "a 2", "b 1", "NULL 3"]
    );
}

#[test]
fn joins_keep_both_sides_apart() {
    assert_eq!(
        run("SELECT t.id, n.k, name FROM t LEFT JOIN names n ON t.k = n.k ORDER BY id"),
        ["Id k name", "1 a Anna", "2 NULL NULL", "3 a Anna", "4 NULL NULL"]
    );
    assert_eq!(
        run("SELECT * FROM t FULL JOIN names USING (k) ORDER BY k NULLS LAST, id"),
        ["k Id v name", "a 1 10 Anna", "a 3 30 Anna", "b 2 NULL NULL", "c NULL NULL Carl", "NULL 4 5 NULL"]
    );
    assert_eq!(run("SELECT id FROM t LEFT ANTI JOIN names ON t.k = names.k ORDER BY id"), ["Id", "2", "4"]);
    assert_eq!(
        run("SELECT a.id, b.id FROM t a JOIN t b ON a.id = b.id + 2 ORDER BY 1"),
        ["Id Id", "3 1", "4 2"]
    );
    assert_eq!(run("SELECT count(*) n FROM t, names"), ["n", "8"]);
}

#[test]
fn sets_widen_types_and_keep_the_first_sides_names() {
    assert_eq!(
        run(
            "SELECT id FROM t WHERE id < 3 UNION ALL SELECT 2.5 UNION ALL SELECT CAST(NULL AS INT) ORDER BY 1"
        ),
        ["Id", "NULL", "1.0", "2.0", "2.5"]
    );
    assert_eq!(run("SELECT k FROM t INTERSECT SELECT k FROM names"), ["k", "a"]);
    assert_eq!(run("SELECT k FROM names EXCEPT SELECT k FROM t"), ["k", "c"]);
    assert_eq!(condition("SELECT 1 UNION SELECT 1, 2").0, "NUM_COLUMNS_MISMATCH");
}

#[test]
fn sorting_reaches_below_the_select_list_and_puts_nulls_first() {
    assert_eq!(run("SELECT id FROM t ORDER BY v"), ["Id", "2", "4", "1", "3"]);
    assert_eq!(run("SELECT id AS x FROM t ORDER BY x + 0 DESC LIMIT 2"), ["x", "4", "3"]);
    assert_eq!(run("SELECT id FROM t ORDER BY id LIMIT 2 OFFSET 1"), ["Id", "2", "3"]);
    assert_eq!(run("SELECT DISTINCT k FROM t ORDER BY k"), ["k", "NULL", "a", "b"]);
}

#[test]
fn queries_nest() {
    assert_eq!(run("SELECT id FROM t WHERE k IN (SELECT k FROM names) ORDER BY id"), ["Id", "1", "3"]);
    assert_eq!(run("SELECT id FROM t WHERE v = (SELECT max(v) FROM t)"), ["Id", "3"]);
    assert_eq!(
        run("WITH x AS (SELECT id FROM t), y AS (SELECT id + 1 AS j FROM x) SELECT max(j) FROM y"),
        ["max(j)", "5"]
    );
    assert_eq!(condition("SELECT * FROM nowhere").0, "TABLE_OR_VIEW_NOT_FOUND");
}

#[test]
fn arithmetic_is_sparks() {
    assert_eq!(
        run("SELECT 7 / 2, 7 div 2, -7 % 3, 1.5 * 2, 1.10 + 2, CAST(1 AS DECIMAL(10,2)) / 3, \
             '3' + 4, 2 * 0.5D, 10 / 4.0"),
        [
            "(7 / 2) (7 div 2) (-7 % 3) (1.5 * 2) (1.10 + 2) \
             (CAST(1 AS DECIMAL(10,2)) / 3) (3 + 4) (2 * 0.5) (10 / 4.0)",
            "3.5 3 -1 3.0 3.10 0.333333 7 1.0 2.500000"
        ]
    );
}

#[test]
fn windows_repeat_rows_and_drop_those_without_a_time() {
    assert_eq!(
        run("SELECT window(ts, '10 seconds', '5 seconds').start AS s, count(*) AS n FROM \
             VALUES (TIMESTAMP'2025-01-01 00:00:07'), (TIMESTAMP'2025-01-01 00:00:03'), (NULL) AS x(ts) \
             GROUP BY window(ts, '10 seconds', '5 seconds') ORDER BY s"),
        ["s n", "2024-12-31 23:59:55 1", "2025-01-01 00:00:00 2", "2025-01-01 00:00:05 1"]
    );
}

#[test]
fn functions_over_windows_keep_the_rows() {
    assert_eq!(
        run(
            "SELECT id, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS rn, sum(v) OVER (ORDER BY id) AS s, \
             lag(id, 1, 0) OVER (ORDER BY id) AS before, count(*) OVER () AS n FROM t ORDER BY id"
        ),
        ["Id rn s before n", "1 2 10 0 4", "2 1 10 1 4", "3 1 40 2 4", "4 1 45 3 4"]
    );
    let name = "row_number() OVER (PARTITION BY k ORDER BY v ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND \
                CURRENT ROW)";
    assert_eq!(run("SELECT row_number() OVER (PARTITION BY k ORDER BY v) FROM t LIMIT 1"), [name, "1"]);
}

#[test]
fn generators_stand_in_from_too() {
    assert_eq!(
        run("SELECT id, x.n FROM t LATERAL VIEW explode(array(id, v)) x AS n WHERE id < 3 ORDER BY id, n"),
        ["Id n", "1 1", "1 10", "2 NULL", "2 2"]
    );
    assert_eq!(run("SELECT sum(id) FROM range(5)"), ["sum(id)", "10"]);
    assert_eq!(run("SELECT * FROM explode(array(1, 2))"), ["col", "1", "2"]);
}

#[test]
fn unknown_names_come_with_proposals() {
    let (name, parameters) = condition("SELECT kk FROM t");
    assert_eq!(name, "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    assert_eq!(parameters[1].1, "`k`, `v`, `Id`");
    assert_eq!(condition("SELECT frobnicate(k) FROM t").0, "UNRESOLVED_ROUTINE");
    let meant = |query| analyzed(query).expect_err(query).to_string().lines().nth(1).map(str::to_owned);
    assert_eq!(meant("SELECT From_Jsn(k) FROM t").as_deref(), Some("Did you mean: from_json"));
    assert_eq!(meant("SELECT colect_list(k) FROM t").as_deref(), Some("Did you mean: collect_list"));
    assert_eq!(meant("SELECT frobnicate(k) FROM t"), None);
    assert_eq!(condition("SELECT upper(k, k) FROM t").0, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION");
    assert_eq!(condition("SELECT * FROM t WHERE v + 1").0, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN");
}
