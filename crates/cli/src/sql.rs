//! `millstream sql`: every topic is a table with Kafka's columns, or with those of its JSON.

use crate::Outcome;
use crate::connection::ConnectionArguments;
use arrow_array::cast::AsArray;
use clap::{Args, ValueEnum};
use millstream::client::Kafka;
use millstream::prelude::*;
use std::io::Write;

#[derive(Args, Debug)]
pub(crate) struct SqlArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// The query, in Spark's SQL.
    query: String,
    /// Go on with new records for ever.
    #[arg(long)]
    follow: bool,
    /// A topic's JSON as columns, as TOPIC=DDL; may be repeated. Kafka's own columns follow where the names are free.
    #[arg(long = "schema", value_name = "TOPIC=DDL")]
    schemas: Vec<String>,
    /// How rows are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Most rows of a table.
    #[arg(long, default_value_t = 1000)]
    rows: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, as Spark shows it.
    Table,
    /// A JSON object a line.
    Json,
}

pub(crate) async fn run(arguments: SqlArguments) -> Outcome {
    let (kafka, _) = arguments.connection.connect().await?;
    let session = Session::builder().app_name("millstream sql").build()?;
    arguments.register(&session, &kafka).await?;
    let frame = session.sql(&arguments.query)?;
    if arguments.follow { arguments.follow(&frame).await } else { arguments.print(&frame).await }
}

impl SqlArguments {
    /// Makes a view of every topic.
    async fn register(&self, session: &Session, kafka: &Kafka) -> Outcome {
        let topics = kafka.list_topics().await?;
        let known = |name: &str| topics.iter().any(|topic| &*topic.name == name);
        let mut schemas = std::collections::HashMap::new();
        for schema in &self.schemas {
            let pair = schema.split_once('=').filter(|(topic, _)| known(topic));
            let Some((topic, ddl)) = pair else {
                return Err(
                    format!("--schema {schema}: write it as TOPIC=DDL with a topic that exists").into()
                );
            };
            schemas.insert(topic, StructType::parse_ddl(ddl)?);
        }
        for topic in topics.iter().filter(|topic| !topic.is_internal) {
            let frame = self.table(session, &topic.name)?;
            let frame = match schemas.get(&*topic.name) {
                Some(schema) => parsed(&frame, schema)?,
                None => frame,
            };
            frame.create_or_replace_temp_view(&topic.name);
        }
        Ok(())
    }

    fn table(&self, session: &Session, topic: &str) -> Result<DataFrame> {
        let reader = if self.follow { session.read_stream() } else { session.read() };
        let mut reader = reader
            .format("kafka")
            .option("kafka.bootstrap.servers", &self.connection.brokers)
            .option("subscribe", topic)
            .option("startingOffsets", "earliest");
        for (name, value) in self.connection.properties.iter().filter_map(|property| property.split_once('='))
        {
            reader = reader.option(format!("kafka.{name}"), value);
        }
        reader.load()
    }

    async fn print(&self, frame: &DataFrame) -> Outcome {
        match self.format {
            Format::Table => frame.show_with(self.rows, false, false).await?,
            Format::Json => print_lines(frame).await?,
        }
        Ok(())
    }

    async fn follow(&self, frame: &DataFrame) -> Outcome {
        let writer = frame.write_stream();
        let query = match self.format {
            Format::Table => {
                writer
                    .format("console")
                    .option("truncate", false)
                    .option("numRows", self.rows)
                    .start()
                    .await?
            }
            Format::Json => {
                let print = |frame: DataFrame, _batch: i64| async move { print_lines(&frame).await };
                writer.foreach_batch(print).start().await?
            }
        };
        Ok(query.await_termination().await?)
    }
}

/// A JSON object a row, NULLs left out as `to_json` has it.
async fn print_lines(frame: &DataFrame) -> Result<()> {
    let lines = frame.select_expr(["to_json(struct(*)) AS line"])?;
    let batches = lines.collect().await?;
    let mut out = std::io::stdout().lock();
    for batch in batches {
        for line in batch.column(0).as_string_view().iter().flatten() {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}

/// The fields of the JSON value, then Kafka's columns whose names are free.
fn parsed(frame: &DataFrame, schema: &StructType) -> Result<DataFrame> {
    let free = |name: &str| !schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
    let mut columns = vec!["__value.*".to_owned()];
    columns.extend(frame.columns().into_iter().filter(|name| name != "value" && free(name)));
    frame
        .with_column("__value", from_json(col("value").cast(SparkType::String), schema))?
        .select(columns.iter().map(String::as_str).collect::<Vec<_>>())
}
