//! `millstream topics`: what is there, and changes to it.

use crate::Outcome;
use crate::connection::ConnectionArguments;
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use millstream::client::{ErrorCode, Isolation, Kafka, NewTopic, OffsetSpec, TopicMetadata, TopicPartition};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(crate) struct TopicsArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List the topics with their partitions and records (what is done without a word).
    List,
    /// Show the partitions of a topic: leader, replicas, first and next offset.
    Describe { topic: String },
    /// Create a topic.
    Create {
        topic: String,
        /// Number of partitions; the cluster's default when left out.
        #[arg(long, default_value_t = -1, hide_default_value = true)]
        partitions: i32,
        /// A topic setting, as name=value; may be repeated.
        #[arg(long = "config", value_name = "NAME=VALUE")]
        configs: Vec<String>,
    },
    /// Delete topics.
    Delete {
        #[arg(required = true)]
        topics: Vec<String>,
    },
}

pub(crate) async fn run(arguments: TopicsArguments) -> Outcome {
    let (kafka, _) = arguments.connection.connect().await?;
    match arguments.action.unwrap_or(Action::List) {
        Action::List => list(&kafka).await,
        Action::Describe { topic } => describe(&kafka, topic).await,
        Action::Create { topic, partitions, configs } => {
            let mut new = NewTopic::new(topic, partitions);
            for config in configs {
                let (name, value) = config
                    .split_once('=')
                    .ok_or_else(|| format!("--config {config}: write it as NAME=VALUE"))?;
                new.configs.insert(name.to_owned(), value.to_owned());
            }
            Ok(kafka.admin().create_topics(&[new], DEADLINE).await?)
        }
        Action::Delete { topics } => Ok(kafka.admin().delete_topics(&topics, DEADLINE).await?),
    }
}

/// First and next offset of every partition.
async fn offsets(
    kafka: &Kafka,
    topics: &[TopicMetadata],
) -> millstream::client::Result<Vec<Vec<(i64, i64)>>> {
    let partitions = |topic: &TopicMetadata| {
        let name = topic.name.clone();
        let number = topic.partitions.iter().map(|partition| partition.partition);
        number.map(move |partition| TopicPartition { topic: name.clone(), partition }).collect::<Vec<_>>()
    };
    let all: Vec<TopicPartition> = topics.iter().flat_map(partitions).collect();
    let ask = |spec| all.iter().map(|partition| (partition.clone(), spec)).collect::<Vec<_>>();
    let first = kafka.list_offsets(ask(OffsetSpec::Earliest), Isolation::ReadUncommitted).await?;
    let next = kafka.list_offsets(ask(OffsetSpec::Latest), Isolation::ReadUncommitted).await?;
    let offset =
        |found: Option<&millstream::client::FoundOffset>| found.and_then(|found| found.offset).unwrap_or(-1);
    let of_topic = |topic| {
        let partitions: Vec<TopicPartition> = partitions(topic);
        partitions
            .iter()
            .map(|partition| (offset(first.get(partition)), offset(next.get(partition))))
            .collect()
    };
    Ok(topics.iter().map(of_topic).collect())
}

async fn list(kafka: &Kafka) -> Outcome {
    let mut topics = kafka.list_topics().await?;
    topics.retain(|topic| !topic.is_internal);
    topics.sort_by(|one, other| one.name.cmp(&other.name));
    let offsets = offsets(kafka, &topics).await?;
    let mut table = table(&["topic", "partitions", "offsets"]);
    for (topic, offsets) in topics.iter().zip(offsets) {
        let held: i64 = offsets.iter().map(|(first, next)| next - first).sum();
        table.add_row([topic.name.to_string(), topic.partitions.len().to_string(), held.to_string()]);
    }
    right(&mut table, &[1, 2]);
    println!("{table}");
    Ok(())
}

async fn describe(kafka: &Kafka, topic: String) -> Outcome {
    let topics = kafka.describe_topics(std::slice::from_ref(&topic)).await?;
    if topics.first().is_none_or(|found| found.error != ErrorCode::NONE) {
        return Err(format!("topic '{topic}' does not exist; `millstream topics` lists those that do").into());
    }
    let offsets = offsets(kafka, &topics).await?;
    let mut table = table(&["partition", "leader", "replicas", "in sync", "first offset", "next offset"]);
    for (partition, (first, next)) in topics[0].partitions.iter().zip(&offsets[0]) {
        table.add_row([
            partition.partition.to_string(),
            partition.leader.map_or("none".into(), |leader| leader.to_string()),
            format!("{:?}", partition.replicas),
            format!("{:?}", partition.isr),
            first.to_string(),
            next.to_string(),
        ]);
    }
    right(&mut table, &[0, 1, 4, 5]);
    println!("{table}");
    Ok(())
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(columns);
    table
}

fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
