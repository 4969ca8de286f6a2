//! The jars of real Apache Kafka, resolved by Maven and kept in the user's cache folder.

use crate::{maven, step};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Apache Kafka versions that the tests run against, the newest first.
pub const VERSIONS: [&str; 2] = ["4.3.1", "3.9.1"];

/// The variable by which tests and benchmarks find `kafka-<version>/*.jar`.
pub const FOLDER_VARIABLE: &str = "MILLSTREAM_KAFKA_JARS";

/// True where Java and Maven answer.
pub fn available() -> bool {
    ["java", "mvn"].into_iter().all(|program| {
        Command::new(program)
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

/// Makes sure that every version's jars are there and returns the folder that holds them.
pub fn fetch_all() -> Result<PathBuf, String> {
    let folder = match std::env::var_os(FOLDER_VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => maven::cache_folder()?.join("kafka"),
    };
    for version in VERSIONS {
        let jars = folder.join(format!("kafka-{version}"));
        if maven::is_complete(&jars) {
            continue;
        }
        step::timed(&format!("fetching Apache Kafka {version} by Maven (about 55 MB)"), || {
            fetch(version, &jars)
        })?;
    }
    Ok(folder)
}

/// Kafka's server and tools, with slf4j-simple so that warnings reach stderr.
fn fetch(version: &str, jars: &Path) -> Result<(), String> {
    let dependencies = [
        ("org.apache.kafka", "kafka_2.13", version),
        ("org.apache.kafka", "kafka-tools", version),
        ("org.slf4j", "slf4j-simple", "1.7.36"),
    ];
    maven::fetch(jars, &dependencies, maven::Depth::Everything)
}
