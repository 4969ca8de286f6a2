use super::*;
use crate::RecordRef;

const SECOND: Duration = Duration::from_secs(1);
const ONE: Identity = Identity { id: 1, epoch: 0 };
const TWO: Identity = Identity { id: 2, epoch: 0 };

/// An outbox with `batches` closed batches of ten records each.
fn outbox(batches: u64) -> Outbox {
    let mut outbox = Outbox::new(BatchOptions::default(), u32::MAX);
    for ticket in 0..batches {
        fill(&mut outbox, ticket, 10);
    }
    outbox
}

fn fill(outbox: &mut Outbox, ticket: u64, records: i32) {
    let record = RecordRef { value: Some(b"value"), ..RecordRef::default() };
    for _ in 0..records {
        outbox.append(&record, 0, 10, || (ticket, Instant::now())).unwrap();
    }
    outbox.seal().unwrap();
}

fn retry(in_doubt: bool) -> Fate {
    Fate::Retry { in_doubt, not_before: Instant::now() }
}

/// Producer id, first number and records of a batch on the wire.
fn numbered(bytes: &Bytes) -> (i64, i32, i32) {
    let header = Batches::new(bytes).next().unwrap().unwrap().header;
    (header.producer_id, header.base_sequence, header.records_count)
}

fn send(outbox: &mut Outbox, identity: Identity) -> (BatchKey, (i64, i32, i32)) {
    let sending = outbox.send(Some(identity), 1, Instant::now()).expect("something to send");
    (sending.key, numbered(&sending.bytes))
}

/// As [`outbox`], under identity ONE, whose numbering the brokers know.
fn known(batches: u64) -> Outbox {
    let mut outbox = outbox(batches);
    outbox.adopt(ONE);
    outbox.known_at = Some(Instant::now());
    outbox
}

#[test]
fn numbers_go_on_without_gaps() {
    assert!(outbox(1).lacks(None) && !outbox(1).lacks(Some(ONE)));
    let mut outbox = known(3);
    let sent: Vec<_> = (0..3).map(|_| send(&mut outbox, ONE).1).collect();
    assert_eq!(sent, [(1, 0, 10), (1, 10, 10), (1, 20, 10)]);
    assert_eq!(advance(i32::MAX - 4, 10), 5);
}

#[test]
fn after_a_failure_all_in_flight_are_awaited_and_sent_again_in_order_with_their_numbers() {
    let mut outbox = known(4);
    let keys: Vec<_> = (0..3).map(|_| send(&mut outbox, ONE).0).collect();
    outbox.settle(keys[1], retry(true));
    assert_eq!(outbox.sendable(Instant::now()), None, "two are in flight");
    outbox.settle(keys[0], retry(true));
    outbox.settle(keys[2], Fate::OutOfOrder);
    let later = Instant::now() + SECOND;
    assert!(outbox.sendable(later).is_some());
    let again: Vec<_> = (0..4).map(|_| send(&mut outbox, ONE).1.1).collect();
    assert_eq!(again, [0, 10, 20, 30]);
    assert!(outbox.settle(keys[0], Fate::Acknowledged).done.is_some());
}

#[test]
fn until_the_brokers_know_the_numbering_one_batch_is_in_flight() {
    let mut outbox = outbox(4);
    let now = Instant::now();
    let (first, _) = send(&mut outbox, ONE);
    assert_eq!(outbox.sendable(now), None, "a broker would take it as the first");
    outbox.settle(first, retry(false));
    let (first, number) = send(&mut outbox, ONE);
    assert_eq!((number, outbox.sendable(now)), ((1, 0, 10), None), "nor beside its repetition");
    outbox.settle(first, Fate::Acknowledged);
    let (second, _) = send(&mut outbox, ONE);
    assert!(outbox.sendable(now).is_some(), "now a gap would be refused");
    assert_eq!(outbox.sendable(now + SECOND * 3600), None, "but brokers forget a silent producer");
    outbox.settle(second, Fate::Refused { in_doubt: false });
    send(&mut outbox, TWO);
    assert_eq!(outbox.sendable(Instant::now()), None, "nobody knows the new id");
}

#[test]
fn batches_in_flight_keep_others_from_another_broker() {
    let mut outbox = known(3);
    let (first, _) = send(&mut outbox, ONE);
    assert!(outbox.may_go_to(1) && !outbox.may_go_to(2));
    outbox.settle(first, retry(true));
    assert!(outbox.may_go_to(2), "nothing is in flight");
}

#[test]
fn a_batch_that_a_later_one_has_overtaken_fails() {
    let mut outbox = known(2);
    let (first, _) = send(&mut outbox, ONE);
    let (second, _) = send(&mut outbox, ONE);
    outbox.settle(first, retry(false));
    outbox.settle(second, Fate::Acknowledged);
    let (first, _) = send(&mut outbox, ONE);
    let settled = outbox.settle(first, Fate::OutOfOrder);
    assert_eq!(settled.failed.len(), 1, "written now it would stand behind the second");
}

#[test]
fn a_pause_is_kept() {
    let mut outbox = outbox(1);
    let (key, _) = send(&mut outbox, ONE);
    let at = Instant::now() + SECOND;
    outbox.settle(key, Fate::Retry { in_doubt: false, not_before: at });
    assert_eq!(outbox.sendable(at - SECOND / 2), None);
    assert_eq!(outbox.next_due(SECOND, SECOND * 100), Some(at));
    assert!(outbox.sendable(at).is_some());
}

