use super::world::*;
use crate::app::PATIENCE;
use pickmate::domain::{Role, UserId};
use pickmate::i18n::Locale;
use tokio::time::timeout;

const FAR: i64 = NOW + 1_000 * HOUR;

/// Which of the sessions 1 to 4 stand.
async fn standing<E: Engine>(world: &World<E>, now: i64) -> Vec<[u8; 32]> {
    let mut hashes = world.store.standing_sessions(&[[1; 32], [2; 32], [3; 32], [4; 32]], now).await.unwrap();
    hashes.sort();
    hashes
}

pub async fn names_are_one_account_regardless_of_case_and_form<E: Engine>(world: World<E>) {
    let mina = world.user("Mina Kim").await;
    for same in ["mina kim", "MINA KIM", "Ｍｉｎａ Kim"] {
        assert_eq!(world.store.create_user(account(same, Role::Member), NOW).await.unwrap(), None, "{same}");
        assert_eq!(world.store.user_by_name(same).await.unwrap().unwrap().id, mina);
    }
    let user = world.store.user(mina).await.unwrap().unwrap();
    assert_eq!((user.name.as_str(), user.role), ("Mina Kim", Role::Member));
    assert_eq!(user.password_hash, "hash of Mina Kim");
    assert!(world.store.user_by_name("mina").await.unwrap().is_none());
    assert!(world.store.user(UserId(999)).await.unwrap().is_none());
}

pub async fn people_are_listed_by_name<E: Engine>(world: World<E>) {
    for name in ["c", "B", "a"] {
        world.user(name).await;
    }
    let people = world.store.people().await.unwrap();
    assert_eq!(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["a", "B", "c"]);
    assert_eq!((people[0].role, people[0].created_at), (Role::Member, NOW));
}

pub async fn the_last_owner_stays_owner<E: Engine>(world: World<E>) {
    assert!(!world.store.has_owner().await.unwrap());
    let (owner, member) = (world.owner("owner").await, world.user("member").await);
    assert!(world.store.has_owner().await.unwrap());
    assert!(!world.store.set_role(owner, Role::Member).await.unwrap());
    assert!(world.store.set_role(member, Role::Owner).await.unwrap());
    assert!(world.store.set_role(owner, Role::Member).await.unwrap());
    assert!(!world.store.set_role(member, Role::Member).await.unwrap());
    assert_eq!(world.store.user(member).await.unwrap().unwrap().role, Role::Owner);
}

pub async fn the_shared_secret_is_made_once<E: Engine>(world: World<E>) {
    let (one, other) = tokio::join!(world.store.shared_secret(), world.store.shared_secret());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(world.store.shared_secret().await.unwrap(), one);
    assert_ne!(one, [0; 32]);
}

pub async fn a_session_ends_at_its_expiry<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    world.store.create_session(&[1; 32], user, NOW, NOW + 10).await.unwrap();
    let found = world.store.session(&[1; 32], NOW + 9, NOW + 10).await.unwrap().unwrap();
    assert_eq!((found.id, found.name.as_str(), found.role), (user, "mina", Role::Member));
    assert_eq!(world.store.session(&[1; 32], NOW + 10, FAR).await.unwrap(), None);
    assert_eq!(world.store.session(&[2; 32], NOW, FAR).await.unwrap(), None);
}

pub async fn a_session_is_prolonged_at_most_hourly<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    let stands = async |at| !world.store.standing_sessions(&[[1; 32]], at).await.unwrap().is_empty();
    world.store.create_session(&[1; 32], user, NOW, NOW + 10 * HOUR).await.unwrap();
    world.store.session(&[1; 32], NOW, NOW + 11 * HOUR - 1).await.unwrap().unwrap();
    assert!(!stands(NOW + 10 * HOUR).await, "less than an hour more is not worth a write");
    world.store.session(&[1; 32], NOW, NOW + 11 * HOUR).await.unwrap().unwrap();
    let prolonged = async { while !stands(NOW + 11 * HOUR - 1).await {} };
    timeout(PATIENCE, prolonged).await.expect("an hour more is written");
    world.store.session(&[1; 32], NOW, NOW + HOUR).await.unwrap().unwrap();
    assert!(stands(NOW + 11 * HOUR - 1).await, "never shortened");
}

pub async fn ended_and_expired_sessions_do_not_stand<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    for (n, expires_at) in [(1, FAR), (2, FAR), (3, NOW + 5)] {
        world.store.create_session(&[n; 32], user, NOW, expires_at).await.unwrap();
    }
    world.store.end_session(&[1; 32]).await.unwrap();
    assert_eq!(standing(&world, NOW + 5).await, [[2; 32]]);
    assert_eq!(standing(&world, NOW + 4).await, [[2; 32], [3; 32]]);
    assert_eq!(world.store.session(&[1; 32], NOW, FAR).await.unwrap(), None);
}

pub async fn a_new_password_ends_the_other_sessions<E: Engine>(world: World<E>) {
    let (mina, other) = (world.user("mina").await, world.user("other").await);
    for (n, user) in [(1, mina), (2, mina), (3, other)] {
        world.store.create_session(&[n; 32], user, NOW, FAR).await.unwrap();
    }
    world.store.set_password(mina, "new", Some(&[2; 32])).await.unwrap();
    assert_eq!(standing(&world, NOW).await, [[2; 32], [3; 32]]);
    assert_eq!(world.store.user(mina).await.unwrap().unwrap().password_hash, "new");
    world.store.set_password(mina, "newer", None).await.unwrap();
    assert_eq!(standing(&world, NOW).await, [[3; 32]]);
}

pub async fn tokens_and_languages_belong_to_their_account<E: Engine>(world: World<E>) {
    let user = world.user("bot").await;
    world.store.create_token(&[7; 32], user, NOW).await.unwrap();
    assert_eq!(world.store.token_user(&[7; 32]).await.unwrap().unwrap().locale, None);
    world.store.set_locale(user, Some(Locale::Ko)).await.unwrap();
    let found = world.store.token_user(&[7; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.locale), (user, Some(Locale::Ko)));
    assert_eq!(world.store.token_user(&[8; 32]).await.unwrap(), None);
}
