//! Real Apache Kafka for the suites: one KRaft broker a process, on free loopback ports.
//!
//! The jars come from `cargo xtask kafka`; the variable `MILLSTREAM_KAFKA_JARS` names the folder that holds
//! `kafka-<version>/*.jar`. A broker's process dies with the process that started it, however that ends: its
//! parent shell waits for the end of its standard input and then kills it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

/// The variable that names the folder of the jars.
pub const JARS_VARIABLE: &str = "MILLSTREAM_KAFKA_JARS";

/// The versions that the suites know, the newest first.
pub const VERSIONS: [&str; 2] = ["4.3.1", "3.9.1"];

const START_DEADLINE: Duration = Duration::from_secs(90);

/// A running Apache Kafka of one node, with the folder that holds its log.
pub struct RealKafka {
    version: String,
    folder: tempfile::TempDir,
    port: ReservedPort,
    _controller: ReservedPort,
    process: Mutex<Option<Child>>,
}

/// A free loopback port that nobody else is given, also while its broker is dead: a socket that is bound and does
/// not listen holds it. Java, as we, binds with `SO_REUSEADDR`, which lets two sockets have one port as long as one
/// at most listens.
struct ReservedPort {
    number: u16,
    _holder: TcpSocket,
}

impl ReservedPort {
    fn new() -> Result<Self, String> {
        let bind = || {
            let holder = TcpSocket::new_v4()?;
            holder.set_reuseaddr(true)?;
            holder.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
            Ok(Self { number: holder.local_addr()?.port(), _holder: holder })
        };
        bind().map_err(|error: std::io::Error| format!("no free port: {error}"))
    }
}

