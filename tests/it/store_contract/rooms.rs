use super::world::*;
use pickmate::domain::{Access, RoomId, RoomName, Seq, UserId};
use pickmate::protocol::{Author, EventKind};
use pickmate::server::store::{Action, Command, Refusal, RoomHead};

fn named(user: UserId, name: &str) -> Author {
    Author { id: user.0, name: name.into() }
}

pub async fn creating_a_room_makes_its_creator_the_first_member<E: Engine>(world: World<E>) {
    let creator = world.user("creator").await;
    let room = world.room("den", Access::Closed, creator).await;
    let log = world.log(room).await;
    assert_eq!((log.len(), log[0].seq), (1, Seq(1)));
    assert_eq!(log[0].kind, EventKind::Joined { member: named(creator, "creator") });
    let view = world.store.room(&slug("den"), creator).await.unwrap().unwrap();
    assert_eq!(view.id, room);
    let summary = view.summary;
    assert!(summary.member && summary.manages);
    assert_eq!((summary.access, summary.head, summary.unread), (Access::Closed, Seq(1), 0));
    let members = world.store.members(room, 10).await.unwrap();
    assert_eq!(members.first.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["creator"]);
}

pub async fn the_operator_makes_rooms_and_adds_people<E: Engine>(world: World<E>) {
    let member = world.user("member").await;
    let name = RoomName::parse("Den").unwrap();
    let action = Action::CreateRoom { name, access: Access::Closed, creator: None };
    let command = Command::by_operator(slug("den"), action);
    let made = world.run(command).await.unwrap();
    assert_eq!(made.seq, None);
    assert!(world.log(made.room).await.is_empty());
    let add = |member| Command::by_operator(slug("den"), Action::AddMember { member });
    assert_eq!(world.run(add(member)).await.unwrap().seq, Some(Seq(1)));
    assert!(matches!(world.run(add(UserId(999))).await, Err(Refusal::NotFound)));
    for action in [Action::Leave, renaming("Mine"), Action::SetAccess { access: Access::Open }] {
        let refused = world.run(Command::by_operator(slug("den"), action)).await;
        assert!(matches!(refused, Err(Refusal::Forbidden)), "it is nobody in the room");
    }
    let view = world.store.room(&slug("den"), member).await.unwrap().unwrap();
    assert!(view.summary.member && !view.summary.manages);
}

pub async fn a_taken_slug_is_refused<E: Engine>(world: World<E>) {
    let creator = world.user("creator").await;
    world.room("den", Access::Closed, creator).await;
    let name = RoomName::parse("Other").unwrap();
    let again = once(creator, "den", Action::CreateRoom { name, access: Access::Open, creator: Some(creator) });
    assert!(matches!(world.run(again).await, Err(Refusal::SlugTaken)));
    assert_eq!(world.store.rooms(creator).await.unwrap().len(), 1);
}

pub async fn members_bring_others_in_and_strangers_do_not<E: Engine>(world: World<E>) {
    let (creator, a, b) = (world.user("creator").await, world.user("a").await, world.user("b").await);
    let room = world.room("den", Access::Closed, creator).await;
    world.room("general", Access::Open, creator).await;
    assert!(matches!(world.add("den", b, a).await, Err(Refusal::NotFound)));
    assert!(matches!(world.add("general", b, a).await, Err(Refusal::Forbidden)));
    assert!(world.add("den", a, creator).await.unwrap().seq.is_some());
    assert!(world.add("den", b, a).await.unwrap().seq.is_some());
    assert!(world.join("general", b).await.unwrap().seq.is_some());
    let names: Vec<_> =
        world.store.members(room, 2).await.unwrap().first.into_iter().map(|member| member.name).collect();
    assert_eq!(names, ["a", "b"], "by name, and at most as many as asked for");
}

pub async fn adding_a_member_twice_changes_nothing<E: Engine>(world: World<E>) {
    let (creator, a) = (world.user("creator").await, world.user("a").await);
    let room = world.room("den", Access::Closed, creator).await;
    world.add("den", a, creator).await.unwrap();
    assert_eq!(world.add("den", a, creator).await.unwrap().seq, None);
    assert_eq!(world.join("den", a).await.unwrap().seq, None);
    assert_eq!(world.log(room).await.len(), 2);
}

