//! One request at a time, against servers that behave well and badly.

use super::*;
use crate::test_server::{Reply, Server, closed, options};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
/// What a busy machine does not exceed.
const LONG: Duration = Duration::from_secs(30);

fn http(url: &str, change: impl FnOnce(&mut RegistryOptions)) -> Http {
    Http::new(options(url, change)).unwrap()
}

async fn ask(http: &Http, method: Method) -> Result<(u16, String), Failure> {
    let body = (method == POST).then(|| Bytes::from_static(b"{}"));
    let answer = http.request(0, &Asked { method, path: "/a".into(), body }).await?;
    Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
}

/// The outcome of asking a server that says these bytes and closes the connection, and takes bodies of 12 bytes.
async fn said(bytes: &str) -> Result<(u16, String), Failure> {
    let bytes = bytes.to_owned();
    let server = Server::start(move |_| {
        let bytes = bytes.clone();
        async move { Reply::Last(bytes) }
    })
    .await;
    ask(&http(&server.url, |o| o.answer_bytes = 12), GET).await
}

#[tokio::test]
async fn a_body_ends_by_its_length_its_chunks_or_the_connection() {
    let good = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", (200, "abc")),
        (
            "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\n\r\n",
            (404, "ab0123456789"),
        ),
        ("HTTP/1.1 200 OK\r\n\r\nall of it", (200, "all of it")),
        ("HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", (200, "a")),
    ];
    for (bytes, (status, body)) in good {
        assert_eq!(said(bytes).await, Ok((status, body.to_owned())), "{bytes}");
    }
}

#[tokio::test]
async fn what_is_cut_short_too_long_or_no_http_is_told() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let bad = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab".to_owned(), "broke off", false),
        (format!("{chunked}5\r\nab"), "broke off", false),
        (format!("{chunked}5\r\nabcde\r\n"), "broke off", false),
        (format!("{chunked}zz\r\n"), "broke off", false),
        ("HTTP/1.1 200 OK\r\n".to_owned(), "closed before message completed", false),
        (String::new(), "closed before message completed", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n".to_owned(), "more than 12 bytes", true),
        ("HTTP/1.1 200 OK\r\n\r\n0123456789abc".to_owned(), "more than 12 bytes", true),
        (format!("{chunked}C\r\n0123456789ab\r\n1\r\nc\r\n0\r\n\r\n"), "more than 12 bytes", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n".to_owned(), "cannot be read as HTTP", true),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), "cannot be read as HTTP", true),
        (format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(65)), "cannot be read as HTTP", true),
        (format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(70_000)), "cannot be read as HTTP", true),
    ];
    for (bytes, why, is_lasting) in bad {
        let found = said(&bytes).await;
        let Err(found) = found else { panic!("{bytes:.80}: {found:?}") };
        assert!(found.why.contains(why) && found.is_lasting == is_lasting, "{:.80}: {found:?}", bytes);
    }
}

/// A header of 64 bytes.
const HEADER: &str = "name: 0123456789abcdef0123456789abcdef0123456789abcdef01234567\r\n";

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_the_limit() {
    let endless = [
        ("HTTP/1.1 200 OK\r\n\r\n", "0123456789", "more than 1000 bytes"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "more than 1000 bytes"),
        ("HTTP/1.1 200 OK\r\n", HEADER, "cannot be read as HTTP"),
    ];
    for (head, again, why) in endless {
        let server =
            Server::start(move |_| async { Reply::Endless(head.into(), again.into(), Duration::ZERO) }).await;
        let found = ask(&http(&server.url, |o| o.answer_bytes = 1000), GET).await.unwrap_err();
        assert!(found.why.contains(why), "{found:?}");
    }
}

