//! The recorded probes of Spark's functions (integration/golden, the cases that hold `probes`, and
//! `tests/golden/recorded`), run on rows in memory. `GOLDEN_DIR` names another folder for the latter.
//!
//! A probe passes when its schema, its rows and the errors of its bad rows are as recorded. Probes that
//! passed once are listed in `tests/golden/passed.txt`; they may not fail again. `GOLDEN=d15 cargo test -p
//! millstream-plan --test golden_functions -- --nocapture` shows why the probes of one case fail.

#![allow(clippy::unwrap_used, reason = "the golden files are as their README says")]

#[path = "golden/probe.rs"]
mod probe;
#[path = "golden/value.rs"]
mod value;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;

#[tokio::test]
async fn probes_that_passed_once_still_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../../integration/golden");
    let wanted = std::env::var("GOLDEN").ok();
    let listed = std::fs::read_to_string(root.join("tests/golden/passed.txt")).unwrap();
    let listed: BTreeSet<&str> = listed.lines().filter(|l| !l.is_empty()).collect();
    let own = std::env::var("GOLDEN_DIR").map_or_else(|_| root.join("tests/golden/recorded"), Into::into);
    let list = |folder| std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = list(folder).chain(list(own)).collect();
    files.sort();
    let (mut passed, mut failed) = (BTreeSet::new(), Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let unwanted = wanted.as_deref().is_some_and(|w| !name.starts_with(w));
        if file.extension().is_none_or(|e| e != "json") || !name.starts_with('d') || unwanted {
            continue;
        }
        let case: Json = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let short = name.split('_').next().unwrap_or(&name).to_owned();
        for step in case["steps"].as_array().unwrap() {
            let Some(probes) = step["probes"].as_array() else { continue };
            for (index, (probe, expected)) in
                probes.iter().zip(step["results"].as_array().unwrap()).enumerate()
            {
                let id = format!("{short}.{index}");
                match probe::run(&step["input"], probe, expected).await {
                    Ok(()) => {
                        passed.insert(id);
                    }
                    Err(why) => {
                        if wanted.is_some() {
                            println!("{id} {}\n    {why}", probe["select"]);
                        }
                        failed.push(id);
                    }
                }
            }
        }
    }
    println!("{} probes pass, {} do not: {}", passed.len(), failed.len(), failed.join(" "));
    let new: Vec<&String> = passed.iter().filter(|p| !listed.contains(p.as_str())).collect();
    if !new.is_empty() {
        println!("not listed yet:\n{}", new.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n"));
    }
    let broken: Vec<&String> = failed.iter().filter(|f| listed.contains(f.as_str())).collect();
    assert!(broken.is_empty(), "passed once and fail now: {broken:?}");
}
