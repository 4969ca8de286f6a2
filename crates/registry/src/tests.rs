//! The client against servers of a few lines that say what a test wants.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{Authentication, Error, Reference, Registry, RegistryOptions, Schema, Secret, Version};

/// Request line, headers and body, as text.
type Request = String;

/// A server that answers each request by a function, one connection a request; and what it was sent.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    async fn start<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = (u16, String)> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let request = read_request(&mut stream).await;
                    seen.lock().push(request.clone());
                    let (status, body) = answer(request).await;
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                });
            }
        });
        Self { url, requests }
    }

    fn count(&self) -> usize {
        self.requests.lock().len()
    }
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> Request {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return text;
        }
    }
}

fn client(urls: &str, change: impl FnOnce(&mut RegistryOptions)) -> Registry {
    let mut options = RegistryOptions::new(urls).unwrap();
    options.backoff = Duration::from_millis(5);
    change(&mut options);
    Registry::new(options).unwrap()
}

/// A port on which nobody listens.
fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

const INT: &str = r#"{"schema":"\"int\""}"#;

#[tokio::test]
async fn an_id_is_asked_for_once_by_all_who_want_it_and_then_known() {
    let server = Server::start(|_| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        (200, INT.to_owned())
    })
    .await;
    let registry = client(&server.url, |_| {});
    let all = (0..10).map(|_| {
        let registry = registry.clone();
        tokio::spawn(async move { registry.schema(7).await })
    });
    for task in all.collect::<Vec<_>>() {
        let schema = task.await.unwrap().unwrap();
        assert_eq!((schema.id, schema.schema_type.as_str(), schema.text.as_str()), (7, "AVRO", "\"int\""));
    }
    registry.schema(7).await.unwrap();
    assert_eq!(server.count(), 1);
    assert!(server.requests.lock()[0].starts_with("GET /schemas/ids/7 "));
}

#[tokio::test]
async fn a_dead_server_is_passed_over_and_the_one_that_answered_comes_first() {
    let server = Server::start(|_| async { (200, "[]".to_owned()) }).await;
    let busy = Server::start(|_| async { (503, String::new()) }).await;
    let registry = client(&format!("{},{},{}", closed(), busy.url, server.url), |_| {});
    for _ in 0..3 {
        assert_eq!(registry.subjects().await.unwrap(), Vec::<String>::new());
    }
    assert_eq!((busy.count(), server.count()), (1, 3));
}

#[tokio::test]
async fn a_registry_that_is_down_ends_a_call_at_its_deadline_and_known_ids_go_on() {
    let down = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = Arc::clone(&down);
    let server = Server::start(move |_| {
        let down = flag.load(std::sync::atomic::Ordering::SeqCst);
        async move { if down { (500, "no".to_owned()) } else { (200, INT.to_owned()) } }
    })
    .await;
    let registry = client(&server.url, |o| o.deadline = Duration::from_millis(200));
    registry.schema(1).await.unwrap();
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    registry.schema(1).await.unwrap();
    let error = registry.schema(2).await.unwrap_err();
    assert!(error.is_retriable());
    let text = error.to_string();
    assert!(text.contains("id 2") && text.contains(&server.url) && text.contains("status 500"), "{text}");
    down.store(false, std::sync::atomic::Ordering::SeqCst);
    registry.schema(2).await.unwrap();
}

