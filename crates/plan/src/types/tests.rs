//! The spellings of types, each against the others.
use super::*;

fn every_type() -> Vec<(SparkType, &'static str, &'static str)> {
    use SparkType as T;
    let inner = StructType::new().add("x", T::Integer, false).add("a b", T::String, true);
    vec![
        (T::Null, "void", "VOID"),
        (T::Boolean, "boolean", "BOOLEAN"),
        (T::Byte, "tinyint", "TINYINT"),
        (T::Short, "smallint", "SMALLINT"),
        (T::Integer, "int", "INT"),
        (T::Long, "bigint", "BIGINT"),
        (T::Float, "float", "FLOAT"),
        (T::Double, "double", "DOUBLE"),
        (T::Decimal(10, 2), "decimal(10,2)", "DECIMAL(10,2)"),
        (T::String, "string", "STRING"),
        (T::Binary, "binary", "BINARY"),
        (T::Date, "date", "DATE"),
        (T::Timestamp, "timestamp", "TIMESTAMP"),
        (T::TimestampNtz, "timestamp_ntz", "TIMESTAMP_NTZ"),
        (T::DAY_TIME, "interval day to second", "INTERVAL DAY TO SECOND"),
        (T::DayTimeInterval(DayTimeField::Hour, DayTimeField::Hour), "interval hour", "INTERVAL HOUR"),
        (T::YEAR_MONTH, "interval year to month", "INTERVAL YEAR TO MONTH"),
        (T::Array(Box::new(T::Long), true), "array<bigint>", "ARRAY<BIGINT>"),
        (
            T::Map(Box::new(T::String), Box::new(T::Array(Box::new(T::Double), true)), true),
            "map<string,array<double>>",
            "MAP<STRING, ARRAY<DOUBLE>>",
        ),
        (T::Struct(inner), "struct<x:int,a b:string>", "STRUCT<x: INT NOT NULL, `a b`: STRING>"),
        (T::Struct(StructType::new()), "struct<>", "STRUCT<>"),
    ]
}

#[test]
fn each_type_has_its_names_and_reads_them_back() {
    for (data_type, simple, sql) in every_type() {
        assert_eq!(data_type.simple_string(), simple);
        assert_eq!(data_type.sql(), sql);
        assert_eq!(SparkType::parse_ddl(sql).unwrap(), data_type, "{sql}");
        let json = serde_json::to_string(&data_type).unwrap();
        assert_eq!(serde_json::from_str::<SparkType>(&json).unwrap(), data_type, "{json}");
    }
}

#[test]
fn arrow_types_are_spark_types_one_to_one() {
    for (data_type, ..) in every_type() {
        let back = SparkType::from_arrow(&data_type.to_arrow()).unwrap();
        let expected = match data_type {
            SparkType::DayTimeInterval(..) => SparkType::DAY_TIME,
            other => other,
        };
        assert_eq!(back, expected);
    }
    assert!(SparkType::from_arrow(&arrow_schema::DataType::Time32(arrow_schema::TimeUnit::Second)).is_err());
}

#[test]
fn ddl_is_read_in_every_spelling() {
    let ddl = "name STRING, age INT NOT NULL, a STRUCT<x: INT, y: ARRAY<STRING>>, m map<string,int> COMMENT 'c', \
               d DECIMAL(10,2), dec, e dec(5), f: varchar(10), `g h` Long, timestamp TIMESTAMP";
    assert!(StructType::parse_ddl(ddl).is_err(), "a column without a type");
    let schema = StructType::parse_ddl(&ddl.replace(" dec, e", " e")).unwrap();
    assert_eq!(
        schema.simple_string(),
        "struct<name:string,age:int,a:struct<x:int,y:array<string>>,m:map<string,int>,d:decimal(10,2),e:decimal(5,0),\
         f:string,g h:bigint,timestamp:timestamp>"
    );
    assert!(!schema.fields[1].nullable);
    assert_eq!(StructType::parse_ddl(&schema.to_ddl()).unwrap(), schema);
    assert_eq!(StructType::parse_ddl("struct<a:int,b:array<array<int>>>").unwrap().fields.len(), 2);
    assert_eq!(SparkType::parse_ddl("a INT").unwrap().simple_string(), "struct<a:int>");
    for bad in
        ["a", "a FOO", "a INT,", "a ARRAY", "a MAP<INT>", "a DECIMAL(39,0)", "a DECIMAL(2,3)", "a INT(3)", ""]
    {
        assert!(StructType::parse_ddl(bad).is_err(), "{bad}");
    }
    let error = StructType::parse_ddl("a FOO").unwrap_err();
    assert_eq!(error.spark().unwrap().parameters["typeName"], "\"FOO\"");
}

#[test]
fn sparks_json_schema_is_read_and_written() {
    let json = r#"{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}},{"name":"b","type":{"type":"array","elementType":"decimal(10,2)","containsNull":false},"nullable":false,"metadata":{}}]}"#;
    let schema: StructType = serde_json::from_str(json).unwrap();
    assert_eq!(schema.simple_string(), "struct<a:bigint,b:array<decimal(10,2)>>");
    assert_eq!(serde_json::to_string(&schema).unwrap(), json);
    let deep = format!(
        "{}\"int\"{}",
        r#"{"type":"array","containsNull":true,"elementType":"#.repeat(110),
        "}".repeat(110)
    );
    assert!(serde_json::from_str::<SparkType>(&deep).is_err());
    assert!(serde_json::from_str::<StructType>("\"int\"").is_err());
}

#[test]
fn print_schema_shows_every_level_or_only_some() {
    let nested = StructType::parse_ddl(
        "deep ARRAY<STRUCT<p: STRING NOT NULL, q: MAP<STRING, ARRAY<DOUBLE>>>> NOT NULL",
    )
    .unwrap();
    assert_eq!(
        nested.tree_string(0),
        "root\n |-- deep: array (nullable = false)\n |    |-- element: struct (containsNull = true)\n \
         |    |    |-- p: string (nullable = false)\n |    |    |-- q: map (nullable = true)\n \
         |    |    |    |-- key: string\n |    |    |    |-- value: array (valueContainsNull = true)\n \
         |    |    |    |    |-- element: double (containsNull = true)\n"
    );
    assert_eq!(nested.tree_string(1), "root\n |-- deep: array (nullable = false)\n");
    assert_eq!(nested.tree_string(2).lines().count(), 3);
}
