use super::*;

const MOMENT: Moment = Moment { at: 1_763_800_000_000, keys_until: 1_763_800_000_001 };

fn room(access: Access) -> Option<FoundRoom> {
    Some(FoundRoom { id: RoomId(1), access, head: Seq(7) })
}

fn member() -> Found {
    Found {
        room: room(Access::Closed),
        author_name: Some("민아".into()),
        member: true,
        known: None,
        target: None,
        other_epoch: false,
    }
}

fn slug() -> Slug {
    Slug::parse("general").unwrap()
}

fn body(text: &str) -> MessageBody {
    MessageBody::parse(text, 100).unwrap()
}

fn posting(text: &str) -> Action {
    Action::Post { body: body(text), files: vec![] }
}

fn editing(target: u64, text: &str) -> Action {
    Action::Edit { target: Seq(target), body: body(text) }
}

fn deleting(target: u64) -> Action {
    Action::Delete { target: Seq(target) }
}

/// The message of account 1 at seq 5, stored as body 50, with its previews as 51.
fn own_message() -> Found {
    let body = Some(Body { text: "old".into(), id: Some(50) });
    Found { target: Some(Message { author: UserId(1), rev: Seq(5), body, previews: Some(51) }), ..member() }
}

/// Commands of account 1, as (key, action, found).
fn plan_of(commands: Vec<(&str, Action, Found)>) -> Plan {
    let (mut parsed, mut found) = (Vec::new(), Vec::new());
    for (key, action, known) in commands {
        parsed.push(Command::new(Intent { actor: UserId(1), key: Key::parse(key).unwrap() }, slug(), action));
        found.push(known);
    }
    let speeches: Vec<_> = parsed.iter().map(|command| Speech::of(command).unwrap()).collect();
    Plan::make(&speeches, found, MOMENT)
}

/// Answers to posts by account 1, as (key, body, found).
fn plan(posts: Vec<(&str, &str, Found)>) -> Plan {
    plan_of(posts.into_iter().map(|(key, text, found)| (key, posting(text), found)).collect())
}

fn acked(plan: &Plan) -> Vec<u64> {
    plan.answers.iter().map(|answer| answer.as_ref().unwrap().seq.unwrap().0).collect()
}

fn seqs(plan: &Plan) -> Vec<u64> {
    plan.events.iter().map(|new| new.event.seq.0).collect()
}

#[test]
fn seqs_go_on_from_the_head_without_holes() {
    let plan = plan(vec![("a", "1", member()), ("b", "2", member()), ("c", "3", member())]);
    assert_eq!(seqs(&plan), [8, 9, 10]);
    assert_eq!(plan.read[&(RoomId(1), UserId(1))], Seq(10));
}

#[test]
fn duplicate_key_in_a_batch_returns_first_seq() {
    let plan = plan(vec![("a", "1", member()), ("a", "1", member()), ("a", "other", member())]);
    assert_eq!(seqs(&plan), [8]);
    assert_eq!(
        plan.answers[1].as_ref().unwrap(),
        &Committed { room: RoomId(1), slug: slug(), seq: Some(Seq(8)), repeated: true }
    );
    assert!(matches!(plan.answers[2], Err(Refusal::KeyReused)));
}

#[test]
fn a_known_key_is_answered_before_membership() {
    let fingerprint = Fingerprint::of(&Key::parse("a").unwrap(), &posting("1")).bytes().to_vec();
    let known = KnownKey { room: RoomId(1), slug: slug(), seq: Some(Seq(3)), fingerprint };
    let known = Found { member: false, known: Some(known), ..member() };
    let plan = plan(vec![("a", "1", known.clone()), ("a", "2", known)]);
    assert_eq!(plan.answers[0].as_ref().unwrap().seq, Some(Seq(3)));
    assert!(matches!(plan.answers[1], Err(Refusal::KeyReused)));
    assert!(plan.events.is_empty() && plan.keys.is_empty());
}

