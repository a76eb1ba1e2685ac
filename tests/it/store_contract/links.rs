use super::world::*;
use pickmate::domain::{Access, Role, RoomName, UserId};
use pickmate::protocol::EventKind;
use pickmate::server::store::{Action, Command, InviteError, NewInvite, NewSetUp, UNNAMED};

const SECRET: [u8; 32] = [9; 32];

fn invite(created_by: UserId, expires_at: i64, max_uses: u32) -> NewInvite {
    NewInvite { secret_hash: SECRET, created_by, expires_at, max_uses }
}

fn set_up(owner: &str) -> NewSetUp {
    let room_name = RoomName::parse("General").unwrap();
    NewSetUp { community: "우리".into(), owner: account(owner, Role::Owner), room_slug: slug("general"), room_name }
}

pub async fn an_invite_is_good_until_expiry_or_revocation<E: Engine>(world: World<E>) {
    let owner = world.owner("owner").await;
    let id = world.store.create_invite(invite(owner, NOW + 10, 5), NOW).await.unwrap();
    let found = world.store.invite(&SECRET, NOW + 9).await.unwrap().unwrap();
    assert_eq!((found.id, found.inviter.as_str()), (id, "owner"));
    assert_eq!(world.store.invite(&SECRET, NOW + 10).await.unwrap(), None);
    assert_eq!(world.store.invite(&[8; 32], NOW).await.unwrap(), None);
    let late = world.store.accept_invite(&SECRET, account("late", Role::Member), NOW + 10).await;
    assert!(matches!(late, Err(InviteError::LinkExpired)));
    world.store.accept_invite(&SECRET, account("a", Role::Member), NOW).await.unwrap();
    world.store.revoke_invite(id, NOW).await.unwrap();
    assert_eq!(world.store.invite(&SECRET, NOW).await.unwrap(), None);
    let revoked = world.store.accept_invite(&SECRET, account("b", Role::Member), NOW).await;
    assert!(matches!(revoked, Err(InviteError::LinkExpired)));
    let listed = &world.store.invites(NOW).await.unwrap()[0];
    assert_eq!((listed.uses, listed.max_uses, listed.revoked, listed.expires_at), (1, 5, true, NOW + 10));
    assert_eq!(listed.created_by, "owner");
}

pub async fn a_usable_invite_is_listed_before_all_that_are_not<E: Engine>(world: World<E>) {
    let owner = world.owner("owner").await;
    let make = async |n: u8, expires_at| {
        let invite = NewInvite { secret_hash: [n; 32], ..invite(owner, expires_at, 1) };
        world.store.create_invite(invite, NOW).await.unwrap()
    };
    let usable = make(0, NOW + 10).await;
    let revoked = make(1, NOW + 10).await;
    world.store.revoke_invite(revoked, NOW).await.unwrap();
    make(2, NOW + 10).await;
    world.store.accept_invite(&[2; 32], account("a", Role::Member), NOW).await.unwrap();
    for n in 3..=103 {
        make(n, NOW).await;
    }
    let listed: Vec<_> = world.store.invites(NOW).await.unwrap().iter().map(|invite| invite.id).collect();
    assert_eq!((listed[0], listed.len()), (usable, 100));
    assert!(listed[1..].is_sorted_by(|one, other| one > other), "{listed:?}");
}

pub async fn parallel_accepts_never_exceed_the_uses<E: Engine>(world: World<E>) {
    let owner = world.owner("owner").await;
    world.store.create_invite(invite(owner, NOW + 10, 3), NOW).await.unwrap();
    let mut accepts = tokio::task::JoinSet::new();
    for n in 0..10 {
        let store = world.store.clone();
        accepts.spawn(async move { store.accept_invite(&SECRET, account(&format!("u{n}"), Role::Member), NOW).await });
    }
    let outcomes = accepts.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(InviteError::LinkExpired))).count();
    assert_eq!((refused, world.store.people().await.unwrap().len()), (7, 4));
}

pub async fn a_taken_name_takes_no_use<E: Engine>(world: World<E>) {
    let owner = world.owner("owner").await;
    world.store.create_invite(invite(owner, NOW + 10, 1), NOW).await.unwrap();
    let taken = world.store.accept_invite(&SECRET, account("OWNER", Role::Member), NOW).await;
    assert!(matches!(taken, Err(InviteError::NameTaken)));
    assert_eq!(world.store.invites(NOW).await.unwrap()[0].uses, 0);
    world.store.accept_invite(&SECRET, account("free", Role::Member), NOW).await.unwrap();
    assert_eq!(world.store.invites(NOW).await.unwrap()[0].uses, 1);
}

