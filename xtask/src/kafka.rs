//! The jars of real Apache Kafka and of a real schema registry, resolved by Maven and kept in the user's cache folder.

use crate::{maven, step};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Apache Kafka versions that the tests run against, the newest first.
pub const VERSIONS: [&str; 2] = ["4.3.1", "3.9.1"];

/// The version of Apicurio Registry that the tests run against.
pub const REGISTRY_VERSION: &str = "3.3.3";

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

/// Makes sure that every version's jars, and the registry, are there and returns the folder that holds them.
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
    let registry = folder.join(format!("apicurio-{REGISTRY_VERSION}"));
    if !registry.join(".complete").exists() {
        step::timed(
            &format!("fetching Apicurio Registry {REGISTRY_VERSION} by Maven (about 160 MB)"),
            || fetch_registry(&registry),
        )?;
    }
    Ok(folder)
}

/// The registry comes as an archive of an application.
fn fetch_registry(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "dependency:copy"]);
    maven.arg(format!("-Dartifact=io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:tar.gz:all"));
    maven.arg(format!("-DoutputDirectory={}", folder.display()));
    step::run(maven)?;
    let archive = folder.join(format!("apicurio-registry-app-{REGISTRY_VERSION}-all.tar.gz"));
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(&archive).arg("-C").arg(folder);
    step::run(unpack)?;
    let _ = std::fs::remove_file(archive);
    std::fs::write(folder.join(".complete"), REGISTRY_VERSION)
        .map_err(|error| format!("cannot write .complete: {error}"))
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