#[tokio::test]
async fn silence_is_bounded_by_the_request_timeout() {
    let silent = Server::start(|_| async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        (200, INT.to_owned())
    })
    .await;
    let server = Server::start(|_| async { (200, INT.to_owned()) }).await;
    let registry = client(&format!("{},{}", silent.url, server.url), |o| {
        o.request_timeout = Duration::from_millis(100);
    });
    registry.schema(1).await.unwrap();
    assert_eq!((silent.count(), server.count()), (1, 1));
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_is_refused() {
    let server = Server::start(|request| async move {
        match request.split(' ').nth(1).unwrap() {
            "/schemas/ids/9" => (404, r#"{"error_code":40403,"message":"Schema not found"}"#.to_owned()),
            "/subjects/a%20b-value/versions" => {
                (409, r#"{"error_code":409,"message":"READER_FIELD"}"#.to_owned())
            }
            _ => (401, "who are you?".to_owned()),
        }
    })
    .await;
    let registry = client(&server.url, |_| {});
    for _ in 0..3 {
        assert!(matches!(registry.schema(9).await, Err(Error::NotFound { .. })));
    }
    assert_eq!(server.count(), 1, "not asked again at once");
    let refused = registry.register("a b-value", &Schema::avro("\"int\"")).await.unwrap_err();
    assert!(refused.to_string().contains("not compatible"), "{refused}");
    let refused = registry.subjects().await.unwrap_err().to_string();
    assert!(refused.contains("basic.auth.user.info") && refused.contains("who are you?"), "{refused}");
}

#[tokio::test]
async fn references_are_gathered_once_each_with_the_referred_first() {
    let server = Server::start(|request| async move {
        let body = |text: &str, references: &str| {
            (200, format!(r#"{{"id":1,"version":1,"schema":"{text}","references":[{references}]}}"#))
        };
        let to = |subject: &str| format!(r#"{{"name":"n.{subject}","subject":"{subject}","version":1}}"#);
        match request.split(' ').nth(1).unwrap() {
            "/schemas/ids/1" => body("top", &format!("{},{}", to("left"), to("right"))),
            "/subjects/left/versions/1" => body("left", &to("base")),
            "/subjects/right/versions/1" => body("right", &to("base")),
            _ => body("base", ""),
        }
    })
    .await;
    let schema = client(&server.url, |_| {}).schema(1).await.unwrap();
    let texts: Vec<&str> = schema.resolved.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["base", "left", "right"]);
    assert_eq!(
        schema.references[1],
        Reference { name: "n.right".into(), subject: "right".into(), version: 1 }
    );
}

#[tokio::test]
async fn references_without_end_are_refused() {
    let server = Server::start(|request| async move {
        let at: u64 = request.split('/').nth(2).and_then(|s| s.parse().ok()).unwrap_or(0);
        let next = at + 1;
        let reference = format!(r#"{{"name":"x","subject":"{next}","version":1}}"#);
        (200, format!(r#"{{"id":1,"version":1,"schema":"s","references":[{reference}]}}"#))
    })
    .await;
    let error = client(&server.url, |_| {}).schema(1).await.unwrap_err();
    assert!(matches!(error, Error::References { limit: 64, .. }), "{error}");
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_not_read() {
    let server = Server::start(|_| async { (200, format!("[{}\"a\"]", "\"a\",".repeat(1000))) }).await;
    let registry = client(&server.url, |o| {
        o.answer_bytes = 1000;
        o.deadline = Duration::from_millis(100);
    });
    let error = registry.subjects().await.unwrap_err().to_string();
    assert!(error.contains("more than 1000 bytes"), "{error}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let server = Server::start(|_| async { (500, String::new()) }).await;
    let with_user = server.url.replace("http://", "http://alice:s3cret%21@");
    let mut properties = BTreeMap::from([("schema.registry.deadline.ms".to_owned(), "50".to_owned())]);
    let options = RegistryOptions::from_properties(&with_user, &properties).unwrap();
    let registry = Registry::new(options).unwrap();
    let error = registry.subjects().await.unwrap_err();
    let shown = format!("{error} {error:?} {registry:?} {:?}", registry.options());
    assert!(!shown.contains("s3cret"), "{shown}");
    // alice:s3cret!
    assert!(server.requests.lock()[0].contains("YWxpY2U6czNjcmV0IQ=="));
    properties.insert("confluent.schema.registry.bearer.auth.token".into(), "t0ken".into());
    let options = RegistryOptions::from_properties(&server.url, &properties).unwrap();
    assert_eq!(options.authentication, Authentication::Bearer(Secret::from("t0ken")));
    let _ = Registry::new(options).unwrap().subjects().await;
    assert!(server.requests.lock().last().unwrap().to_lowercase().contains("authorization: bearer t0ken"));
}

#[tokio::test]
async fn registering_sends_type_and_references_and_is_remembered() {
    let server = Server::start(|_| async { (200, r#"{"id":12}"#.to_owned()) }).await;
    let registry = client(&server.url, |_| {});
    for _ in 0..2 {
        assert_eq!(registry.register("t-value", &Schema::avro("\"int\"")).await.unwrap(), 12);
    }
    let json = Schema {
        references: vec![Reference { name: "a.json".into(), subject: "a".into(), version: 2 }],
        ..Schema::of_type("JSON", "{}")
    };
    registry.register("t-value", &json).await.unwrap();
    assert_eq!(server.count(), 2);
    let requests = server.requests.lock();
    assert!(requests[0].ends_with(r#"{"schema":"\"int\""}"#), "{}", requests[0]);
    let sent =
        r#"{"schema":"{}","schemaType":"JSON","references":[{"name":"a.json","subject":"a","version":2}]}"#;
    assert!(requests[1].ends_with(sent), "{}", requests[1]);
}

#[tokio::test]
async fn compatibility_comes_with_reasons() {
    let server =
        Server::start(|_| async { (200, r#"{"is_compatible":false,"messages":["why"]}"#.to_owned()) }).await;
    let registry = client(&server.url, |_| {});
    let found = registry.compatibility("s", Version::Latest, &Schema::avro("\"int\"")).await.unwrap();
    assert_eq!((found.is_compatible, found.messages), (false, vec!["why".to_owned()]));
    assert!(
        server.requests.lock()[0].starts_with("POST /compatibility/subjects/s/versions/latest?verbose=true")
    );
}

#[test]
fn options_that_mean_nothing_are_refused_with_the_nearest_name() {
    let refused = |name: &str, value: &str| {
        let properties = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        RegistryOptions::from_properties("http://a", &properties).unwrap_err().to_string()
    };
    assert!(refused("schema.registry.basic.auth.user.inf", "a:b").contains("basic.auth.user.info"));
    assert!(refused("basic.auth.user.info", "alice").contains("user:password"));
    assert!(refused("deadline.ms", "soon").contains("milliseconds"));
    assert!(refused("ssl.truststore.type", "JKS").contains("PEM"));
    assert!(RegistryOptions::new("ftp://a").unwrap_err().to_string().contains("http://host:port"));
    assert!(RegistryOptions::new(" , ").is_err());
}

#[test]
fn files_for_tls_that_cannot_be_read_are_named() {
    let mut options = RegistryOptions::new("https://a").unwrap();
    options.tls.ca = Some("/nowhere/ca.pem".into());
    let error = Registry::new(options.clone()).unwrap_err().to_string();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
    options.tls = crate::TlsOptions { certificate: Some("/nowhere/c.pem".into()), ..Default::default() };
    assert!(Registry::new(options).unwrap_err().to_string().contains("ssl.key.location"));
    Registry::new(RegistryOptions::new("https://a").unwrap()).unwrap();
}