pub async fn the_last_member_of_a_closed_room_stays<E: Engine>(world: World<E>) {
    let (creator, a) = (world.user("creator").await, world.user("a").await);
    let room = world.room("den", Access::Closed, creator).await;
    world.add("den", a, creator).await.unwrap();
    assert_eq!(world.leave("den", creator).await.unwrap().seq, Some(Seq(3)));
    assert_eq!(world.log(room).await[2].kind, EventKind::Left { member: named(creator, "creator") });
    assert_eq!(world.store.room(&slug("den"), creator).await.unwrap(), None);
    assert!(matches!(world.leave("den", a).await, Err(Refusal::LastMember)));
    assert!(matches!(world.leave("den", creator).await, Err(Refusal::NotFound)));
}

pub async fn leaving_an_open_room_always_works<E: Engine>(world: World<E>) {
    let creator = world.user("creator").await;
    let room = world.room("general", Access::Open, creator).await;
    assert_eq!(world.leave("general", creator).await.unwrap().seq, Some(Seq(2)));
    assert_eq!(world.leave("general", creator).await.unwrap().seq, None);
    assert_eq!(world.log(room).await.len(), 2);
    assert!(world.store.members(room, 10).await.unwrap().first.is_empty());
}

pub async fn only_creator_and_owners_rename<E: Engine>(world: World<E>) {
    let (creator, member) = (world.user("creator").await, world.user("member").await);
    let owner = world.owner("owner").await;
    let room = world.room("general", Access::Open, creator).await;
    world.join("general", member).await.unwrap();
    assert!(matches!(world.rename("general", member, "Mine").await, Err(Refusal::Forbidden)));
    assert_eq!(world.rename("general", creator, "One").await.unwrap().seq, Some(Seq(3)));
    assert_eq!(world.rename("general", creator, "One").await.unwrap().seq, None);
    assert_eq!(world.rename("general", owner, "Two").await.unwrap().seq, Some(Seq(4)));
    let kinds: Vec<_> = world.log(room).await.into_iter().skip(2).map(|event| event.kind).collect();
    let renamed = |user, who, name: &str| EventKind::Renamed { by: named(user, who), name: name.into() };
    assert_eq!(kinds, [renamed(creator, "creator", "One"), renamed(owner, "owner", "Two")]);
    let view = world.store.room(&slug("general"), member).await.unwrap().unwrap();
    assert_eq!((view.summary.name.as_str(), view.summary.manages), ("Two", false));
}

pub async fn closing_needs_membership<E: Engine>(world: World<E>) {
    let (creator, member, owner) =
        (world.user("creator").await, world.user("member").await, world.owner("owner").await);
    let room = world.room("general", Access::Open, creator).await;
    world.join("general", member).await.unwrap();
    assert!(matches!(world.set_access("general", owner, Access::Closed).await, Err(Refusal::Forbidden)));
    assert!(matches!(world.set_access("general", member, Access::Closed).await, Err(Refusal::Forbidden)));
    assert_eq!(world.set_access("general", creator, Access::Open).await.unwrap().seq, None);
    assert_eq!(world.set_access("general", creator, Access::Closed).await.unwrap().seq, Some(Seq(3)));
    assert_eq!(world.store.room(&slug("general"), owner).await.unwrap(), None);
    let changed = EventKind::AccessChanged { by: named(creator, "creator"), access: Access::Closed };
    assert_eq!(world.log(room).await[2].kind, changed);
    world.set_access("general", creator, Access::Open).await.unwrap();
    assert!(world.store.room(&slug("general"), owner).await.unwrap().unwrap().summary.manages);
}

pub async fn the_room_list_is_what_the_reader_may_read<E: Engine>(world: World<E>) {
    let (creator, reader) = (world.user("creator").await, world.user("reader").await);
    for (address, access) in [("zoo", Access::Open), ("bar", Access::Open), ("den", Access::Closed)] {
        world.room(address, access, creator).await;
    }
    world.rename("zoo", creator, "apple").await.unwrap();
    let slugs = async |reader| {
        let rooms = world.store.rooms(reader).await.unwrap();
        rooms.into_iter().map(|room| (room.summary.slug, room.summary.member)).collect::<Vec<_>>()
    };
    assert_eq!(slugs(reader).await, [("zoo".into(), false), ("bar".into(), false)]);
    world.join("bar", reader).await.unwrap();
    assert_eq!(slugs(reader).await, [("bar".into(), true), ("zoo".into(), false)]);
    assert_eq!(slugs(creator).await.len(), 3);
    assert!(slugs(UserId(999)).await.is_empty());
}

