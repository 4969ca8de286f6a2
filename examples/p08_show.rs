//! P8: frames from rows in memory, and every form of `show` and `print_schema`.

use millstream::prelude::*;

const TYPES: &str = "SELECT CAST(1 AS TINYINT) AS b, CAST(-2 AS SMALLINT) AS s, 3 AS i, 4L AS l, CAST(0.1 AS FLOAT) AS f, \
    1.0E-5D AS d, 12.50BD AS dec, true AS t, DATE'2026-02-28' AS dt, TIMESTAMP'2026-02-28 01:02:03.45' AS ts, \
    TIMESTAMP_NTZ'2026-02-28 01:02:03' AS ntz, X'00FF41' AS bin, INTERVAL '1 02:03:04' DAY TO SECOND AS iv, \
    array(1, NULL, 3) AS arr, map('k', 1, 'n', NULL) AS m, struct(1 AS x, 'y' AS y, NULL AS z) AS st, \
    CAST(NULL AS STRING) AS nul, NULL AS v";
const NESTED: &str = "SELECT array(struct('a' AS p, map('k', array(1.5D, double('NaN'))) AS q)) AS deep, \
    named_struct('a b', named_struct('c.d', 1)) AS odd, map(struct(1), array()) AS mk";
const NUMBERS: &str = "SELECT double(col1) AS d, float(col1) AS f FROM VALUES ('0.1'), ('1e7'), ('9999999'), ('1e-3'), \
    ('0.00099'), ('-0.0'), ('NaN'), ('-Infinity'), ('123456789.125'), ('1e308')";

#[tokio::main]
async fn main() -> Result<()> {
    let session = Session::builder().master("local[1]").app_name("SparkByExamples.com").get_or_create()?;
    let data = [
        ("James", "", "Smith", "36636", "M", 3000),
        ("Michael", "Rose", "", "40288", "M", 4000),
        ("Robert", "", "Williams", "42114", "M", 4000),
        ("Maria", "Anne", "Jones", "39192", "F", 4000),
        ("Jen", "Mary", "Brown", "", "F", -1),
    ];
    let schema = StructType::new()
        .add("firstname", SparkType::String, true)
        .add("middlename", SparkType::String, true)
        .add("lastname", SparkType::String, true)
        .add("id", SparkType::String, true)
        .add("gender", SparkType::String, true)
        .add("salary", SparkType::Integer, true);
    let df = session.create_data_frame(data, schema)?;
    df.print_schema();
    df.show_with(20, false, false).await?;
    every_form(&df).await?;
    long_and_wide(&session).await?;
    for rows in [25, 20] {
        session.range(rows)?.show().await?;
    }
    session.range(21)?.show_with(5, true, true).await?;
    every_type(&session).await
}

async fn every_form(df: &DataFrame) -> Result<()> {
    df.show().await?;
    df.show_with(2, true, false).await?;
    df.show_with(3, false, false).await?;
    df.show_with(2, 5, false).await?;
    df.show_with(20, 3, false).await?;
    df.show_with(20, 1, false).await?;
    df.show_with(2, true, true).await?;
    df.show_with(0, true, false).await?;
    df.show_with(1, 4, true).await?;
    df.limit(0)?.show().await?;
    df.select(["salary"])?.show().await?;
    df.select([] as [&str; 0])?.show().await?;
    df.limit(0)?.show_with(20, true, true).await
}

async fn long_and_wide(session: &Session) -> Result<()> {
    let rows = [
        (Some("a".repeat(19)), Some(1)),
        (Some("b".repeat(20)), None),
        (Some("c".repeat(21)), Some(3)),
        (None, Some(4)),
        (Some("日本語の長い文字列が二十文字を超えるとどうなるか".into()), Some(5)),
        (Some("tab\tnew\nline\rret".into()), Some(6)),
    ];
    let long = session.create_data_frame(rows, "text string, n int")?;
    long.show().await?;
    long.show_with(20, false, false).await?;
    long.show_with(20, 10, false).await?;
    long.show_with(20, true, true).await?;
    long.show_with(20, false, true).await
}

async fn every_type(session: &Session) -> Result<()> {
    let types = session.sql(TYPES)?;
    types.print_schema();
    types.show().await?;
    types.show_with(20, false, false).await?;
    types.show_with(20, true, true).await?;
    let nested = session.sql(NESTED)?;
    nested.print_schema();
    nested.print_schema_level(1);
    nested.print_schema_level(2);
    nested.show_with(20, false, false).await?;
    session.sql(NUMBERS)?.show_with(20, false, false).await
}
