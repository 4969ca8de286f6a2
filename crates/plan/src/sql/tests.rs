//! The grammar as a whole: what Spark accepts, how it binds, and what it says of the rest.
use super::*;
use crate::tree::{CastMode, Grouping, JoinCondition, JoinKind, Value, call, col, lit, star};

fn parse(text: &str) -> Expr {
    parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn query(text: &str) -> Relation {
    parse_query(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn syntax_error(text: &str) -> (String, String) {
    let is_query = text.starts_with("select");
    let error = if is_query { parse_query(text).unwrap_err() } else { parse_expression(text).unwrap_err() };
    let error = error.spark().unwrap_or_else(|| panic!("{text}: {error}")).clone();
    assert_eq!(error.condition.as_deref(), Some("PARSE_SYNTAX_ERROR"), "{text}");
    assert_eq!(error.sqlstate.as_deref(), Some("42601"));
    (error.parameters["error"].clone(), error.parameters["hint"].clone())
}

fn binary(name: &str, left: Expr, right: Expr) -> Expr {
    call(name, vec![left, right])
}

#[test]
fn operators_bind_as_in_spark() {
    let (a, b, c) = (|| col("a"), || col("b"), || col("c"));
    assert_eq!(parse("a + b * c"), binary("+", a(), binary("*", b(), c())));
    assert_eq!(parse("a - b - c"), binary("-", binary("-", a(), b()), c()));
    assert_eq!(parse("a || b + c"), binary("+", binary("concat", a(), b()), c()));
    assert_eq!(parse("a | b ^ c"), binary("|", a(), binary("^", b(), c())));
    assert_eq!(parse("a >> b < c"), binary("<", binary(">>", a(), b()), c()));
    assert_eq!(parse("a div b % c"), binary("%", binary("div", a(), b()), c()));
    assert_eq!(parse("NOT a = b AND c"), binary("and", call("not", vec![binary("=", a(), b())]), c()));
    assert_eq!(parse("a != b"), call("not", vec![binary("=", a(), b())]));
    assert_eq!(parse("a OR b AND c"), binary("or", a(), binary("and", b(), c())));
    assert_eq!(
        parse("a AND b AND c AND a AND b"),
        binary("and", binary("and", binary("and", a(), b()), c()), binary("and", a(), b()))
    );
    assert_eq!(parse("-a"), call("negative", vec![a()]));
    assert_eq!(parse("a -1"), binary("-", a(), lit(1)));
    assert_eq!(parse("a * -1"), binary("*", a(), lit(-1)));
    assert_eq!(parse("-(a)"), call("negative", vec![a()]));
    assert_eq!(parse("~a"), call("~", vec![a()]));
}

#[test]
fn predicates_are_calls() {
    let a = || col("a");
    assert_eq!(parse("a IS NOT NULL"), call("isnotnull", vec![a()]));
    assert_eq!(parse("a IS NOT TRUE"), call("not", vec![binary("<=>", a(), lit(true))]));
    assert_eq!(parse("a IS DISTINCT FROM 1"), call("not", vec![binary("<=>", a(), lit(1))]));
    assert_eq!(parse("a NOT IN (1, 2)"), call("not", vec![call("in", vec![a(), lit(1), lit(2)])]));
    assert_eq!(parse("a BETWEEN 1 AND 2"), call("between", vec![a(), lit(1), lit(2)]));
    assert_eq!(
        parse("a BETWEEN 1 AND 2 AND b"),
        binary("and", call("between", vec![a(), lit(1), lit(2)]), col("b"))
    );
    assert_eq!(parse("a LIKE 'x!%' ESCAPE '!'"), call("like", vec![a(), lit("x!%"), lit("!")]));
    assert_eq!(parse("a RLIKE r'\\d'"), binary("rlike", a(), lit("\\d")));
    assert_eq!(
        parse("a LIKE ANY ('x', 'y')"),
        binary("or", binary("like", a(), lit("x")), binary("like", a(), lit("y")))
    );
    assert!(matches!(parse("a IN (SELECT k FROM b)"), Expr::InSubquery { values, .. } if values == [a()]));
    assert!(matches!(parse("(a, b) IN (SELECT 1, 2)"), Expr::InSubquery { values, .. } if values.len() == 2));
    assert!(
        matches!(parse("NOT EXISTS (SELECT 1)"), Expr::Call(c) if matches!(c.arguments[0], Expr::Exists(_)))
    );
}

#[test]
fn names_fields_keys_and_casts_hang_behind_each_other() {
    let extract = |child: Expr, key: Expr| Expr::Extract { child: Box::new(child), key: Box::new(key) };
    assert_eq!(parse("a.`b.c`.d"), Expr::Attribute(vec!["a".into(), "b.c".into(), "d".into()]));
    assert_eq!(parse("arr[0].x"), extract(extract(col("arr"), lit(0)), lit("x")));
    assert_eq!(parse("m['k']"), extract(col("m"), lit("k")));
    assert_eq!(parse("f(a)._x"), extract(call("f", vec![col("a")]), lit("_x")));
    let cast = |child: Expr, to| Expr::Cast { child: Box::new(child), to, mode: CastMode::Session };
    assert_eq!(parse("a::int"), cast(col("a"), SparkType::Integer));
    assert_eq!(parse("CAST(a AS ARRAY<ARRAY<INT>>)"), {
        let inner = SparkType::Array(Box::new(SparkType::Integer), true);
        cast(col("a"), SparkType::Array(Box::new(inner), true))
    });
    assert_eq!(parse("try_cast(a AS BIGINT)"), col("a").try_cast(SparkType::Long));
    assert_eq!(parse("t.*"), Expr::Star { target: vec!["t".into()] });
    assert_eq!(parse("struct(*)"), call("struct", vec![star()]));
    assert_eq!(parse("count(*)"), call("count", vec![lit(1)]));
    for name in ["timestamp", "offset", "value", "end", "date", "window.start", "case", "interval", "left"] {
        assert_eq!(parse(name), col(name));
    }
}

#[test]
fn aliases_may_have_several_names() {
    assert_eq!(parse("a AS b"), col("a").alias("b"));
    assert_eq!(parse("a `b c`"), col("a").alias("b c"));
    assert_eq!(parse("CAST(a AS STRING) timestamp"), col("a").cast(SparkType::String).alias("timestamp"));
    let names = |expr: Expr| match expr {
        Expr::Alias { names, .. } => names,
        other => panic!("{other:?}"),
    };
    assert_eq!(names(parse("posexplode(m) AS (p, k, w)")), ["p", "k", "w"]);
    assert_eq!(names(parse("posexplode(a) (p, k)")), ["p", "k"]);
    let fields = parse("struct(a, b AS c)");
    assert_eq!(fields, call("struct", vec![col("a"), col("b").alias("c")]));
}

#[test]
fn calls_have_their_modifiers_and_worded_arguments() {
    let Expr::Call(sum) = parse("count(DISTINCT a, b) FILTER (WHERE c > 1)") else { panic!() };
    assert!(sum.distinct && sum.filter.is_some() && sum.arguments.len() == 2);
    let Expr::Window(window) = parse(
        "lag(a) IGNORE NULLS OVER (PARTITION BY k ORDER BY v DESC NULLS FIRST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    ) else {
        panic!()
    };
    assert!(window.frame.is_some() && window.order_by[0].nulls_first && !window.order_by[0].ascending);
    assert_eq!(parse("extract(YEAR FROM ts)"), call("extract", vec![lit("YEAR"), col("ts")]));
    assert_eq!(parse("substring(a FROM 2 FOR 3)"), call("substring", vec![col("a"), lit(2), lit(3)]));
    assert_eq!(parse("substring(a, 2)"), call("substring", vec![col("a"), lit(2)]));
    assert_eq!(parse("position('x' IN a)"), call("position", vec![lit("x"), col("a")]));
    assert_eq!(parse("trim(LEADING 'x' FROM a)"), call("ltrim", vec![lit("x"), col("a")]));
    assert_eq!(parse("trim(a)"), call("trim", vec![col("a")]));
    assert_eq!(parse("overlay(a PLACING b FROM 1)"), call("overlay", vec![col("a"), col("b"), lit(1)]));
    assert_eq!(
        parse("timestampdiff(day, a, b)"),
        call("timestampdiff", vec![lit("DAY"), col("a"), col("b")])
    );
    assert_eq!(parse("current_timestamp"), call("current_timestamp", vec![]));
    let Expr::Call(transform) = parse("transform(xs, (x, i) -> x.a + i + y)") else { panic!() };
    let body = binary(
        "+",
        binary(
            "+",
            Expr::LambdaVariable(vec!["x".into(), "a".into()]),
            Expr::LambdaVariable(vec!["i".into()]),
        ),
        col("y"),
    );
    assert_eq!(
        transform.arguments[1],
        Expr::Lambda { body: Box::new(body), parameters: vec!["x".into(), "i".into()] }
    );
    assert_eq!(
        parse("CASE a WHEN 1 THEN 'x' ELSE 'y' END"),
        Expr::Case {
            branches: vec![(binary("=", col("a"), lit(1)), lit("x"))],
            otherwise: Some(Box::new(lit("y")))
        }
    );
}

#[test]
fn queries_become_relations() {
    let Relation::Limit { input, count: 5 } = query(
        "SELECT k, count(*) n FROM t WHERE v > 1 GROUP BY k HAVING n > 1 ORDER BY 2 DESC LIMIT 5 OFFSET 1;",
    ) else {
        panic!()
    };
    let Relation::Offset { input, count: 1 } = *input else { panic!() };
    let Relation::Sort { input, global: true, .. } = *input else { panic!() };
    let Relation::Having { input, .. } = *input else { panic!() };
    let Relation::Aggregate { input, group, output, grouping: Grouping::GroupBy } = *input else { panic!() };
    assert_eq!((group.len(), output.len()), (1, 2));
    let Relation::Filter { input, .. } = *input else { panic!() };
    assert_eq!(*input, Relation::Table(vec!["t".into()]));
    assert!(matches!(query("SELECT 1"), Relation::Project { input, .. } if *input == Relation::OneRow));
    assert!(matches!(query("SELECT DISTINCT a FROM t"), Relation::Distinct { .. }));
    assert!(matches!(
        query("SELECT a FROM t GROUP BY ALL"),
        Relation::Aggregate { grouping: Grouping::All, .. }
    ));
    assert!(matches!(
        query("SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, ())"),
        Relation::Aggregate { grouping: Grouping::Sets(sets), group, .. } if sets.len() == 3 && group.len() == 2
    ));
    for text in [
        "WITH a AS (SELECT 1 AS x), b(y) AS (SELECT x FROM a) SELECT * FROM a, b",
        "SELECT * FROM (SELECT 1) UNION ALL (SELECT 2) EXCEPT SELECT 3 INTERSECT SELECT 4",
        "((SELECT 1) UNION (SELECT 2)) ORDER BY 1",
        "SELECT ((SELECT 1) + 1), (SELECT max(a) FROM t) AS m",
        "SELECT * FROM t LATERAL VIEW OUTER explode(xs) e AS x LATERAL VIEW posexplode(ys) p AS i, y WHERE x > 1",
        "SELECT * FROM t, LATERAL explode(xs) AS e(x)",
        "SELECT * FROM explode(array(1, 2)) AS e(x)",
        "SELECT * FROM t TABLESAMPLE (5 PERCENT) r",
        "FROM t SELECT a WHERE b",
        "TABLE t",
        "SELECT double(col1) FROM VALUES ('0.1'), ('1e7')",
        "SELECT a FROM t GROUP BY ROLLUP(a, b)",
        "SELECT a, b FROM t GROUP BY a, b WITH CUBE",
        "SELECT /*+ BROADCAST(t) */ * FROM t DISTRIBUTE BY k SORT BY v",
    ] {
        query(text);
    }
}

#[test]
fn joins_have_their_kinds_and_conditions() {
    let join = |text: &str| match query(&format!("SELECT * FROM l {text}")) {
        Relation::Project { input, .. } => match *input {
            Relation::Join { kind, condition, .. } => (kind, condition),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(join("JOIN r USING (k)"), (JoinKind::Inner, JoinCondition::Using(vec!["k".into()])));
    assert_eq!(join("LEFT OUTER JOIN r AS x ON a").0, JoinKind::LeftOuter);
    assert_eq!(join("LEFT SEMI JOIN r ON a").0, JoinKind::LeftSemi);
    assert_eq!(join("ANTI JOIN r ON a").0, JoinKind::LeftAnti);
    assert_eq!(join("NATURAL FULL JOIN r"), (JoinKind::FullOuter, JoinCondition::Natural));
    assert_eq!(join("CROSS JOIN r"), (JoinKind::Cross, JoinCondition::None));
    assert_eq!(join(", r"), (JoinKind::Inner, JoinCondition::None));
    assert_eq!(join("AS a JOIN (r JOIN s ON x) ON y").0, JoinKind::Inner);
}

#[test]
fn values_are_rows_of_expressions() {
    let Relation::SubqueryAlias { input, alias, columns } = query("VALUES (1, 'a'), (2, NULL) AS t(x, y)")
    else {
        panic!()
    };
    assert_eq!((alias.as_str(), columns.len()), ("t", 2));
    let null = Expr::Literal(Value::Null);
    assert_eq!(*input, Relation::Values(vec![vec![lit(1), lit("a")], vec![lit(2), null]]));
}

#[test]
fn syntax_errors_name_the_token_as_spark_does() {
    let of = |error: &str, hint: &str| (error.to_owned(), hint.to_owned());
    assert_eq!(syntax_error("CAST(k AS"), of("end of input", ""));
    assert_eq!(syntax_error("CAST(value AS STRING"), of("end of input", ""));
    assert_eq!(syntax_error("get_json_object(v, '$['a.b']') AS r"), of("'a'", ": extra input 'a'"));
    assert_eq!(syntax_error("from_json(v,'a INT, b INT').*"), of("'*'", ""));
    assert_eq!(syntax_error("from_json(v,'a STRUCT<b: STRUCT<c: INT>>').a.*"), of("'*'", ""));
    assert_eq!(syntax_error("select 1 1"), of("'1'", ": extra input '1'"));
    assert_eq!(syntax_error("select * from r order by q from t"), of("'from'", ""));
    assert_eq!(syntax_error("a +"), of("end of input", ""));
    assert_eq!(syntax_error(""), of("end of input", ""));
    let message = parse_expression("get_json_object(v, '$['a.b']') AS r").unwrap_err().to_string();
    assert_eq!(
        message,
        "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'a': extra input 'a'. SQLSTATE: 42601 (line 1, pos 23)\n\n\
         == SQL ==\nget_json_object(v, '$['a.b']') AS r\n-----------------------^^^\n"
    );
}

#[test]
fn hostile_texts_are_refused_without_exhausting_the_stack() {
    let deep = [
        format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        "f(".repeat(20_000),
        "NOT ".repeat(20_000),
        "- ".repeat(20_000),
        "CASE WHEN ".repeat(10_000),
        format!("1{}", " + 1".repeat(20_000)),
        format!("a{}", "[0]".repeat(20_000)),
        format!("a{}", "::int".repeat(20_000)),
        format!("f(a){}", ".b".repeat(20_000)),
        "CAST(1 AS ARRAY<".replace("ARRAY<", &"ARRAY<".repeat(20_000)),
        "x -> ".repeat(20_000),
        "position(".repeat(3_000),
        format!("SELECT * FROM {}", "(".repeat(10_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(10_000)),
        format!("SELECT * FROM a{}", " JOIN b".repeat(10_000)),
    ];
    for text in deep {
        assert!(parse_expression(&text).is_err());
        assert!(parse_query(&text).is_err());
    }
    parse(&format!("{}1{}", "(".repeat(40), ")".repeat(40)));
    parse(&format!("a = 1{}", " OR a = 1".repeat(20_000)));
    assert!(parse_expression(&"a".repeat(17 << 20)).is_err());
}

#[test]
fn column_names_are_split_at_dots_outside_backticks() {
    assert_eq!(parse_name("a.b").unwrap(), ["a", "b"]);
    assert!(parse_name("`a.b`.c``d").is_err());
    assert_eq!(parse_name("`a.``b`.c d").unwrap(), ["a.`b", "c d"]);
    for bad in ["", "a..b", "a.", "`a", "`a`b", "``"] {
        assert!(parse_name(bad).is_err(), "{bad}");
    }
}