pub async fn unread_counts_posts_by_others_up_to_a_hundred<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, a).await;
    assert_eq!(world.unread("general", b).await, 0, "nothing is unread to somebody who is no member");
    world.join("general", b).await.unwrap();
    assert_eq!(world.unread("general", a).await, 0, "joins are no posts");
    world.posts("general", a, "first", 99).await;
    assert_eq!((world.unread("general", a).await, world.unread("general", b).await), (0, 99));
    world.posts("general", a, "more", 5).await;
    assert_eq!(world.unread("general", b).await, 100);
    world.store.mark_read(room, b, Seq(103)).await.unwrap();
    assert_eq!(world.unread("general", b).await, 3);
    world.post("general", b, "own", "hello").await.unwrap();
    assert_eq!(world.unread("general", b).await, 0, "who posts has read what stands above");
    assert_eq!(world.unread("general", a).await, 1);
}

pub async fn a_new_member_has_nothing_unread<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    world.room("general", Access::Open, a).await;
    world.posts("general", a, "k", 5).await;
    world.add("general", b, a).await.unwrap();
    assert_eq!(world.unread("general", b).await, 0);
    world.posts("general", a, "l", 2).await;
    assert_eq!(world.unread("general", b).await, 2);
}

pub async fn mark_read_never_goes_back_or_beyond_the_head<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, a).await;
    world.join("general", b).await.unwrap();
    world.posts("general", a, "k", 10).await;
    world.store.mark_read(room, b, Seq(9)).await.unwrap();
    assert_eq!(world.unread("general", b).await, 3);
    world.store.mark_read(room, b, Seq(4)).await.unwrap();
    assert_eq!(world.unread("general", b).await, 3);
    world.store.mark_read(room, b, Seq(u64::MAX)).await.unwrap();
    assert_eq!(world.unread("general", b).await, 0);
    world.posts("general", a, "l", 2).await;
    assert_eq!(world.unread("general", b).await, 2, "a mark beyond the head marks nothing in advance");
    world.store.mark_read(room, UserId(999), Seq(1)).await.unwrap();
    world.store.mark_read(RoomId(999), b, Seq(1)).await.unwrap();
    assert_eq!(world.store.members(room, 10).await.unwrap().first.len(), 2);
}

pub async fn readable_pairs_follow_memberships<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    let open = world.room("general", Access::Open, a).await;
    let closed = world.room("den", Access::Closed, a).await;
    let all = [(open, a), (open, b), (closed, a), (closed, b), (open, UserId(999)), (RoomId(999), a)];
    let readable = async || {
        let mut pairs = world.store.readable(&all).await.unwrap();
        pairs.sort();
        pairs
    };
    assert_eq!(readable().await, [(open, a), (open, b), (closed, a)]);
    world.add("den", b, a).await.unwrap();
    assert_eq!(readable().await, [(open, a), (open, b), (closed, a), (closed, b)]);
    assert!(world.store.readable(&[]).await.unwrap().is_empty());
    let mut members = world.store.memberships(&all).await.unwrap();
    members.sort();
    assert_eq!(members, [(open, a), (closed, a), (closed, b)]);
}

pub async fn members_beyond_the_list_are_counted<E: Engine>(world: World<E>) {
    let creator = world.user("b").await;
    let room = world.room("general", Access::Open, creator).await;
    for name in ["c", "a"] {
        let member = world.user(name).await;
        world.join("general", member).await.unwrap();
    }
    let members = world.store.members(room, 2).await.unwrap();
    let names: Vec<_> = members.first.iter().map(|member| member.name.as_str()).collect();
    assert_eq!((members.count, names), (3, vec!["a", "b"]));
    assert_eq!(world.store.members(RoomId(999), 2).await.unwrap().count, 0);
}

pub async fn a_room_head_is_for_those_who_may_read_it<E: Engine>(world: World<E>) {
    let (member, stranger) = (world.user("member").await, world.user("stranger").await);
    let open = world.room("general", Access::Open, member).await;
    let closed = world.room("den", Access::Closed, member).await;
    world.post("den", member, "k", "hello").await.unwrap();
    let head = async |room, user| world.store.room_head(&slug(room), user).await.unwrap();
    assert_eq!(head("den", member).await, Some(RoomHead { id: closed, head: Seq(2) }));
    assert_eq!(head("general", stranger).await, Some(RoomHead { id: open, head: Seq(1) }));
    for (room, user) in [("den", stranger), ("nowhere", member), ("general", UserId(999))] {
        assert_eq!(head(room, user).await, None, "{room}");
    }
}
