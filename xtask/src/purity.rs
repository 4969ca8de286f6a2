//! No C: the crates below the engine build, with their default features, where there is no C compiler.
//!
//! What cargo resolves for each of them alone is looked at, build scripts' dependencies among it: nothing may be a
//! tool that compiles or finds C, and nothing may link a library. (DataFusion brings zstd's C source into the engine.)

use std::collections::{BTreeMap, BTreeSet};

use crate::step;

/// The crates that promise it.
const PURE: [&str; 5] = [
    "millstream-protocol",
    "millstream-client",
    "millstream-columnar",
    "millstream-registry",
    "millstream-broker",
];
/// What build scripts compile or find C by.
const C_TOOLS: [&str; 8] =
    ["cc", "cmake", "bindgen", "pkg-config", "vcpkg", "nasm-rs", "autotools", "system-deps"];
/// Packages whose `links` key names no library.
const LINKS_NOTHING: [&str; 3] = ["rayon-core", "prettyplease", "wasm-bindgen-shared"];

/// Why each of the packages needs C; empty if none does. `links` holds the `links` key of every package.
fn breaches(packages: &BTreeSet<String>, links: &BTreeMap<String, String>) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in packages {
        if C_TOOLS.contains(&package.as_str()) {
            breaches.push(format!("{package} compiles or finds C"));
        }
        if let Some(library) = links.get(package)
            && !LINKS_NOTHING.contains(&package.as_str())
        {
            breaches.push(format!("{package} links {library}"));
        }
    }
    breaches
}

/// Names of everything that `package` needs to be built with its default features.
fn needed(package: &str) -> Result<BTreeSet<String>, String> {
    let arguments = [
        "tree",
        "--locked",
        "--package",
        package,
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let output = step::cargo_command(arguments).output().map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// The `links` key of every package that has one.
fn links() -> Result<BTreeMap<String, String>, String> {
    let output = step::cargo_command(["metadata", "--locked", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let key = |package: &serde_json::Value| {
        Some((package["name"].as_str()?.to_owned(), package["links"].as_str()?.to_owned()))
    };
    Ok(packages.iter().filter_map(key).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_below_the_engine_need_no_c() {
        let links = links().unwrap();
        for package in PURE {
            let needed = needed(package).unwrap();
            assert!(needed.len() > 5, "{package}: cargo tree names {needed:?}");
            let found = breaches(&needed, &links);
            assert!(found.is_empty(), "{package} needs C:\n{}", found.join("\n"));
        }
    }

    #[test]
    fn a_compiler_of_c_and_a_linked_library_are_found() {
        let packages = ["bytes", "cc", "rayon-core", "zstd-sys"].map(str::to_owned).into();
        let links = [("zstd-sys", "zstd"), ("rayon-core", "rayon-core")];
        let links = links.map(|(package, library)| (package.to_owned(), library.to_owned())).into();
        assert_eq!(breaches(&packages, &links), ["cc compiles or finds C", "zstd-sys links zstd"]);
    }
}
