//! rskafka: one fetch at a time per partition, the partitions side by side.

use crate::columns::Columns;
use crate::contender::{Tally, Task};
use rskafka::client::ClientBuilder;
use rskafka::client::partition::UnknownTopicHandling;
use rskafka::record::RecordAndOffset;

const FETCH_BYTES: std::ops::Range<i32> = 1..8 << 20;
const WAIT_MS: i32 = 500;

/// Reads every partition from its beginning until the rows are there.
pub fn read(task: &Task, tally: &mut Tally) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(read_all(task, tally))
}

async fn read_all(task: &Task, tally: &mut Tally) -> Result<(), String> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
    let client = ClientBuilder::new(vec![task.bootstrap.clone()]).build().await.map_err(|e| e.to_string())?;
    for partition in 0..task.partitions {
        let reader = client
            .partition_client(&task.topic, partition, UnknownTopicHandling::Error)
            .await
            .map_err(|error| error.to_string())?;
        let sender = sender.clone();
        tokio::spawn(async move {
            let mut next = 0;
            loop {
                match reader.fetch_records(next, FETCH_BYTES, WAIT_MS).await {
                    Ok((records, _)) if records.is_empty() => break,
                    Ok((records, _)) => {
                        next = records.last().map_or(next, |last: &RecordAndOffset| last.offset + 1);
                        if sender.send(Ok((partition, records))).await.is_err() {
                            break;
                        }
                    }
                    Err(error) => {
                        let _ = sender.send(Err(error.to_string())).await;
                        break;
                    }
                }
            }
        });
    }
    drop(sender);
    let mut columns = Columns::new(tally, task.verify);
    while columns.rows() < task.rows {
        let Some(fetched) = receiver.recv().await else {
            return Err(format!("the topic ended after {} rows", columns.rows()));
        };
        let (partition, records) = fetched?;
        for RecordAndOffset { record, offset } in &records {
            let numbers = (partition, *offset, record.timestamp.timestamp_millis());
            columns.append(record.key.as_deref(), record.value.as_deref(), &task.topic, numbers);
        }
    }
    columns.flush();
    Ok(())
}
