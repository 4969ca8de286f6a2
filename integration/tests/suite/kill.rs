//! The kill test: the invoice program is killed again and again while the broker and the generator live on. After the
//! last restart every line is in the files exactly once and every notification in the topic at least once.
//!
//! The kills are drawn from a printed seed: 20 or more at 50-2000 ms after a batch began, until 15 fell inside a batch,
//! then one at each named crash point.

use millstream::client::{ClientOptions, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream_integration::golden::Cluster;
use millstream_integration::programs::Program;
use millstream_integration::real_kafka::RealKafka;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SEED: u64 = 4;
const KILLS: usize = 20;
const MOST_KILLS: usize = 40;
const KILLS_INSIDE_A_BATCH: usize = 15;
/// Invoices a second: enough that a debug build is always in the middle of a batch.
const RATE: u64 = 4000;
const SETTINGS: &str = "spark.sql.shuffle.partitions=2";
const CRASH_POINTS: [&str; 6] = [
    "after-offsets",
    "after-sink-file",
    "before-sink-commit",
    "between-renames",
    "after-sink-commit",
    "after-commits",
];

/// Sends invoices until it is told to stop; it lives in this process, which is never killed.
struct Generator {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Generator {
    async fn start(bootstrap: &str) -> Self {
        let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.unwrap();
        let topics = [NewTopic::new("invoices", 2), NewTopic::new("notifications", 3)];
        kafka.admin().create_topics(&topics, Duration::from_secs(30)).await.unwrap();
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counter) = (stop.clone(), sent.clone());
        let task = tokio::spawn(async move {
            let producer = kafka.producer(ProducerOptions::default());
            let topic: Arc<str> = "invoices".into();
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            while !stopped.load(Ordering::Relaxed) {
                ticks.tick().await;
                for _ in 0..RATE / 100 {
                    let number = counter.fetch_add(1, Ordering::Relaxed);
                    let text = invoice(number);
                    let record = RecordRef { value: Some(text.as_bytes()), ..RecordRef::default() };
                    producer.send(&topic, None, record).await.unwrap();
                }
            }
            producer.flush().await.unwrap();
        });
        Self { stop, sent, task }
    }

    async fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.sent.load(Ordering::Relaxed)
    }
}

/// Two line items whose codes name the invoice, so that a line tells where it came from.
fn invoice(number: u64) -> String {
    let item = |position: u64| {
        json!({
            "ItemCode": format!("{number}-{position}"), "ItemDescription": "Table Lamp", "ItemPrice": 349.0,
            "ItemQty": 1, "TotalValue": 349.0,
        })
    };
    let invoice = json!({
        "InvoiceNumber": number.to_string(), "CreatedTime": number, "StoreID": "STR1", "PosID": "POS1",
        "CustomerType": "PRIME", "CustomerCardNo": "1", "TotalAmount": 698.0, "PaymentMethod": "CARD",
        "DeliveryType": "TAKEAWAY", "InvoiceLineItems": [item(0), item(1)],
    });
    invoice.to_string()
}

/// The newest number under `offsets` and under `commits` of a checkpoint.
fn logged(checkpoint: &Path) -> (i64, i64) {
    let newest = |log: &str| {
        let names = std::fs::read_dir(checkpoint.join(log)).into_iter().flatten().flatten();
        names.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).max().unwrap_or(-1)
    };
    (newest("offsets"), newest("commits"))
}

fn checkpoints(work: &Path) -> [PathBuf; 2] {
    ["notify", "flatten"].map(|name| work.join("chk-point-dir").join(name))
}

