use super::world::*;
use pickmate::domain::{Access, RoomId, Seq};
use pickmate::protocol::{Event, EventKind};
use pickmate::server::store::Budget;

/// All rows of a room, from pages of `limit`.
pub async fn rows_by_pages<E: Engine>(world: &World<E>, room: RoomId, limit: u32) -> Vec<Event> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        let page = world.store.page(room, before, limit).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        before = page.rows.first().map(|row| row.seq);
        rows.splice(0..0, page.rows);
        if !page.older {
            return rows;
        }
    }
}

pub async fn pages_neither_lose_nor_repeat_rows<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, a).await;
    world.posts("general", a, "k", 7).await;
    world.posts("general", b, "l", 8).await;
    let log = world.log(room).await;
    assert_eq!(log.len(), 17);
    for limit in 1..=18 {
        assert_eq!(rows_by_pages(&world, room, limit).await, log, "limit {limit}");
    }
}

pub async fn a_page_has_rows_only_and_tells_of_older_ones<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let room = world.room("general", Access::Open, a).await;
    world.posts("general", a, "k", 4).await;
    let page = world.store.page(room, None, 5).await.unwrap();
    assert_eq!((seqs(&page.rows), page.older, page.head), (vec![1, 2, 3, 4, 5], false, Seq(5)));
    assert_eq!(page.epoch, &*world.store.epoch());
    let page = world.store.page(room, None, 4).await.unwrap();
    assert_eq!((seqs(&page.rows), page.older), (vec![2, 3, 4, 5], true));
    let page = world.store.page(room, Some(Seq(2)), 4).await.unwrap();
    assert_eq!((seqs(&page.rows), page.older, page.head), (vec![1], false, Seq(5)));
    let page = world.store.page(room, Some(Seq(1)), 4).await.unwrap();
    assert_eq!((page.rows, page.older), (vec![], false));
    let page = world.store.page(room, None, 0).await.unwrap();
    assert_eq!((page.rows, page.older), (vec![], true));
}

pub async fn messages_are_pages_of_posts<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, a).await;
    for n in 0..3 {
        world.post("general", a, &format!("k{n}"), "hello").await.unwrap();
        world.rename("general", a, &format!("name {n}")).await.unwrap();
    }
    world.join("general", b).await.unwrap();
    let page = world.store.messages(room, None, 2).await.unwrap();
    assert_eq!((seqs(&page.rows), page.older, page.head), (vec![4, 6], true, Seq(8)));
    let page = world.store.messages(room, Some(Seq(4)), 2).await.unwrap();
    assert_eq!((seqs(&page.rows), page.older), (vec![2], false));
    assert!(page.rows.iter().all(|row| matches!(row.kind, EventKind::Posted { .. })));
}

pub async fn events_after_keeps_to_its_limit<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let room = world.room("general", Access::Open, a).await;
    world.posts("general", a, "k", 9).await;
    for (after, limit, expected) in
        [(0, 3, vec![1, 2, 3]), (3, 100, (4..=10).collect()), (10, 5, vec![]), (4, 0, vec![])]
    {
        let page = world.store.events_after(room, Seq(after), limit).await.unwrap();
        assert_eq!((seqs(&page.events), page.head, page.first), (expected, Seq(10), Seq(1)), "after {after}");
    }
}

pub async fn events_within_stop_where_their_bytes_are_spent<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let room = world.room("general", Access::Open, a).await;
    for number in 0..9 {
        world.post("general", a, &format!("k{number}"), &"가".repeat(100)).await.unwrap();
    }
    for (after, bytes, expected) in
        [(1, 1, vec![2]), (1, 300, vec![2]), (1, 301, vec![2, 3]), (0, 900, vec![1, 2, 3, 4]), (8, 9_000, vec![9, 10])]
    {
        let page = world.store.events_within(room, Seq(after), Budget { events: 200, bytes }).await.unwrap();
        assert_eq!((seqs(&page.events), page.head), (expected, Seq(10)), "{bytes} after {after}");
    }
}

pub async fn a_tail_ends_at_the_head_and_begins_where_its_budget_is_spent<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let room = world.room("general", Access::Open, a).await;
    for number in 0..9 {
        world.post("general", a, &format!("k{number}"), &"가".repeat(100)).await.unwrap();
    }
    for (events, bytes, expected) in
        [(200, 1, vec![10]), (200, 301, vec![9, 10]), (3, 9_000, vec![8, 9, 10]), (200, 9_000, (1..=10).collect())]
    {
        let page = world.store.tail(room, Budget { events, bytes }).await.unwrap();
        assert_eq!((seqs(&page.events), page.head, page.first), (expected, Seq(10), Seq(1)), "{events} of {bytes}");
    }
    let page = world.store.tail(RoomId(999), Budget { events: 10, bytes: 10 }).await.unwrap();
    assert_eq!((page.head, page.first, page.events), (Seq(0), Seq(1), vec![]));
}

pub async fn an_unknown_room_reads_as_an_empty_log<E: Engine>(world: World<E>) {
    let page = world.store.events_after(RoomId(999), Seq(0), 10).await.unwrap();
    assert_eq!((page.head, page.first, page.events), (Seq(0), Seq(1), vec![]));
    let page = world.store.page(RoomId(999), None, 10).await.unwrap();
    assert_eq!((page.head, page.rows, page.older), (Seq(0), vec![], false));
}

pub async fn positions_beyond_everything_are_harmless<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let room = world.room("general", Access::Open, a).await;
    for seq in [Seq(2), Seq(i64::MAX as u64), Seq(u64::MAX)] {
        let page = world.store.events_after(room, seq, u32::MAX).await.unwrap();
        assert_eq!((page.head, page.events), (Seq(1), vec![]));
        assert_eq!(seqs(&world.store.page(room, Some(seq), u32::MAX).await.unwrap().rows), [1]);
    }
}

pub async fn heads_leave_unknown_rooms_out<E: Engine>(world: World<E>) {
    let a = world.user("a").await;
    let one = world.room("one", Access::Open, a).await;
    let two = world.room("two", Access::Closed, a).await;
    world.posts("two", a, "k", 3).await;
    let mut heads = world.store.heads(&[one, two, RoomId(999)]).await.unwrap();
    heads.sort();
    assert_eq!(heads, [(one, Seq(1)), (two, Seq(4))]);
    assert!(world.store.heads(&[]).await.unwrap().is_empty());
}