#[test]
fn a_refused_batch_makes_the_rest_start_anew_under_another_id() {
    let mut outbox = known(4);
    let keys: Vec<_> = (0..3).map(|_| send(&mut outbox, ONE).0).collect();
    let settled = outbox.settle(keys[0], Fate::Refused { in_doubt: false });
    assert_eq!(settled.failed.len(), 1);
    assert_eq!(outbox.sendable(Instant::now()), None, "the gap must be closed first");
    outbox.settle(keys[1], Fate::OutOfOrder);
    let settled = outbox.settle(keys[2], Fate::OutOfOrder);
    assert!(settled.failed.is_empty(), "neither of them can be in the log");
    assert!(outbox.lacks(Some(ONE)) && !outbox.lacks(Some(TWO)));
    let again: Vec<_> = (0..3).map(|_| send(&mut outbox, TWO).1).collect();
    assert_eq!(again, [(2, 0, 10), (2, 10, 10), (2, 20, 10)]);
}

#[test]
fn a_batch_in_doubt_is_never_renumbered() {
    let mut outbox = known(3);
    let keys: Vec<_> = (0..2).map(|_| send(&mut outbox, ONE).0).collect();
    outbox.settle(keys[1], retry(true));
    let settled = outbox.settle(keys[0], Fate::Refused { in_doubt: false });
    let doubts: Vec<_> = settled.failed.iter().map(|batch| (batch.ticket, batch.possibly_written)).collect();
    assert_eq!(doubts, [(0, false), (1, true)]);
    assert_eq!(send(&mut outbox, TWO).1, (2, 0, 10), "the third goes on");
}

#[test]
fn an_order_error_on_the_oldest_batch_needs_a_new_id() {
    let mut outbox = outbox(1);
    let (key, _) = send(&mut outbox, ONE);
    assert!(outbox.settle(key, Fate::OutOfOrder).failed.is_empty());
    assert!(outbox.lacks(Some(ONE)));
    assert_eq!(send(&mut outbox, TWO).1, (2, 0, 10));
}

#[test]
fn a_batch_that_is_too_large_is_split_with_its_numbers_until_one_record_is_left() {
    let mut outbox = known(2);
    let (first, _) = send(&mut outbox, ONE);
    let (second, _) = send(&mut outbox, ONE);
    assert_eq!(outbox.settle(first, Fate::TooLarge).split, Some(0));
    outbox.settle(second, Fate::OutOfOrder);
    let parts: Vec<_> = (0..3).map(|_| send(&mut outbox, ONE)).collect();
    assert_eq!(parts.iter().map(|part| part.1).collect::<Vec<_>>(), [(1, 0, 5), (1, 5, 5), (1, 10, 10)]);
    let mut bytes = 0;
    for (key, _) in parts {
        bytes += outbox.settle(key, Fate::Acknowledged).done.unwrap().buffered;
    }
    assert_eq!(bytes, 200, "every byte of the buffer is given back");

    fill(&mut outbox, 9, 1);
    let (key, _) = send(&mut outbox, ONE);
    assert_eq!(outbox.settle(key, Fate::TooLarge).failed.len(), 1);
}

#[test]
fn batches_expire_after_the_delivery_timeout_but_not_in_flight() {
    let mut outbox = known(2);
    let (key, _) = send(&mut outbox, ONE);
    let late = Instant::now() + SECOND * 200;
    assert_eq!(outbox.expire(late, SECOND * 120).failed.len(), 1);
    outbox.settle(key, retry(true));
    let expired = outbox.expire(late, SECOND * 120).failed;
    assert!(expired.len() == 1 && expired[0].possibly_written);
    assert!(outbox.lacks(Some(ONE)), "its number is missing now");
}

#[test]
fn retries_are_counted() {
    let mut outbox = Outbox::new(BatchOptions::default(), 2);
    fill(&mut outbox, 0, 1);
    for attempt in 1..=3 {
        let (key, _) = send(&mut outbox, ONE);
        let failed = outbox.settle(key, retry(false)).failed.len();
        assert_eq!(failed, usize::from(attempt == 3), "attempt {attempt}");
    }
}

#[test]
fn an_open_batch_is_closed_when_it_has_lingered() {
    let mut outbox = Outbox::new(BatchOptions::default(), 0);
    let now = Instant::now();
    let record = RecordRef { value: Some(b"value"), ..RecordRef::default() };
    assert!(outbox.append(&record, 0, 10, || (0, now)).unwrap(), "a first record is news");
    assert!(!outbox.append(&record, 0, 10, || (1, now)).unwrap());
    outbox.seal_after(now + SECOND / 2, SECOND).unwrap();
    assert_eq!(outbox.sendable(now), None);
    assert_eq!(outbox.next_due(SECOND, SECOND * 9), Some(now + SECOND));
    outbox.seal_after(now + SECOND, SECOND).unwrap();
    assert_eq!(
        numbered(&outbox.send(None, 1, now).unwrap().bytes),
        (-1, -1, 2),
        "unnumbered without an identity"
    );
}
