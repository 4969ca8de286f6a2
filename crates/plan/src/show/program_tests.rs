//! The recorded program p08: every form of `show` and `printSchema`, its SQL texts parsed and run here, against what
//! Spark printed, byte for byte.
use std::path::PathBuf;

use crate::show::{ShowOptions, Truncate, table};
use crate::test_session::run;
use crate::tree::{Relation, Value, col};
use crate::types::StructType;

fn recorded(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../integration/golden/programs/p08_show");
    std::fs::read_to_string(folder.join(file)).expect("the recorded programs are part of the repository")
}

/// What the program hands to `spark.sql(..)`.
fn queries() -> Vec<String> {
    let program = recorded("program.py");
    let mut texts = Vec::new();
    let mut rest = program.as_str();
    while let Some((_, behind)) = rest.split_once("spark.sql(") {
        let quote = if behind.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
        let (text, after) = behind[quote.len()..].split_once(quote).unwrap();
        texts.push(text.to_owned());
        rest = after;
    }
    texts
}

struct Printer(String);

impl Printer {
    /// `df.show(n, truncate, vertical)`.
    fn show(&mut self, relation: &Relation, rows: usize, truncate: Truncate, vertical: bool) {
        let limited = Relation::Limit { input: Box::new(relation.clone()), count: rows as i64 + 1 };
        let (schema, batches) = run(&limited).unwrap();
        let options = ShowOptions { rows, truncate, vertical, ..ShowOptions::default() };
        self.0 += &format!("{}\n", table(&batches, &schema, &options).unwrap());
    }

    /// `df.printSchema(level)`.
    fn schema(&mut self, relation: &Relation, level: usize) {
        self.0 += &format!("{}\n", run(relation).unwrap().0.tree_string(level));
    }
}

fn people() -> Relation {
    let schema = "firstname STRING, middlename STRING, lastname STRING, id STRING, gender STRING, salary INT";
    let row = |texts: [&str; 5], salary: i32| {
        texts.into_iter().map(Value::from).chain([Value::Integer(salary)]).collect::<Vec<_>>()
    };
    let rows = vec![
        row(["James", "", "Smith", "36636", "M"], 3000),
        row(["Michael", "Rose", "", "40288", "M"], 4000),
        row(["Robert", "", "Williams", "42114", "M"], 4000),
        row(["Maria", "Anne", "Jones", "39192", "F"], 4000),
        row(["Jen", "Mary", "Brown", "", "F"], -1),
    ];
    Relation::Rows { schema: StructType::parse_ddl(schema).unwrap(), rows }
}

fn long() -> Relation {
    let rows = [
        (Some("a".repeat(19)), Some(1)),
        (Some("b".repeat(20)), None),
        (Some("c".repeat(21)), Some(3)),
        (None, Some(4)),
        (Some("日本語の長い文字列が二十文字を超えるとどうなるか".to_owned()), Some(5)),
        (Some("tab\tnew\nline\rret".to_owned()), Some(6)),
    ];
    let rows = rows.into_iter().map(|(text, n)| vec![text.into(), n.into()]).collect();
    Relation::Rows { schema: StructType::parse_ddl("text STRING, n INT").unwrap(), rows }
}

fn range(end: i64) -> Relation {
    Relation::Range { start: 0, end, step: 1, partitions: None }
}

#[test]
fn the_program_prints_what_spark_prints() {
    let (cut, full) = (Truncate::default(), Truncate::No);
    let mut out = Printer(String::new());
    let df = people();
    let none = Relation::Limit { input: Box::new(df.clone()), count: 0 };
    let select = |expressions| Relation::Project { input: Box::new(people()), expressions };
    out.schema(&df, 0);
    out.show(&df, 20, full, false);
    out.show(&df, 20, cut, false);
    out.show(&df, 2, cut, false);
    out.show(&df, 3, full, false);
    out.show(&df, 2, Truncate::At(5), false);
    out.show(&df, 20, Truncate::At(3), false);
    out.show(&df, 20, Truncate::At(1), false);
    out.show(&df, 2, cut, true);
    out.show(&df, 0, cut, false);
    out.show(&df, 1, Truncate::At(4), true);
    out.show(&none, 20, cut, false);
    out.show(&select(vec![col("salary")]), 20, cut, false);
    out.show(&select(vec![]), 20, cut, false);
    out.show(&none, 20, cut, true);
    let long = long();
    out.show(&long, 20, cut, false);
    out.show(&long, 20, full, false);
    out.show(&long, 20, Truncate::At(10), false);
    out.show(&long, 20, cut, true);
    out.show(&long, 20, full, true);
    out.show(&range(25), 20, cut, false);
    out.show(&range(20), 20, cut, false);
    out.show(&range(21), 5, cut, true);
    let queries: Vec<Relation> = queries().into_iter().map(Relation::Sql).collect();
    let [types, nested, numbers] = queries.as_slice() else { panic!("{queries:?}") };
    out.schema(types, 0);
    out.show(types, 20, cut, false);
    out.show(types, 20, full, false);
    out.show(types, 20, cut, true);
    out.schema(nested, 0);
    out.schema(nested, 1);
    out.schema(nested, 2);
    out.show(nested, 20, full, false);
    out.show(numbers, 20, full, false);
    let expected = recorded("expected/console_1.txt");
    for (line, (ours, sparks)) in out.0.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, sparks, "line {}", line + 1);
    }
    assert_eq!(out.0, expected);
}
