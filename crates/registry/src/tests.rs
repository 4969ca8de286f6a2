//! The client against servers of a few lines that say what a test wants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::test_server::{Reply, Server, client, closed};
use crate::{Authentication, Error, Reference, Registry, RegistryOptions, Schema, Secret, Version};

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
    assert!(server.request(0).starts_with("GET /schemas/ids/7 "));
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
    let silent = Server::start(|_| async { Reply::Silence }).await;
    let server = Server::start(|_| async { (200, INT.to_owned()) }).await;
    let registry = client(&format!("{},{}", silent.url, server.url), |o| {
        o.request_timeout = Duration::from_millis(100);
    });
    registry.schema(1).await.unwrap();
    assert_eq!((silent.count(), server.count()), (1, 1));
}

/// The error of a server that answers everything like this.
async fn refusal(status: u16, body: &str) -> (Error, usize) {
    let body = body.to_owned();
    let server = Server::start(move |_| {
        let body = body.clone();
        async move { (status, body) }
    })
    .await;
    let registry = client(&server.url, |o| o.deadline = Duration::from_millis(100));
    let error = registry.register("a b/c-value", &Schema::avro("\"int\"")).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&server.url) && text.contains("a b/c-value"), "{text}");
    assert!(server.request(0).starts_with("POST /subjects/a%20b%2Fc-value/versions HTTP/1.1"));
    (error, server.count())
}

