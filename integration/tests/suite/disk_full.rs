//! A disk that is really full: the query stops and says which file, why and what to do; nothing is lost; once there is
//! space again a restart gives every row exactly once (files) or at least once (Kafka).
//!
//! The disk is a small tmpfs in a mount namespace of its own, so the scenario runs in a second process of this test
//! binary, which finds the brokers in [`BROKERS`]. Where the machine allows no such mount the test says so, and fails
//! under `MILLSTREAM_REQUIRE_KAFKA=1`.

use millstream::client::{ClientOptions, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream::prelude::*;
use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use millstream_integration::golden::Cluster;
use millstream_integration::real_kafka::RealKafka;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The addresses that the second process works on, with commas.
const BROKERS: &str = "MILLSTREAM_FULL_DISK_BROKERS";
const PATIENCE: Duration = Duration::from_secs(60);
const ROWS: u64 = 6000;
const ROWS_A_BATCH: u64 = 500;
const PAGE: u64 = 4096;
/// Room for a few batches of files of about 100 KiB.
const SINK_BYTES: u64 = 512 << 10;
/// Room for a few batches of two log entries of one page each.
const CHECKPOINT_BYTES: u64 = 64 << 10;

/// How this user may mount: as root of a namespace of their own, or as root.
const MOUNTERS: [&[&str]; 2] = [&["--map-root-user", "--mount"], &["--mount"]];

/// A small file system that really runs full.
struct Disk {
    folder: tempfile::TempDir,
    bytes: u64,
}

impl Disk {
    fn new(bytes: u64) -> Self {
        let disk = Self { folder: tempfile::tempdir().unwrap(), bytes };
        disk.mount(&format!("size={bytes}"));
        disk
    }

    fn mount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "millstream-test"]).arg(self.folder.path());
        assert!(mount.status().unwrap().success(), "{mount:?}");
    }

    fn make_space(&self) {
        self.mount("remount,size=64m");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Leaves but one page free, then leaves torn files as a writer does that is killed on a full disk.
    fn tear(&self, places: &[PathBuf]) {
        self.mount(&format!("remount,size={}", self.bytes + 4 * PAGE));
        for place in places {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            let mut filler = File::create(self.path("filler")).unwrap();
            let page = [b'x'; PAGE as usize];
            let full = std::iter::repeat_with(|| filler.write_all(&page)).find_map(Result::err).unwrap();
            assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
            filler.set_len(filler.metadata().unwrap().len() - PAGE).unwrap();
            let mut torn = File::create(place).unwrap();
            torn.write_all(&[b'{'; 3 * PAGE as usize]).unwrap_err();
            assert!(torn.metadata().unwrap().len() > 0, "{} is not half written", place.display());
        }
        fs::remove_file(self.path("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What stays mounted goes with the namespace.
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

async fn fill(bootstrap: &str, topic: &str) {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.unwrap();
    kafka.admin().create_topics(&[NewTopic::new(topic, 2)], PATIENCE).await.unwrap();
    let producer = kafka.producer(ProducerOptions::default());
    let topic: Arc<str> = topic.into();
    for id in 0..ROWS {
        let text = format!("{{\"id\":{id},\"text\":\"{}\"}}", "lamp ".repeat(36));
        let record = RecordRef { value: Some(text.as_bytes()), ..RecordRef::default() };
        producer.send(&topic, Some((id % 2) as i32), record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// Where a case's query reads from and writes to.
struct Case<'a> {
    bootstrap: &'a str,
    topic: String,
    /// The directory of files; a topic where there is none.
    output: Option<PathBuf>,
    checkpoint: PathBuf,
}

impl Case<'_> {
    fn target(&self) -> String {
        format!("{}-out", self.topic)
    }

    /// Runs the query in a session of its own until everything is worked off, or to its error.
    async fn run(&self) -> Result<()> {
        let session = Session::builder().build()?;
        let rows = session
            .read_stream()
            .format("kafka")
            .option("kafka.bootstrap.servers", self.bootstrap)
            .option("subscribe", &self.topic)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", ROWS_A_BATCH)
            .load()?
            .select_expr(["CAST(value AS STRING) AS value"])?;
        let writer = match &self.output {
            Some(output) => {
                let parsed = rows.select_expr(["from_json(value, 'id BIGINT, text STRING') AS o"])?;
                parsed.select(["o.*"])?.write_stream().format("json").option("path", output.display())
            }
            None => {
                let writer = rows.write_stream().format("kafka");
                writer.option("kafka.bootstrap.servers", self.bootstrap).option("topic", self.target())
            }
        };
        let query = writer.option("checkpointLocation", self.checkpoint.display()).start().await?;
        let worked_off = tokio::time::timeout(PATIENCE, query.process_all_available());
        worked_off.await.expect("the query neither fails nor ends")?;
        query.stop().await
    }

    async fn stops_with_a_clear_error(&self, disk: &Disk) {
        let error = self.run().await.expect_err("the disk is too small for the rows").to_string();
        let folder = disk.folder.path().display().to_string();
        for named in [&*folder, "No space left on device", "free some space and start the query again"] {
            assert!(error.contains(named), "{}: the error does not name {named:?}: {error}", self.topic);
        }
    }

    /// How often each row is in the visible files, which must be those of the log.
    fn rows_in_files(&self, output: &Path) -> BTreeMap<u64, u32> {
        let mut rows = BTreeMap::new();
        let names =
            fs::read_dir(output).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let visible: BTreeSet<String> = names.filter(|name| !name.starts_with(['_', '.'])).collect();
        for name in &visible {
            for line in fs::read_to_string(output.join(name)).unwrap().lines() {
                let line: Value =
                    serde_json::from_str(line).unwrap_or_else(|_| panic!("{name} is torn: {line}"));
                *rows.entry(line["id"].as_u64().unwrap()).or_default() += 1;
            }
        }
        assert_eq!(visible, logged_files(output), "{}: the directory and its log differ", self.topic);
        rows
    }

    async fn check(&self, all: bool) {
        let counts = match &self.output {
            Some(output) if output.exists() => self.rows_in_files(output),
            Some(_) => BTreeMap::new(),
            None => self.rows_in_topic().await,
        };
        if self.output.is_some() {
            let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).take(5).collect();
            assert!(twice.is_empty(), "{}: rows more than once: {twice:?}", self.topic);
        }
        if all {
            let lost: Vec<u64> = (0..ROWS).filter(|id| !counts.contains_key(id)).take(5).collect();
            assert!(lost.is_empty(), "{}: rows lost: {lost:?}", self.topic);
            assert_eq!(counts.len() as u64, ROWS);
        } else {
            assert!((counts.len() as u64) < ROWS, "{}: the disk was never full", self.topic);
        }
    }

    async fn rows_in_topic(&self) -> BTreeMap<u64, u32> {
        let cluster = Cluster::connect(self.bootstrap, "disk-full").await.unwrap();
        let mut rows = BTreeMap::new();
        for record in cluster.read_topic(&self.target()).await.unwrap() {
            let value: Value = serde_json::from_str(record["value"]["utf8"].as_str().unwrap()).unwrap();
            *rows.entry(value["id"].as_u64().unwrap()).or_default() += 1;
        }
        rows
    }
}

/// The names in `_spark_metadata`, from the last compact entry on.
fn logged_files(output: &Path) -> BTreeSet<String> {
    let log = output.join("_spark_metadata");
    let mut entries: Vec<(u64, bool, PathBuf)> = fs::read_dir(&log)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let (number, compact) =
                name.strip_suffix(".compact").map_or((&*name, false), |number| (number, true));
            Some((number.parse().ok()?, compact, path.clone()))
        })
        .collect();
    entries.sort();
    let from = entries.iter().rposition(|(_, compact, _)| *compact).unwrap_or(0);
    let name = |line: &str| -> String {
        let file: Value = serde_json::from_str(line).unwrap();
        file["path"].as_str().unwrap().rsplit('/').next().unwrap().into()
    };
    let texts = entries[from..].iter().map(|(_, _, path)| fs::read_to_string(path).unwrap());
    texts.flat_map(|text| text.lines().skip(1).map(name).collect::<Vec<_>>()).collect()
}

/// The last batch that a checkpoint has planned.
fn last_planned(checkpoint: &Path) -> u64 {
    let names = fs::read_dir(checkpoint.join("offsets")).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).max().unwrap_or(0)
}

async fn scenario(case: Case<'_>, disk: &Disk) {
    fill(case.bootstrap, &case.topic).await;
    if case.output.is_none() {
        let kafka = Kafka::connect(ClientOptions::new(case.bootstrap)).await.unwrap();
        kafka.admin().create_topics(&[NewTopic::new(case.target(), 2)], PATIENCE).await.unwrap();
    }
    case.stops_with_a_clear_error(disk).await;
    case.check(false).await;
    // Started again while the disk is still full, it says the same and harms nothing.
    case.stops_with_a_clear_error(disk).await;
    case.check(false).await;
    let batch = last_planned(&case.checkpoint);
    let mut torn = Vec::new();
    if case.checkpoint.starts_with(disk.folder.path()) {
        torn.push(case.checkpoint.join(format!("millstream/tmp/{batch}.1.0")));
    }
    if let Some(output) = case.output.as_ref().filter(|output| output.starts_with(disk.folder.path())) {
        torn.push(output.join(format!("_temporary/{batch}-99/part-00000-torn-c000.json")));
    }
    disk.tear(&torn);
    disk.make_space();
    case.run().await.unwrap_or_else(|error| panic!("{}: {error}", case.topic));
    case.check(true).await;
    println!("{} on {}: stopped in batch {batch}, {ROWS} rows after the restart", case.topic, case.bootstrap);
}

async fn scenarios(bootstrap: &str) {
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |name: &str| elsewhere.path().join(name);
    let disk = Disk::new(SINK_BYTES);
    let case = |topic: &str, output, checkpoint| Case { bootstrap, topic: topic.into(), output, checkpoint };
    scenario(case("full-both", Some(disk.path("out")), disk.path("check")), &disk).await;
    let disk = Disk::new(SINK_BYTES);
    scenario(case("full-files", Some(disk.path("out")), place("check-files")), &disk).await;
    let disk = Disk::new(CHECKPOINT_BYTES);
    scenario(case("full-checkpoint", Some(place("out")), disk.path("check")), &disk).await;
    let disk = Disk::new(CHECKPOINT_BYTES);
    scenario(case("full-checkpoint-kafka", None, disk.path("check")), &disk).await;
}

/// The way in which this user may mount a tmpfs for a process of their own.
fn mounter() -> Option<&'static [&'static str]> {
    let folder = tempfile::tempdir().unwrap();
    MOUNTERS.into_iter().find(|arguments| {
        let mut probe = Command::new("unshare");
        probe.args(*arguments).args(["mount", "-t", "tmpfs", "-o", "size=64k", "probe"]).arg(folder.path());
        probe.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_query_and_loses_nothing() {
    if let Ok(brokers) = std::env::var(BROKERS) {
        for bootstrap in brokers.split(',') {
            scenarios(bootstrap).await;
        }
        return;
    }
    let Some(arguments) = mounter() else {
        let required = std::env::var("MILLSTREAM_REQUIRE_KAFKA").is_ok_and(|value| value == "1");
        assert!(!required, "this machine lets no process mount a tmpfs (unshare --map-root-user --mount)");
        eprintln!("!!! no process may mount a tmpfs here (unshare --map-root-user --mount):");
        eprintln!("!!! THE TEST OF FULL DISKS IS LEFT OUT");
        return;
    };
    let embedded = start_in_thread(BrokerOptions::default()).unwrap();
    let mut brokers = vec![embedded.bootstrap()];
    brokers.extend(RealKafka::shared("4.3.1").map(RealKafka::bootstrap));
    let mut inside = tokio::process::Command::new("unshare");
    inside.args(arguments).arg(std::env::current_exe().unwrap());
    inside.args(["--exact", "disk_full::a_full_disk_stops_the_query_and_loses_nothing", "--nocapture"]);
    let output = inside.env(BROKERS, brokers.join(",")).kill_on_drop(true).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("1 passed"), "the scenario did not run: {}", text(&output.stdout));
}
