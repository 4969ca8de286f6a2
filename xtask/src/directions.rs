//! The crate graph is the data's path: which crate may depend on which, checked against what cargo resolves.

use crate::step;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Package, the workspace packages it may depend on, and the outside packages it must never reach.
const RULES: [(&str, &[&str], &[&str]); 9] = [
    ("millstream-protocol", &[], &["tokio", "arrow-array", "arrow-schema", "datafusion"]),
    ("millstream-client", &["protocol"], &["arrow-array", "arrow-schema", "datafusion"]),
    ("millstream-columnar", &["protocol"], &["tokio", "datafusion"]),
    ("millstream-broker", &["protocol"], &["arrow-array", "arrow-schema", "datafusion"]),
    ("millstream-registry", &["protocol"], &["arrow-array", "arrow-schema", "datafusion"]),
    ("millstream-plan", &["columnar"], &[]),
    ("millstream-stream", &["protocol", "client", "columnar", "registry", "plan"], &[]),
    ("millstream", &["protocol", "client", "columnar", "registry", "plan", "stream"], &[]),
    ("millstream-cli", &["millstream", "broker"], &[]),
];

/// Names what breaks the rules, one line each.
fn breaches(metadata: &Value) -> Vec<String> {
    let direct = direct_dependencies(metadata);
    let mut breaches = Vec::new();
    for (package, allowed, banned) in RULES {
        let Some(dependencies) = direct.get(package) else {
            breaches.push(format!("{package} is not in the workspace"));
            continue;
        };
        for dependency in dependencies.iter().filter(|name| name.starts_with("millstream")) {
            let short = dependency.strip_prefix("millstream-").unwrap_or(dependency);
            if !allowed.contains(&short) {
                breaches.push(format!(
                    "{package} depends on {dependency}, which lies behind it on the data's path"
                ));
            }
        }
        for dependency in reachable(package, &direct) {
            if banned.contains(&dependency.as_str()) {
                breaches.push(format!("{package} reaches {dependency}"));
            }
        }
    }
    breaches
}

/// Package name to the names of its normal dependencies, features of optional ones as resolved.
fn direct_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let mut direct: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        let dependencies = direct.entry(names[&text(&node["id"])].clone()).or_default();
        for dependency in list(&node["deps"]) {
            let normal = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
            if normal {
                dependencies.insert(names[&text(&dependency["pkg"])].clone());
            }
        }
    }
    direct
}

fn reachable(package: &str, direct: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![package.to_owned()];
    while let Some(package) = waiting.pop() {
        for dependency in direct.get(&package).into_iter().flatten() {
            if seen.insert(dependency.clone()) {
                waiting.push(dependency.clone());
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_crate_looks_back() {
        let output = step::cargo_command(["metadata", "--format-version", "1", "--locked"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(breaches(&metadata), Vec::<String>::new());
    }

    #[test]
    fn a_step_back_is_named() {
        let package = |name: &str| json!({"id": name, "name": name});
        let node = |name: &str, dependency: &str| json!({"id": name, "deps": [{"pkg": dependency, "dep_kinds": [{"kind": null}]}]});
        let metadata = json!({
            "packages": [package("millstream-protocol"), package("millstream-client"), package("tokio")],
            "resolve": {"nodes": [node("millstream-protocol", "millstream-client"), node("millstream-client", "tokio")]},
        });
        let found = breaches(&metadata);
        assert!(found.iter().any(|line| line.contains("millstream-protocol depends on millstream-client")));
        assert!(found.iter().any(|line| line.contains("millstream-protocol reaches tokio")));
    }
}