impl RealKafka {
    /// Starts a broker of `version` with further `server.properties` lines.
    pub fn start(version: &str, properties: &[&str]) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("millstream-kafka-")
            .tempdir()
            .map_err(|error| format!("cannot make a folder for Kafka: {error}"))?;
        let (port, controller) = (ReservedPort::new()?, ReservedPort::new()?);
        write_properties(folder.path(), port.number, controller.number, properties)?;
        let process = Mutex::new(None);
        let kafka = Self { version: version.into(), folder, port, _controller: controller, process };
        let cluster_id = "4L6g3nShT-eMCtK--X86sw";
        let config = kafka.folder.path().join("server.properties");
        let config = config.to_string_lossy();
        kafka.tool("kafka.tools.StorageTool", &["format", "-t", cluster_id, "-c", &config], "")?;
        kafka.launch()?;
        Ok(kafka)
    }

    /// The broker of this version that the whole test process shares; `None` where the jars are missing.
    ///
    /// With `MILLSTREAM_REQUIRE_KAFKA=1` missing jars are a panic, so that a suite is never silently left out.
    pub fn shared(version: &str) -> Option<&'static Self> {
        static SHARED: [OnceLock<Option<RealKafka>>; 2] = [OnceLock::new(), OnceLock::new()];
        let slot = VERSIONS.iter().position(|known| *known == version)?;
        SHARED[slot]
            .get_or_init(|| {
                if jars_folder().is_none() {
                    let required = std::env::var("MILLSTREAM_REQUIRE_KAFKA").is_ok_and(|value| value == "1");
                    assert!(!required, "{JARS_VARIABLE} is not set: run the tests by `cargo xtask test`");
                    eprintln!(
                        "!!! {JARS_VARIABLE} is not set: the suite on Apache Kafka {version} is LEFT OUT"
                    );
                    return None;
                }
                Some(Self::start(version, &[]).unwrap_or_else(|problem| panic!("Kafka {version}: {problem}")))
            })
            .as_ref()
    }

    /// `127.0.0.1:<port>`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port.number)
    }

    /// The folder of the log segments: `<topic>-<partition>/<first offset>.log`.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The process id of the broker, for reading its CPU time.
    pub fn process_id(&self) -> Option<u32> {
        std::fs::read_to_string(self.folder.path().join("broker.pid")).ok()?.trim().parse().ok()
    }

    /// Kills the broker as `kill -9` does.
    pub fn kill(&self) {
        if let Some(mut child) = self.lock().take() {
            // Closing the shell's input makes it kill the broker; waiting for the shell waits for that.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// Starts the killed broker again on the same port and log.
    pub fn restart(&self) -> Result<(), String> {
        self.kill();
        self.launch()
    }

    /// Runs one of Kafka's own tools to its end and returns what it wrote to standard output.
    pub fn tool(&self, class: &str, arguments: &[&str], input: &str) -> Result<String, String> {
        run_tool(&self.version, class, arguments, input)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn launch(&self) -> Result<(), String> {
        let log = self.folder.path().join("server.log");
        let config = self.folder.path().join("server.properties");
        let script = format!(
            "java -Xmx1g -Xms256m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '{}/*' \
             kafka.Kafka '{}' >>'{}' 2>&1 & broker=$!; echo $broker >'{}'; cat >/dev/null; kill -9 $broker; wait $broker 2>/dev/null",
            jars(&self.version)?.display(),
            config.display(),
            log.display(),
            self.folder.path().join("broker.pid").display(),
        );
        let child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start a shell for Kafka: {error}"))?;
        *self.lock() = Some(child);
        self.wait_until_ready(&log)
    }

    /// Ready is when the broker answers ApiVersions: an open port alone comes before the controller is known.
    fn wait_until_ready(&self, log: &Path) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < START_DEADLINE {
            if answers_metadata(self.port.number) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let tail = std::fs::read_to_string(log).unwrap_or_default();
        Err(format!("Kafka {} did not answer within {START_DEADLINE:?}; its log:\n{tail}", self.version))
    }
}

impl Drop for RealKafka {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a class of Kafka's jars of `version`, feeding it `input`.
pub fn run_tool(version: &str, class: &str, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp"])
        .arg(format!("{}/*", jars(version)?.display()))
        .arg(class)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start java: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|error| format!("cannot feed {class}: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("cannot wait for {class}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("{class} {arguments:?} ended with {}:\n{text}\n{errors}", output.status))
    }
}

fn jars_folder() -> Option<PathBuf> {
    std::env::var_os(JARS_VARIABLE).map(PathBuf::from)
}

fn jars(version: &str) -> Result<PathBuf, String> {
    let folder = jars_folder().ok_or(format!("{JARS_VARIABLE} is not set: run `cargo xtask test`"))?;
    let jars = folder.join(format!("kafka-{version}"));
    if jars.is_dir() {
        Ok(jars)
    } else {
        Err(format!("{} holds no jars: run `cargo xtask kafka`", jars.display()))
    }
}

fn write_properties(folder: &Path, port: u16, controller: u16, more: &[&str]) -> Result<(), String> {
    let mut text = format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}/log\noffsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\noffsets.topic.num.partitions=1\ntransaction.state.log.num.partitions=1\n\
         group.initial.rebalance.delay.ms=0\nnum.partitions=1\nlog.retention.ms=-1\nlog.message.timestamp.before.max.ms=9223372036854775807\n",
        folder.display()
    );
    for line in more {
        text.push_str(line);
        text.push('\n');
    }
    std::fs::write(folder.join("server.properties"), text)
        .map_err(|error| format!("cannot write properties: {error}"))
}

/// Asks for Metadata v1 of all topics, by hand: true once the answer names one broker.
fn answers_metadata(port: u16) -> bool {
    let request: [u8; 20] = [
        0, 0, 0, 16, // length
        0, 3, 0, 9, 0, 0, 0, 1, // Metadata v9, correlation id 1
        0xff, 0xff, 0, // no client id, no tagged fields
        1, // no topic: an empty compact array
        0, 0, 0, // no auto creation, no authorised operations
        0, // tagged fields
    ];
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    if stream.write_all(&request).is_err() {
        return false;
    }
    let mut answer = BufReader::new(stream);
    let mut length = [0; 4];
    if answer.read_exact(&mut length).is_err() {
        return false;
    }
    // Correlation id, tagged fields, throttle time, then the brokers as a compact array (length + 1).
    answer.fill_buf().is_ok_and(|body| body.len() > 9 && body[9] == 2)
}