#[test]
fn a_newcomer_to_an_open_room_joins_once() {
    let stranger = Found { room: room(Access::Open), member: false, ..member() };
    let plan = plan(vec![("a", "1", stranger.clone()), ("b", "2", stranger)]);
    let joined: Vec<_> = plan.events.iter().map(|new| matches!(new.event.kind, EventKind::Joined { .. })).collect();
    assert_eq!(joined, [true, false, false]);
    assert_eq!(seqs(&plan), [8, 9, 10]);
}

#[test]
fn a_refused_post_takes_no_seq_from_the_others() {
    let stranger = Found { member: false, ..member() };
    let nobody = Found { author_name: None, room: room(Access::Open), ..stranger.clone() };
    let plan = plan(vec![("a", "1", stranger), ("b", "2", nobody), ("c", "3", member())]);
    assert!(matches!(plan.answers[0], Err(Refusal::NotFound)));
    assert!(matches!(plan.answers[1], Err(Refusal::NotFound)));
    assert_eq!(seqs(&plan), [8]);
}

#[test]
fn changes_of_one_message_follow_each_other_in_a_run() {
    let plan = plan_of(vec![
        ("a", editing(5, "one"), own_message()),
        ("b", editing(5, "two"), own_message()),
        ("c", deleting(5), own_message()),
        ("d", deleting(5), own_message()),
        ("e", editing(5, "three"), own_message()),
    ]);
    assert_eq!(
        plan.answers[..4].iter().map(|a| a.as_ref().unwrap().seq.unwrap().0).collect::<Vec<_>>(),
        [8, 9, 10, 10]
    );
    assert!(matches!(plan.answers[4], Err(Refusal::Erased)));
    assert_eq!(seqs(&plan), [8, 9, 10]);
    let deleted = Message { author: UserId(1), rev: Seq(10), body: None, previews: None };
    assert_eq!(plan.messages, BTreeMap::from([((RoomId(1), Seq(5)), deleted)]));
    assert_eq!(plan.erased, [50, 51], "what came with the run was never stored");
}

#[test]
fn a_message_of_the_run_itself_can_be_changed() {
    let plan = plan_of(vec![("a", posting("one"), member()), ("b", editing(8, "two"), member())]);
    assert_eq!(acked(&plan), [8, 9]);
    let message = &plan.messages[&(RoomId(1), Seq(8))];
    assert_eq!((message.rev, &message.body), (Seq(9), &Some(Body { text: "two".into(), id: None })));
    assert!(plan.erased.is_empty());
}

#[test]
fn the_body_that_a_message_has_already_makes_no_event() {
    let plan = plan_of(vec![("a", editing(5, "old"), own_message())]);
    assert_eq!(acked(&plan), [5]);
    assert!(plan.events.is_empty() && plan.messages.is_empty() && plan.erased.is_empty());
    assert_eq!(plan.keys[0].seq, Some(Seq(5)), "its key is stored all the same");
}

#[test]
fn only_authors_who_are_in_the_room_change_messages() {
    let found = |author, member_now| {
        let message = Message { author: UserId(author), ..own_message().target.unwrap() };
        Found { room: room(Access::Open), member: member_now, target: Some(message), ..member() }
    };
    for action in [editing(5, "new"), deleting(5)] {
        let refused = |found| plan_of(vec![("a", action.clone(), found)]).answers.remove(0).unwrap_err();
        assert!(matches!(refused(found(2, true)), Refusal::Forbidden));
        assert!(matches!(refused(found(1, false)), Refusal::Forbidden));
        assert!(matches!(refused(member()), Refusal::NotFound));
        assert!(matches!(refused(Found { room: None, ..own_message() }), Refusal::NotFound));
        assert!(matches!(refused(Found { member: false, ..own_message() }), Refusal::NotFound));
    }
}

#[test]
fn keys_of_posts_stay_and_others_expire() {
    let plan = plan_of(vec![("a", posting("one"), member()), ("b", deleting(5), own_message())]);
    assert_eq!(plan.keys.iter().map(|key| key.expires_at).collect::<Vec<_>>(), [None, Some(MOMENT.keys_until)]);
}
