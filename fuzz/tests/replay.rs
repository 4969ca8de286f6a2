//! Every file of the corpora through its target, and the corpora kept small.

use std::fs;
use std::path::{Path, PathBuf};

use millstream_fuzz::targets;

/// Most bytes of one file, and of all together.
const FILE: u64 = 16 << 10;
const ALL: u64 = 3 << 20;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Files of a target's folder, in a fixed order.
fn files(target: &str) -> Vec<PathBuf> {
    let folder = corpus().join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn replay(target: &str) {
    let (_, run) = targets::ALL.iter().find(|(name, _)| *name == target).expect("it is in the table");
    let files = files(target);
    assert!(!files.is_empty(), "{target} has no corpus");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| run(&bytes));
        assert!(outcome.is_ok(), "{} fails; the message stands above", file.display());
    }
    // Any input will do: these are the ones that everybody forgets.
    for bytes in [&[][..], &[0], &[0xff; 64], &[0; 4096]] {
        run(bytes);
    }
}

/// One test a target, so that they run side by side.
macro_rules! replayed {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}

replayed! {
    avro broker codecs columns csv fetch_response frames framing json_read json_texts json_write messages moments
    plain properties proto_text protobuf record_batches
}

#[test]
fn every_target_is_replayed_has_a_binary_and_a_small_corpus() {
    let names: Vec<&str> = targets::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, REPLAYED);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no binary");
    }
    for entry in fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name.as_str()) || name == "README.md", "{name} is the corpus of no target");
    }
    let sizes: Vec<(PathBuf, u64)> = names
        .iter()
        .flat_map(|name| files(name))
        .map(|file| (file.clone(), fs::metadata(&file).unwrap().len()))
        .collect();
    for (file, size) in &sizes {
        assert!(*size <= FILE, "{} has {size} bytes, {FILE} at most", file.display());
    }
    let all: u64 = sizes.iter().map(|(_, size)| size).sum();
    assert!(all <= ALL, "the corpora have {all} bytes, {ALL} at most; drop what adds nothing");
}
