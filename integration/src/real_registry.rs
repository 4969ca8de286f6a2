//! A real schema registry for the suites: Apicurio Registry, which speaks the Confluent API under
//! `/apis/ccompat/v7`, in memory, on a free loopback port, behind a proxy that asks for a user and a password and can
//! be switched off.
//!
//! The program comes from `cargo xtask kafka`, in the folder that also holds Kafka's jars. It needs Java 21 or newer:
//! the first that is found in `JAVA_HOME_25`, `JAVA_HOME_21`, `JAVA_HOME`, on the path, and beside the JDK of the
//! path. Its process dies with the process that started it.

use crate::real_kafka::JARS_VARIABLE;
use base64::Engine;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The version that the suites know.
pub const VERSION: &str = "3.3.3";

/// Who may speak to the registry.
pub const USER: &str = "alice";
/// And by which password.
pub const PASSWORD: &str = "s3cret";

const START_DEADLINE: Duration = Duration::from_secs(180);
const OLDEST_JAVA: u32 = 21;

/// A running registry and the proxy before it.
pub struct RealRegistry {
    process: Child,
    proxy: Proxy,
}

impl RealRegistry {
    /// A registry of the test's own; `None` where Java or the program are missing.
    ///
    /// With `MILLSTREAM_REQUIRE_KAFKA=1` that is a panic, so that a suite is never silently left out.
    pub fn start() -> Option<Self> {
        let found = program().and_then(|program| Ok((program, java()?)));
        match found {
            Ok((program, java)) => Some(
                Self::launch(&program, &java)
                    .unwrap_or_else(|why| panic!("Apicurio Registry {VERSION}: {why}")),
            ),
            Err(why) => {
                let required = std::env::var("MILLSTREAM_REQUIRE_KAFKA").is_ok_and(|value| value == "1");
                assert!(!required, "the suite on a real schema registry is required: {why}");
                eprintln!("!!! {why}: the suite on a real schema registry is LEFT OUT");
                None
            }
        }
    }

    /// The one that the whole test process shares.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<RealRegistry>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The proxy's base URL, without credentials.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/apis/ccompat/v7", self.proxy.port)
    }

    /// The same with user and password.
    pub fn url_with_credentials(&self) -> String {
        format!("http://{USER}:{PASSWORD}@127.0.0.1:{}/apis/ccompat/v7", self.proxy.port)
    }

    /// From now on nobody gets an answer, whose connections end, or everybody again.
    pub fn set_down(&self, down: bool) {
        self.proxy.set_down(down);
    }

    /// Connections that came so far, answered or not; a client sends its requests over few.
    pub fn connections(&self) -> usize {
        self.proxy.connections.load(Ordering::SeqCst)
    }

    fn launch(program: &Path, java: &Path) -> Result<Self, String> {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no free port: {e}"))?;
            listener.local_addr().map_err(|e| e.to_string())?.port()
        };
        // The shell ends the registry when its own standard input ends, however this process does.
        let script = format!(
            "'{}' -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.http.host=127.0.0.1 \
             -Dquarkus.http.port={port} -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port=0 \
             -Dquarkus.log.level=WARN -jar '{}' >/dev/null 2>&1 & registry=$!; cat >/dev/null; kill -9 $registry",
            java.display(),
            program.display(),
        );
        let process = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start a shell for the registry: {error}"))?;
        let registry = Self { process, proxy: Proxy::start(port)? };
        registry.wait_until_ready(port)?;
        Ok(registry)
    }

    fn wait_until_ready(&self, port: u16) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < START_DEADLINE {
            if answers(port) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(format!("no answer within {START_DEADLINE:?}"))
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let request = "GET /apis/ccompat/v7/subjects HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

/// Passes connections on whose first request has the right credentials.
struct Proxy {
    port: u16,
    down: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
    /// Those since it was last down; the ended ones among them cost a handle each.
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(registry: u16) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no free port: {e}"))?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let (down, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let proxy = Self { port, down, connections, open: Arc::default() };
        let (is_down, count, open) =
            (Arc::clone(&proxy.down), Arc::clone(&proxy.connections), Arc::clone(&proxy.open));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                let Ok(handle) = stream.try_clone() else { continue };
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                // A closed connection is what a dead server gives.
                if !is_down.load(Ordering::SeqCst) {
                    open.push(handle);
                    std::thread::spawn(move || {
                        pass(&mut stream, registry);
                        let _ = stream.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Ok(proxy)
    }

    fn set_down(&self, down: bool) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        self.down.store(down, Ordering::SeqCst);
        if down {
            for stream in open.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn pass(client: &mut TcpStream, registry: u16) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match client.read(&mut chunk) {
            Ok(read) if read > 0 => head.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
    if !String::from_utf8_lossy(&head).contains(&format!("Basic {expected}")) {
        let body = r#"{"error_code":401,"message":"Unauthorized"}"#;
        let answer = format!("HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = client.write_all(answer.as_bytes());
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", registry)) else { return };
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else { return };
    if to_server.write_all(&head).is_err() {
        return;
    }
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, client);
}

fn program() -> Result<PathBuf, String> {
    let folder = std::env::var_os(JARS_VARIABLE).ok_or(format!("{JARS_VARIABLE} is not set"))?;
    let program = PathBuf::from(folder).join(format!("apicurio-{VERSION}/quarkus-run.jar"));
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("{} is missing: run `cargo xtask kafka`", program.display()))
    }
}

/// A `java` that is new enough.
fn java() -> Result<PathBuf, String> {
    let homes = ["JAVA_HOME_25", "JAVA_HOME_21", "JAVA_HOME"].into_iter().filter_map(std::env::var_os);
    let mut candidates: Vec<PathBuf> = homes.map(|home| PathBuf::from(home).join("bin/java")).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("java")).find(|java| java.exists());
    if let Some(java) = on_path {
        // <where JDKs lie>/<jdk>/bin/java
        let real = std::fs::canonicalize(&java).unwrap_or_else(|_| java.clone());
        candidates.push(java);
        if let Some(all) = real.ancestors().nth(3) {
            let jdks = std::fs::read_dir(all).into_iter().flatten().flatten();
            candidates.extend(jdks.map(|jdk| jdk.path().join("bin/java")));
        }
    }
    let found = candidates.into_iter().find(|java| version(java).is_some_and(|v| v >= OLDEST_JAVA));
    found.ok_or(format!("no Java {OLDEST_JAVA} or newer was found: install one, or set JAVA_HOME_25"))
}

/// The feature number, such as 25.
fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let quoted = text.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}