pub async fn of_two_set_ups_one_wins<E: Engine>(world: World<E>) {
    assert_eq!(world.store.community().await.unwrap(), None);
    world.store.put_set_up_link(&[1; 32]).await.unwrap();
    world.store.put_set_up_link(&SECRET).await.unwrap();
    assert!(!world.store.set_up_link_is_valid(&[1; 32]).await.unwrap());
    assert!(world.store.set_up_link_is_valid(&SECRET).await.unwrap());
    let (one, two) =
        tokio::join!(world.store.set_up(&SECRET, set_up("a"), NOW), world.store.set_up(&SECRET, set_up("b"), NOW));
    let (winner, loser) = if one.is_ok() { (one, two) } else { (two, one) };
    assert!(matches!(loser, Err(InviteError::LinkExpired)));
    let owner = winner.unwrap();
    assert!(!world.store.set_up_link_is_valid(&SECRET).await.unwrap());
    assert_eq!(world.store.community().await.unwrap().as_deref(), Some("우리"));
    let people = world.store.people().await.unwrap();
    assert_eq!((people.len(), people[0].id, people[0].role), (1, owner.0, Role::Owner));
    let room = world.store.room(&slug("general"), owner).await.unwrap().unwrap();
    assert!(room.summary.member && room.summary.access == Access::Open);
    assert!(matches!(world.log(room.id).await[0].kind, EventKind::Joined { .. }));
}

pub async fn set_up_ends_with_the_first_owner<E: Engine>(world: World<E>) {
    world.store.put_set_up_link(&SECRET).await.unwrap();
    world.user("taken").await;
    let taken = world.store.set_up(&SECRET, set_up("Taken"), NOW).await;
    assert!(matches!(taken, Err(InviteError::NameTaken)));
    assert!(world.store.set_up_link_is_valid(&SECRET).await.unwrap(), "a taken name does not consume the link");
    assert_eq!(world.store.community().await.unwrap(), None);
    world.owner("owner").await;
    assert!(!world.store.set_up_link_is_valid(&SECRET).await.unwrap());
    assert_eq!(world.store.community().await.unwrap().as_deref(), Some(UNNAMED), "people can sign in");
    let late = world.store.set_up(&SECRET, set_up("late"), NOW).await;
    assert!(matches!(late, Err(InviteError::LinkExpired)));
}

pub async fn set_up_adopts_a_room_of_the_operator<E: Engine>(world: World<E>) {
    let name = RoomName::parse("General").unwrap();
    let command =
        Command::by_operator(slug("general"), Action::CreateRoom { name, access: Access::Closed, creator: None });
    let room = world.run(command).await.unwrap().room;
    world.store.put_set_up_link(&SECRET).await.unwrap();
    let owner = world.store.set_up(&SECRET, set_up("owner"), NOW).await.unwrap();
    let view = world.store.room(&slug("general"), owner).await.unwrap().unwrap();
    assert_eq!((view.id, view.summary.member), (room, true));
    world.post("general", owner, "k", "hello").await.unwrap();
    assert_dense(&world.log(room).await);
}

pub async fn a_reset_works_once_and_ends_every_session<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    world.store.create_session(&[1; 32], user, NOW, NOW + HOUR).await.unwrap();
    world.store.create_reset(&SECRET, user, NOW + 10).await.unwrap();
    assert_eq!(world.store.reset(&SECRET, NOW + 9).await.unwrap().unwrap().name, "mina");
    assert_eq!(world.store.reset(&SECRET, NOW + 10).await.unwrap(), None);
    assert_eq!(world.store.redeem_reset(&SECRET, "late", NOW + 10).await.unwrap(), None);
    let redeem = || world.store.redeem_reset(&SECRET, "new", NOW);
    let (one, two) = tokio::join!(redeem(), redeem());
    let mut both = [one.unwrap(), two.unwrap()];
    both.sort();
    assert_eq!(both, [None, Some(user)]);
    assert_eq!(world.store.user(user).await.unwrap().unwrap().password_hash, "new");
    assert_eq!(world.store.session(&[1; 32], NOW, NOW + HOUR).await.unwrap(), None);
}

pub async fn a_new_reset_ends_the_earlier_one<E: Engine>(world: World<E>) {
    let (mina, other) = (world.user("mina").await, world.user("other").await);
    world.store.create_reset(&[1; 32], mina, NOW + 10).await.unwrap();
    world.store.create_reset(&[2; 32], other, NOW + 10).await.unwrap();
    world.store.create_reset(&[3; 32], mina, NOW + 10).await.unwrap();
    assert_eq!(world.store.reset(&[1; 32], NOW).await.unwrap(), None);
    assert_eq!(world.store.reset(&[2; 32], NOW).await.unwrap().unwrap().id, other);
    assert_eq!(world.store.reset(&[3; 32], NOW).await.unwrap().unwrap().id, mina);
}
