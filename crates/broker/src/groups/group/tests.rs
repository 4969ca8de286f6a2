//! The state machine on virtual time.

use super::*;

const SESSION: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn joining(id: &str, protocols: &[&str]) -> Joining {
    Joining {
        member_id: id.to_owned(),
        instance_id: None,
        client_id: "c".to_owned(),
        client_host: "/h".to_owned(),
        session_timeout: SESSION,
        rebalance_timeout: at(60),
        protocol_type: "consumer".to_owned(),
        protocols: protocols.iter().map(|name| ((*name).to_owned(), Bytes::from_static(b"m"))).collect(),
        initial_delay: Duration::ZERO,
    }
}

fn stable(ids: &[&str]) -> Group {
    let mut group = Group::default();
    for id in ids {
        group.join(joining(id, &["range"]), at(0)).unwrap();
    }
    for id in ids {
        if !group.is_joining(id).unwrap() && matches!(group.phase, Phase::Preparing { .. }) {
            group.join(joining(id, &["range"]), at(0)).unwrap();
        }
    }
    let leader = group.leader.clone().unwrap();
    group.sync(&leader, vec![(ids[0].to_owned(), Bytes::from_static(b"all"))], at(0));
    group
}

#[test]
fn a_single_member_leads_and_gets_its_assignment() {
    let group = stable(&["a"]);
    assert_eq!((group.phase, group.generation), (Phase::Stable, 1));
    assert_eq!(group.members["a"].assignment, "all");
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut group = stable(&["a"]);
    group.join(joining("b", &["roundrobin", "range"]), at(1)).unwrap();
    assert_eq!(group.is_joining("b"), Ok(true));
    assert_eq!(group.phase.name(), "PreparingRebalance");
    group.join(joining("a", &["range"]), at(2)).unwrap();
    assert_eq!((group.phase, group.generation), (Phase::Completing, 2));
    assert_eq!(group.protocol.as_deref(), Some("range"));
    assert_eq!(group.check_member("a", None, 1), Err(ErrorCode::ILLEGAL_GENERATION));
}

#[test]
fn who_does_not_join_again_in_time_is_left_behind() {
    let mut group = stable(&["a"]);
    group.join(joining("b", &["range"]), at(1)).unwrap();
    group.touch("a", at(55)).unwrap();
    assert_eq!(group.next_event(), Some(at(61)));
    group.expire(at(61));
    assert_eq!(group.is_joining("a"), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!((group.is_joining("b"), group.leader.as_deref()), (Ok(false), Some("b")));
}

#[test]
fn a_silent_member_expires_and_the_rest_rebalances() {
    let mut group = stable(&["a", "b"]);
    assert_eq!(group.phase, Phase::Stable);
    group.touch("b", at(9)).unwrap();
    group.expire(at(10));
    assert!(!group.members.contains_key("a"));
    assert_eq!(group.phase.name(), "PreparingRebalance");
    group.leave("b", at(11)).unwrap();
    assert_eq!(group.phase, Phase::Empty);
}

#[test]
fn members_without_a_common_protocol_are_refused() {
    let mut group = stable(&["a"]);
    let refused = group.join(joining("b", &["sticky"]), at(1));
    assert_eq!(refused, Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL));
    assert_eq!(group.phase, Phase::Stable);
}

#[test]
fn a_static_member_takes_over_from_its_former_self() {
    let mut group = Group::default();
    let instance = |id: &str| Joining { instance_id: Some("i".to_owned()), ..joining(id, &["range"]) };
    group.join(instance("i-1"), at(0)).unwrap();
    group.join(instance("i-2"), at(1)).unwrap();
    assert_eq!(group.static_member("i"), Some("i-2"));
    assert_eq!(group.check_member("i-1", Some("i"), 1), Err(ErrorCode::FENCED_INSTANCE_ID));
}

#[test]
fn a_first_rebalance_waits_for_its_delay() {
    let mut group = Group::default();
    let patient = |id: &str| Joining { initial_delay: at(3), ..joining(id, &["range"]) };
    group.join(patient("a"), at(0)).unwrap();
    group.join(patient("b"), at(1)).unwrap();
    assert_eq!(group.is_joining("a"), Ok(true));
    group.expire(at(3));
    assert_eq!((group.generation, group.members.len()), (1, 2));
}