/// Waits until a query logs the offsets of a new batch.
fn wait_for_a_batch(program: &mut Program, work: &Path) {
    let before = checkpoints(work).map(|checkpoint| logged(&checkpoint).0);
    let start = Instant::now();
    while checkpoints(work).iter().zip(before).all(|(checkpoint, before)| logged(checkpoint).0 <= before) {
        assert!(program.is_running(), "the program ended by itself");
        assert!(start.elapsed() < Duration::from_secs(60), "no batch began within a minute");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn kill_at_seeded_times(bootstrap: &str, work: &Path) {
    let mut random = SmallRng::seed_from_u64(SEED);
    let mut inside = 0;
    let mut kill = 0;
    while kill < KILLS || (inside < KILLS_INSIDE_A_BATCH && kill < MOST_KILLS) {
        kill += 1;
        let mut program = Program::start_with("p10_invoices", bootstrap, work, kill, SETTINGS).unwrap();
        wait_for_a_batch(&mut program, work);
        let delay = Duration::from_millis(random.random_range(50..=2000));
        std::thread::sleep(delay);
        assert!(program.is_running(), "the program ended by itself before kill {kill}");
        program.kill().unwrap();
        program.end(false).unwrap();
        let open: Vec<i64> =
            checkpoints(work).map(|checkpoint| logged(&checkpoint)).iter().map(|(o, c)| o - c).collect();
        let in_batch = open.iter().any(|open| *open > 0);
        inside += usize::from(in_batch);
        println!(
            "kill {kill} (seed {SEED}): {} ms after a batch began, inside a batch: {in_batch}",
            delay.as_millis()
        );
    }
    println!("{inside} of {kill} kills fell inside a batch");
    assert!(inside >= KILLS_INSIDE_A_BATCH, "only {inside} kills fell inside a batch");
}

fn crash_at_every_point(bootstrap: &str, work: &Path) {
    for (position, point) in CRASH_POINTS.iter().enumerate() {
        let settings = format!("{SETTINGS};millstream.crash.point={point}:2");
        let mut program =
            Program::start_with("p10_invoices", bootstrap, work, 100 + position, &settings).unwrap();
        program.wait_for_exit(Duration::from_secs(60)).unwrap_or_else(|why| panic!("{point}: {why}"));
        let ended = program.end(true).unwrap();
        assert!(!ended.status.success(), "{point} was not reached: {}", ended.stderr);
        println!("crashed at {point}: {}", ended.status);
    }
}

/// The last run reads to the end and is stopped in good order.
async fn run_to_the_end(bootstrap: &str, work: &Path, cluster: &Cluster) {
    let mut program = Program::start_with("p10_invoices", bootstrap, work, 200, SETTINGS).unwrap();
    let ends: BTreeMap<String, i64> = cluster
        .ends("invoices")
        .await
        .unwrap()
        .into_iter()
        .map(|(partition, end)| (partition.to_string(), end))
        .collect();
    let start = Instant::now();
    loop {
        let reached = |report: &Value| {
            ends.iter().all(|(partition, end)| {
                report["sources"][0]["endOffset"]["invoices"][partition].as_i64() == Some(*end)
            })
        };
        let latest = program.latest_progress().unwrap();
        if latest.len() == 2 && latest.values().all(reached) {
            break;
        }
        assert!(program.is_running(), "the last run ended by itself");
        assert!(start.elapsed() < Duration::from_secs(180), "the last run did not reach the end: {latest:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.terminate().unwrap();
    let ended = program.end(true).unwrap();
    assert!(ended.status.success(), "{}: {}", ended.status, ended.stderr);
}

/// How often each line item is in the visible files.
fn items_in_files(folder: &Path) -> BTreeMap<String, u32> {
    let mut items = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['_', '.']) {
            continue;
        }
        for line in std::fs::read_to_string(entry.path()).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            *items.entry(line["ItemCode"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    items
}

async fn nothing_lost_nothing_twice(cluster: &Cluster, work: &Path, invoices: u64) {
    let items = items_in_files(&work.join("output"));
    let twice: Vec<_> = items.iter().filter(|(_, count)| **count != 1).take(5).collect();
    assert!(twice.is_empty(), "lines that are in the files more than once: {twice:?}");
    let mut notified: BTreeMap<String, u32> = BTreeMap::new();
    for record in cluster.read_topic("notifications").await.unwrap() {
        *notified.entry(record["key"]["utf8"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for number in 0..invoices {
        for position in 0..2 {
            let item = format!("{number}-{position}");
            assert!(items.contains_key(&item), "line {item} is lost");
        }
        assert!(notified.contains_key(&number.to_string()), "notification {number} is lost");
    }
    assert_eq!(items.len() as u64, invoices * 2);
    let repeated = notified.values().filter(|count| **count > 1).count();
    println!(
        "{invoices} invoices: {} lines, each once; {repeated} notifications more than once",
        items.len()
    );
}

async fn survives_kills(bootstrap: &str) {
    let work = tempfile::tempdir().unwrap();
    let generator = Generator::start(bootstrap).await;
    tokio::task::block_in_place(|| {
        kill_at_seeded_times(bootstrap, work.path());
        crash_at_every_point(bootstrap, work.path());
    });
    let invoices = generator.finish().await;
    let cluster = Cluster::connect(bootstrap, "kill").await.unwrap();
    run_to_the_end(bootstrap, work.path(), &cluster).await;
    nothing_lost_nothing_twice(&cluster, work.path(), invoices).await;
}

/// `millstream broker` as a process of its own.
struct BrokerProcess(Child);

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_broker(port: u16) -> BrokerProcess {
    let own = std::env::current_exe().unwrap();
    let binary = own.parent().and_then(Path::parent).unwrap().join("millstream");
    let mut command = Command::new(&binary);
    command.args(["broker", "--port", &port.to_string()]).stdout(Stdio::null());
    let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
    BrokerProcess(child)
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_survive_kills_on_the_embedded_broker() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _broker = start_broker(port);
    let start = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the broker does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    survives_kills(&format!("127.0.0.1:{port}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_survive_kills_on_apache_kafka() {
    if RealKafka::shared("4.3.1").is_none() {
        return;
    }
    // A cluster of its own: the topics have the same names as those of the recorded program.
    let kafka = RealKafka::start("4.3.1", &[]).unwrap();
    survives_kills(&kafka.bootstrap()).await;
}
