//! Spark's Kafka connector for the benchmarks and tests that run Spark beside us, where pyspark is installed.

use crate::{maven, step};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The variable by which tests and benchmarks find the connector's jars.
pub const FOLDER_VARIABLE: &str = "MILLSTREAM_SPARK_JARS";

/// What pyspark 4.2.0 does not bring itself.
const CONNECTOR: [(&str, &str, &str); 4] = [
    ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.2.0"),
    ("org.apache.spark", "spark-token-provider-kafka-0-10_2.13", "4.2.0"),
    ("org.apache.kafka", "kafka-clients", "3.9.2"),
    ("org.apache.commons", "commons-pool2", "2.13.1"),
];

/// The folder of the connector's jars; none where there is no pyspark, or Spark has to fetch them itself.
pub fn connector() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        return Some(PathBuf::from(folder));
    }
    let found = Command::new("python3")
        .args(["-c", "import pyspark"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        return None;
    }
    let folder = maven::cache_folder().ok()?.join("spark-4.2.0");
    if maven::is_complete(&folder) {
        return Some(folder);
    }
    let fetched = step::timed("fetching Spark's Kafka connector by Maven (10 MB)", || {
        maven::fetch(&folder, &CONNECTOR, maven::Depth::Named)
    });
    match fetched {
        Ok(()) => Some(folder),
        Err(problem) => {
            eprintln!("!!! {problem}");
            eprintln!(
                "!!! Spark will try to fetch its connector itself; or put the jars into a folder and name it in"
            );
            eprintln!("!!! {FOLDER_VARIABLE}.");
            None
        }
    }
}
