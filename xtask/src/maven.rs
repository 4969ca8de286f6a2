//! Jars that Maven resolves, each set in a folder of its own in the user's cache.

use crate::step;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How far dependencies are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The named artifacts and all that they need.
    Everything,
    /// The named artifacts alone.
    Named,
}

/// The file that says that a folder holds all of its jars.
const COMPLETE: &str = ".complete";

/// True where every jar of the folder is there.
pub fn is_complete(folder: &Path) -> bool {
    folder.join(COMPLETE).exists()
}

/// Copies artifacts, given as group, name and version, into `folder`.
pub fn fetch(folder: &Path, artifacts: &[(&str, &str, &str)], depth: Depth) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let project = folder.join("pom.xml");
    std::fs::write(&project, project_text(artifacts, depth))
        .map_err(|error| format!("cannot write {}: {error}", project.display()))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "-f"]).arg(&project).arg("dependency:copy-dependencies");
    maven.arg(format!("-DoutputDirectory={}", folder.display())).arg("-DincludeScope=runtime");
    step::run(maven)?;
    std::fs::write(folder.join(COMPLETE), "").map_err(|error| format!("cannot write {COMPLETE}: {error}"))
}

/// A Maven project with nothing but dependencies.
fn project_text(artifacts: &[(&str, &str, &str)], depth: Depth) -> String {
    let alone = match depth {
        Depth::Everything => "",
        Depth::Named => {
            "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
        }
    };
    let dependencies: String = artifacts
        .iter()
        .map(|(group, name, version)| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>\
                 {alone}</dependency>"
            )
        })
        .collect();
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>millstream</groupId><artifactId>jars</artifactId>\
         <version>1</version><dependencies>{dependencies}</dependencies></project>\n"
    )
}

/// `$XDG_CACHE_HOME/millstream`, else `~/.cache/millstream`.
pub fn cache_folder() -> Result<PathBuf, String> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or("set HOME: no folder for jars is known".to_owned())?;
    Ok(base.join("millstream"))
}