#[tokio::test]
async fn silence_and_trickles_end_at_the_request_timeout() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    for trickles in [false, true] {
        let head = head.clone();
        let server = Server::start(move |_| {
            let trickle = Reply::Endless(head.clone(), "a".into(), Duration::from_millis(5));
            let reply = if trickles { trickle } else { Reply::Silence };
            async { reply }
        })
        .await;
        let http = http(&server.url, |o| o.request_timeout = Duration::from_millis(100));
        let found = ask(&http, GET).await.unwrap_err();
        assert!(found.why.contains("no answer within 100ms"), "{found:?}");
        assert!(http.idle[0].lock().is_empty(), "a connection in the middle of an answer is not kept");
    }
}

#[tokio::test]
async fn connecting_has_a_deadline_of_its_own() {
    // The system takes the connection up; nobody answers the client's part of TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let found = ask(&http(&url, |o| o.connect_timeout = Duration::from_millis(50)), GET).await.unwrap_err();
    assert!(found.why.contains("no connection within 50ms") && found.why.contains(&url), "{found:?}");
    let found = ask(&http(&closed(), |_| {}), GET).await.unwrap_err();
    assert!(found.why.contains("refused") && !found.is_lasting, "{found:?}");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start(|_| async { (200, "[]".to_owned()) }).await;
    let http = http(&server.url, |_| {});
    for method in [GET, POST, GET] {
        ask(&http, method).await.unwrap();
    }
    assert_eq!(server.connections(), [0, 0, 0]);
    let closing = Server::start(|_| async {
        Reply::Last("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".into())
    })
    .await;
    let http = self::http(&closing.url, |_| {});
    for method in [POST, POST] {
        ask(&http, method).await.unwrap();
    }
    assert_eq!(closing.connections(), [0, 1]);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server =
        Server::start(|_| async { Reply::Last("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na".into()) })
            .await;
    let http = http(&server.url, |_| {});
    ask(&http, POST).await.unwrap();
    let noticed = async {
        while http.idle[0].lock().iter().any(|(connection, _)| connection.is_open()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, noticed).await.unwrap();
    ask(&http, POST).await.unwrap();
    assert_eq!(server.connections(), [0, 1]);
}

#[tokio::test]
async fn only_an_idempotent_request_that_met_a_dying_connection_is_sent_again_and_once() {
    // Each connection answers its first request and dies of its second; the last one dies of its first.
    let server = Server::start({
        let seen = Mutex::new(0);
        move |_| {
            let mut seen = seen.lock();
            *seen += 1;
            let dies = [2, 4, 6, 7].contains(&*seen);
            async move { if dies { Reply::Last(String::new()) } else { Reply::Answer(200, "a".into()) } }
        }
    })
    .await;
    let http = http(&server.url, |_| {});
    ask(&http, GET).await.unwrap();
    ask(&http, GET).await.unwrap();
    assert_eq!(server.connections(), [0, 0, 1]);
    let why = ask(&http, POST).await.unwrap_err().why;
    assert!(why.contains("closed before message completed"), "{why}");
    assert_eq!(server.connections(), [0, 0, 1, 1], "it may have registered something");
    ask(&http, GET).await.unwrap();
    ask(&http, GET).await.unwrap_err();
    assert_eq!(server.connections(), [0, 0, 1, 1, 2, 2, 3], "once more, and not twice");
}

#[tokio::test]
async fn a_few_requests_are_under_way_at_once_and_fewer_connections_kept() {
    let busy = Arc::new(Mutex::new((0, 0)));
    let counted = Arc::clone(&busy);
    let server = Server::start(move |_| {
        let counted = Arc::clone(&counted);
        async move {
            {
                let mut busy = counted.lock();
                busy.0 += 1;
                busy.1 = busy.0.max(busy.1);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            counted.lock().0 -= 1;
            (200, "a".to_owned())
        }
    })
    .await;
    let http = Arc::new(http(&server.url, |_| {}));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..80 {
        let http = Arc::clone(&http);
        all.spawn(async move { ask(&http, GET).await });
    }
    assert!(all.join_all().await.into_iter().all(|answer| answer.is_ok()));
    let most = busy.lock().1;
    assert!((2..=MOST_AT_ONCE).contains(&most), "{most}");
    assert!(http.idle[0].lock().len() <= MOST_IDLE);
}