#[tokio::test]
async fn each_refusal_has_its_error_and_says_what_to_do() {
    let (denied, asked) = refusal(401, "who\r\nare you?").await;
    assert!(matches!(denied, Error::Denied { status: 401, .. }) && asked == 1);
    let text = denied.to_string();
    assert!(text.contains("basic.auth.user.info") && text.contains("who  are you?"), "{text}");
    assert!(matches!(refusal(403, "").await, (Error::Denied { status: 403, .. }, 1)));
    let missing = r#"{"error_code":40401,"message":"Subject not found"}"#;
    assert!(matches!(refusal(404, missing).await, (Error::NotFound { .. }, 1)));
    let (error, _) = refusal(404, "<html>nothing here</html>").await;
    assert!(matches!(error, Error::Refused { status: 404, .. }), "no registry says so: {error}");
    assert!(error.to_string().contains("/apis/ccompat/v7"), "{error}");
    let incompatible = refusal(409, r#"{"error_code":409,"message":"READER_FIELD"}"#).await;
    assert!(
        matches!(&incompatible, (Error::Incompatible { code: 409, message, .. }, 1) if message == "READER_FIELD")
    );
    assert!(incompatible.0.to_string().contains("not compatible"));
    let invalid = refusal(422, r#"{"error_code":42201,"message":"no schema"}"#).await;
    assert!(matches!(&invalid, (Error::Invalid { code: 42201, message, .. }, 1) if message == "no schema"));
    assert!(matches!(refusal(400, "").await, (Error::Refused { status: 400, code: 400, .. }, 1)));
    assert!(matches!(refusal(200, "<html>").await, (Error::BadAnswer { .. }, 1)));
    for status in [408, 429, 500, 503] {
        let (error, asked) = refusal(status, r#"{"error_code":50001,"message":"store is down"}"#).await;
        assert!(matches!(error, Error::Unavailable { .. }) && error.is_retriable() && asked > 1, "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("status {status}: store is down")), "{text}");
    }
    let long = "x".repeat(100_000);
    assert!(refusal(418, &long).await.0.to_string().len() < 3_000);
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let other = Server::start(|_| async { (200, "[]".to_owned()) }).await;
    let to = other.url.clone();
    let server = Server::start(move |_| {
        let answer = format!("HTTP/1.1 301 Moved\r\nlocation: {to}/subjects\r\ncontent-length: 0\r\n\r\n");
        async { Reply::Bytes(answer) }
    })
    .await;
    let error = client(&server.url, |_| {}).subjects().await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 301, .. }), "{error}");
    assert!(
        error.to_string().contains(&format!("moved to {}/subjects; redirects are not followed", other.url))
    );
    assert_eq!((server.count(), other.count()), (1, 0));
}

#[tokio::test]
async fn what_waiting_does_not_heal_ends_a_call_at_once() {
    let server = Server::start(|_| async { Reply::Last("220 mail\r\n".into()) }).await;
    let other = Server::start(|_| async { Reply::Bytes("HTTP/1.1 200 OK\r\n\r\nlong".into()) }).await;
    let registry = client(&format!("{},{}", server.url, other.url), |o| o.answer_bytes = 3);
    let error = registry.subjects().await.unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }) && !error.is_retriable(), "{error}");
    let text = error.to_string();
    assert!(text.contains(&server.url) && text.contains(&other.url) && text.contains("https://"), "{text}");
    assert_eq!((server.count(), other.count()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_elsewhere() {
    let broken =
        Server::start(|_| async { Reply::Last("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[".into()) })
            .await;
    let server = Server::start(|_| async { (200, "[]".to_owned()) }).await;
    let registry = client(&format!("{},{}", broken.url, server.url), |_| {});
    assert_eq!(registry.subjects().await.unwrap(), Vec::<String>::new());
    assert_eq!((broken.count(), server.count()), (1, 1));
}

#[tokio::test]
async fn what_is_not_there_is_not_asked_for_again_at_once() {
    let missing = r#"{"error_code":40403,"message":"Schema not found"}"#;
    let server = Server::start(move |_| async { (404, missing.to_owned()) }).await;
    let registry = client(&server.url, |_| {});
    for _ in 0..3 {
        assert!(matches!(registry.schema(9).await, Err(Error::NotFound { .. })));
        assert!(matches!(registry.version("s", Version::Number(3)).await, Err(Error::NotFound { .. })));
    }
    assert_eq!(server.count(), 2);
    let unanswered = client(&server.url, |o| o.missing_for = Duration::ZERO);
    for _ in 0..3 {
        assert!(matches!(unanswered.schema(9).await, Err(Error::NotFound { .. })));
    }
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn a_schema_that_was_not_found_may_be_registered_and_is_then_known() {
    let server = Server::start(|request| async move {
        match request.starts_with("POST /subjects/t-value/versions ") {
            true => (200, r#"{"id":12}"#.to_owned()),
            false => (404, r#"{"error_code":40403,"message":"Schema not found"}"#.to_owned()),
        }
    })
    .await;
    let registry = client(&server.url, |_| {});
    let schema = Schema::avro("\"int\"");
    assert!(matches!(registry.lookup("t-value", &schema).await, Err(Error::NotFound { .. })));
    assert_eq!(registry.register("t-value", &schema).await.unwrap(), 12);
    assert_eq!(registry.lookup("t-value", &schema).await.unwrap(), 12);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn subjects_and_versions_that_a_path_cannot_carry_are_refused() {
    let registry = client(&closed(), |_| {});
    for subject in ["", ".", ".."] {
        let error = registry.versions(subject).await.unwrap_err();
        assert!(matches!(&error, Error::Config { option, .. } if option == "subject"), "{error}");
    }
    let error = registry.version("s", Version::Number(0)).await.unwrap_err();
    assert!(matches!(&error, Error::Config { option, .. } if option == "version"), "{error}");
    let server = Server::start(|_| async { (200, "[1]".to_owned()) }).await;
    client(&server.url, |_| {}).versions("../a?b=c#d%2Fé:.~_-").await.unwrap();
    let line = server.request(0);
    assert!(
        line.starts_with("GET /subjects/..%2Fa%3Fb%3Dc%23d%252F%C3%A9%3A.~_-/versions HTTP/1.1\r\n"),
        "{line}"
    );
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
async fn references_that_are_long_together_are_refused() {
    let server = Server::start(|request| async move {
        let references: Vec<String> = match request.starts_with("GET /schemas/ids") {
            true => (0..9).map(|i| format!(r#"{{"name":"{i}","subject":"{i}","version":1}}"#)).collect(),
            false => Vec::new(),
        };
        let (text, references) = ("x".repeat(900), references.join(","));
        (200, format!(r#"{{"id":1,"version":1,"schema":"{text}","references":[{references}]}}"#))
    })
    .await;
    let error = client(&server.url, |o| o.answer_bytes = 2_000).schema(1).await.unwrap_err();
    assert!(
        matches!(error, Error::References { found: 2_700, of: "bytes of text", limit: 2_000, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_reference_is_not_a_missing_schema() {
    let server = Server::start(|request| async move {
        match request.starts_with("GET /schemas/ids") {
            true => {
                (200, r#"{"schema":"s","references":[{"name":"n","subject":"gone","version":1}]}"#.to_owned())
            }
            false => (404, r#"{"error_code":40401,"message":"no subject"}"#.to_owned()),
        }
    })
    .await;
    let error = client(&server.url, |_| {}).schema(1).await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { .. }), "{error}");
    assert!(error.to_string().contains("subject gone, version 1"), "{error}");
}

#[tokio::test]
async fn the_deadline_holds_for_a_schema_with_all_that_it_refers_to() {
    // 64 levels of 50 ms each take longer than the deadline by far.
    let server = Server::start(|request| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let at: u64 = request.split('/').nth(2).and_then(|s| s.parse().ok()).unwrap_or(0);
        let reference = format!(r#"{{"name":"x","subject":"{}","version":1}}"#, at + 1);
        (200, format!(r#"{{"id":1,"version":1,"schema":"s","references":[{reference}]}}"#))
    })
    .await;
    let registry = client(&server.url, |o| o.deadline = Duration::from_millis(200));
    for found in [registry.schema(1).await.map(drop), registry.latest("1").await.map(drop)] {
        assert!(matches!(found, Err(Error::Unavailable { .. })), "{found:?}");
    }
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
    assert!(server.request(0).contains("YWxpY2U6czNjcmV0IQ=="));
    properties.insert("confluent.schema.registry.bearer.auth.token".into(), "t0ken".into());
    let options = RegistryOptions::from_properties(&server.url, &properties).unwrap();
    assert_eq!(options.authentication, Authentication::Bearer(Secret::from("t0ken")));
    let _ = Registry::new(options).unwrap().subjects().await;
    assert!(server.request(server.count() - 1).to_lowercase().contains("authorization: bearer t0ken"));
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
    assert!(server.request(0).ends_with(r#"{"schema":"\"int\""}"#), "{}", server.request(0));
    let sent =
        r#"{"schema":"{}","schemaType":"JSON","references":[{"name":"a.json","subject":"a","version":2}]}"#;
    assert!(server.request(1).ends_with(sent), "{}", server.request(1));
}

#[tokio::test]
async fn the_version_of_a_registered_schema_is_found() {
    let found = r#"{"subject":"a","id":4,"version":2,"schema":"message A {}","schemaType":"PROTOBUF"}"#;
    let server = Server::start(move |request| async move {
        let body = if request.starts_with("POST /subjects/a ") { found } else { r#"{"id":4,"schema":"x"}"# };
        (200, body.to_owned())
    })
    .await;
    let (registry, schema) = (client(&server.url, |_| {}), Schema::of_type("PROTOBUF", "message A {}"));
    let version = registry.find("a", &schema).await.unwrap();
    assert_eq!((version.subject.as_str(), version.version, version.schema.id), ("a", 2, 4));
    assert!(server.request(0).contains(r#""schemaType":"PROTOBUF""#));
    assert!(matches!(registry.find("b", &schema).await, Err(Error::BadAnswer { .. })));
}

#[tokio::test]
async fn compatibility_comes_with_reasons() {
    let server =
        Server::start(|_| async { (200, r#"{"is_compatible":false,"messages":["why"]}"#.to_owned()) }).await;
    let registry = client(&server.url, |_| {});
    let found = registry.compatibility("s", Version::Latest, &Schema::avro("\"int\"")).await.unwrap();
    assert_eq!((found.is_compatible, found.messages), (false, vec!["why".to_owned()]));
    assert!(server.request(0).starts_with("POST /compatibility/subjects/s/versions/latest?verbose=true"));
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
