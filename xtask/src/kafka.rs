//! The jars of real Apache Kafka, resolved by Maven and kept in the user's cache folder.

use crate::step;
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
        None => cache_folder()?.join("kafka"),
    };
    for version in VERSIONS {
        let jars = folder.join(format!("kafka-{version}"));
        if jars.join(".complete").exists() {
            continue;
        }
        step::timed(&format!("fetching Apache Kafka {version} by Maven (about 55 MB)"), || {
            fetch(version, &jars)
        })?;
    }
    Ok(folder)
}

fn fetch(version: &str, jars: &Path) -> Result<(), String> {
    std::fs::create_dir_all(jars).map_err(|error| format!("cannot make {}: {error}", jars.display()))?;
    let project = jars.join("pom.xml");
    std::fs::write(&project, project_text(version))
        .map_err(|error| format!("cannot write {}: {error}", project.display()))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "-f"]).arg(&project).arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", jars.display())).arg("-DincludeScope=runtime");
    step::run(maven)?;
    std::fs::write(jars.join(".complete"), version)
        .map_err(|error| format!("cannot write .complete: {error}"))
}

/// A Maven project with nothing but Kafka's server and tools; slf4j-simple so that warnings reach stderr.
fn project_text(version: &str) -> String {
    let dependency = |group: &str, name: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        )
    };
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>millstream</groupId><artifactId>kafka-jars</artifactId>\
         <version>1</version><dependencies>{}{}{}</dependencies></project>\n",
        dependency("org.apache.kafka", "kafka_2.13", version),
        dependency("org.apache.kafka", "kafka-tools", version),
        dependency("org.slf4j", "slf4j-simple", "1.7.36"),
    )
}

/// `$XDG_CACHE_HOME/millstream`, else `~/.cache/millstream`.
fn cache_folder() -> Result<PathBuf, String> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or(format!("set HOME or {FOLDER_VARIABLE}: no folder for Kafka's jars is known"))?;
    Ok(base.join("millstream"))
}
