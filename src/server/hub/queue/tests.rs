use super::*;
use crate::protocol::ServerFrame;
use crate::server::channel_layer::Growth;
use crate::server::encode::{LogName, tests::read};
use crate::server::hub::news::News;
use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

const ROOM: RoomId = RoomId(1);

/// A socket that takes so many bytes and keeps them.
#[derive(Default)]
struct Peer {
    space: Mutex<usize>,
    got: Mutex<Vec<u8>>,
    writes: Mutex<usize>,
}

impl Wire for Peer {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut space = self.space.lock().unwrap();
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(*space).collect();
        if bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        *space -= bytes.len();
        *self.writes.lock().unwrap() += 1;
        self.got.lock().unwrap().extend(&bytes);
        Ok(bytes.len())
    }
}

impl Peer {
    fn with(space: usize) -> Arc<Peer> {
        Arc::new(Peer { space: Mutex::new(space), ..Peer::default() })
    }

    fn takes(&self, more: usize) {
        *self.space.lock().unwrap() += more;
    }

    fn writes(&self) -> usize {
        *self.writes.lock().unwrap()
    }

    /// Every seq that arrived, in order.
    fn seqs(&self) -> Vec<u64> {
        let frames = read(&self.got.lock().unwrap()).into_iter();
        let lists = frames.map(|frame| match frame {
            ServerFrame::Events { list, .. } => list,
            other => panic!("{other:?}"),
        });
        lists.flatten().map(|event| event.seq.0).collect()
    }
}

fn slug() -> Slug {
    Slug::parse("general").unwrap()
}

/// A queue that follows the room from the start, with a socket that takes everything.
fn following(bytes: usize) -> (Queue, Arc<Peer>) {
    let (queue, peer) = (Queue::new(QueueLimits { bytes, frames: 10 }), Peer::with(usize::MAX / 2));
    queue.open(peer.clone(), []);
    queue.follow(ROOM, slug(), Seq(0));
    (queue, peer)
}

fn growth(first: u64, last: u64) -> Growth {
    let events = (first..=last).map(|seq| Bytes::from(format!(r#"{{"seq":{seq},"at":1,"kind":"later"}}"#)));
    let log = LogName { slug: slug(), epoch: "e".into() };
    Growth { room: ROOM, log, first: Seq(first), events: events.collect(), changes: Vec::new() }
}

fn offer(queue: &Queue, first: u64, last: u64) -> Offered {
    queue.offer(ROOM, &mut Joined::new(&News::of(&growth(first, last))))
}

fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn flush(queue: &Queue) -> Flushed {
    queue.flush(queue.mark())
}

fn got(peer: &Peer) -> String {
    String::from_utf8(peer.got.lock().unwrap().clone()).unwrap()
}

#[test]
fn the_next_event_is_written_at_once_and_a_seen_one_ignored() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(0));
    assert_eq!(offer(&queue, 1, 2), Offered::Pushed(2));
    assert_eq!(offer(&queue, 2, 2), Offered::Nothing);
    assert_eq!(offer(&queue, 3, 3), Offered::Pushed(1));
    assert_eq!(peer.seqs(), [1, 2, 3]);
    assert_eq!(queue.take().behind, None);
}

#[test]
fn what_is_fleeting_is_left_out_before_the_join_is_answered_and_when_half_is_full() {
    let (queue, peer) = following(100);
    let typing = || frame("typing");
    queue.offer_fleeting(ROOM, &typing());
    queue.offer_fleeting(RoomId(2), &typing());
    queue.release(ROOM, Seq(0));
    queue.offer_fleeting(ROOM, &typing());
    assert_eq!(got(&peer), "typing");
    *peer.space.lock().unwrap() = 0;
    for _ in 0..20 {
        queue.offer_fleeting(ROOM, &typing());
    }
    assert_eq!(queue.waiting().0, 30, "five frames are half of ten");
    queue.push(frame("an answer has its place"));
    queue.close(CloseCode::Unauthenticated);
    peer.takes(usize::MAX / 2);
    assert_eq!(flush(&queue), Flushed::Done);
    queue.offer_fleeting(ROOM, &typing());
    assert!(got(&peer).ends_with("place"));
}

#[test]
fn it_is_told_once_in_a_while_that_somebody_is_typing() {
    let (queue, _) = following(100);
    assert!(!queue.may_type(ROOM, Duration::ZERO), "the join is not answered");
    queue.release(ROOM, Seq(0));
    assert!(queue.may_type(ROOM, Duration::from_secs(60)));
    assert!(!queue.may_type(ROOM, Duration::from_secs(60)));
    assert!(queue.may_type(ROOM, Duration::ZERO));
    assert!(!queue.may_type(RoomId(2), Duration::ZERO));
}

#[test]
fn only_what_a_connection_lacks_is_sent_and_in_one_write() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(0));
    assert_eq!(offer(&queue, 1, 3), Offered::Pushed(3));
    assert_eq!(offer(&queue, 2, 7), Offered::Pushed(4));
    assert_eq!((peer.seqs(), peer.writes()), (vec![1, 2, 3, 4, 5, 6, 7], 2));
}

#[test]
fn what_the_socket_does_not_take_waits_and_keeps_its_order() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(0));
    *peer.space.lock().unwrap() = 30;
    assert_eq!(offer(&queue, 1, 1), Offered::Pushed(1));
    assert_eq!(offer(&queue, 2, 2), Offered::Pushed(1));
    assert_eq!(flush(&queue), Flushed::Blocked);
    for _ in 0..200 {
        peer.takes(7);
        flush(&queue);
    }
    assert_eq!((flush(&queue), peer.seqs()), (Flushed::Done, vec![1, 2]));
    assert_eq!(offer(&queue, 3, 3), Offered::Pushed(1));
    assert_eq!(peer.seqs(), [1, 2, 3]);
}

#[test]
fn answers_wait_for_the_task_and_leave_together() {
    let (queue, peer) = following(1_000);
    for _ in 0..100 {
        queue.push(frame("ack "));
    }
    assert_eq!(peer.writes(), 0);
    assert_eq!((flush(&queue), got(&peer), peer.writes()), (Flushed::Done, "ack ".repeat(100), 2));
}

#[test]
fn what_comes_after_the_mark_is_not_waited_for() {
    let (queue, peer) = following(1_000);
    *peer.space.lock().unwrap() = 0;
    queue.push(frame("one "));
    let mark = queue.mark();
    queue.push(frame("two "));
    assert_eq!(queue.flush(mark), Flushed::Blocked);
    peer.takes(5);
    assert_eq!((queue.flush(mark), got(&peer)), (Flushed::Done, "one t".into()));
    assert_eq!(flush(&queue), Flushed::Blocked);
}

#[test]
fn the_greeting_comes_first() {
    let (queue, peer) = (Queue::new(QueueLimits { bytes: 1_000, frames: 10 }), Peer::with(1_000));
    assert!(queue.offer_notice(frame("notice")));
    queue.open(peer.clone(), [frame("hello "), frame("and ")]);
    assert_eq!((flush(&queue), got(&peer)), (Flushed::Done, "hello and notice".into()));
}

#[test]
fn nothing_follows_a_close() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(1));
    let behind = queue.take().behind.unwrap();
    queue.end(frame("close"));
    assert_eq!(offer(&queue, 2, 2), Offered::Nothing);
    queue.tell(frame("revoked"));
    queue.rooms_changed(frame("rooms_changed"));
    queue.end(frame("close again"));
    assert!(!queue.offer_notice(frame("read")));
    assert!(!queue.advance(&behind, &[], Seq(1)));
    assert_eq!((flush(&queue), got(&peer)), (Flushed::Done, "close".into()));
}

#[test]
fn one_whose_end_is_due_gets_no_more_events() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(0));
    queue.close(CloseCode::Unauthenticated);
    assert_eq!((offer(&queue, 1, 1), peer.writes()), (Offered::Nothing, 0));
}

#[test]
fn news_that_are_larger_than_the_queue_reach_one_for_whom_nothing_waits() {
    let (queue, peer) = following(10);
    queue.release(ROOM, Seq(0));
    assert_eq!(offer(&queue, 1, 3), Offered::Pushed(3));
    assert_eq!(peer.seqs(), [1, 2, 3]);
}

#[test]
fn a_broken_socket_is_noticed_by_the_next_flush() {
    struct Broken;
    impl Wire for Broken {
        fn try_write(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }
    let (queue, _) = following(1_000);
    queue.open(Arc::new(Broken), []);
    queue.release(ROOM, Seq(0));
    offer(&queue, 1, 1);
    assert_eq!(flush(&queue), Flushed::Gone);
}

#[test]
fn a_notice_is_taken_while_there_is_space_for_more_than_it() {
    let peer = Peer::with(usize::MAX);
    let queue = Queue::new(QueueLimits { bytes: 1_000, frames: 4 });
    queue.open(peer.clone(), []);
    assert!(queue.offer_notice(frame("one ")));
    assert!(queue.offer_notice(frame("two ")));
    assert!(!queue.offer_notice(frame("three ")));
    flush(&queue);
    assert_eq!(got(&peer), "one two ");
    assert!(!queue.offer_notice(Bytes::from(vec![b' '; 501])));
}

#[test]
fn nothing_is_delivered_before_the_join_is_answered() {
    let (queue, peer) = following(1_000);
    assert_eq!(offer(&queue, 1, 1), Offered::Nothing);
    assert_eq!((peer.writes(), queue.take().behind), (0, None));
    queue.release(ROOM, Seq(0));
    assert_eq!(queue.take().behind.map(|behind| (behind.at, behind.head)), Some((Seq(0), Seq(1))));
}

#[test]
fn a_jump_falls_behind_and_live_delivery_resumes_after_catching_up() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(0));
    assert_eq!(offer(&queue, 2, 2), Offered::FellBehind);
    assert_eq!(offer(&queue, 3, 3), Offered::Nothing);
    let behind = queue.take().behind.unwrap();
    assert_eq!((behind.at, behind.head), (Seq(0), Seq(3)));
    let read = News::of(&growth(1, 3));
    assert!(queue.advance(&behind, Joined::new(&read).after(Seq(0)).unwrap(), Seq(3)));
    flush(&queue);
    assert_eq!(offer(&queue, 4, 4), Offered::Pushed(1));
    assert_eq!(peer.seqs(), [1, 2, 3, 4]);
}

#[test]
fn a_full_queue_falls_behind_instead_of_growing() {
    let (queue, peer) = following(200);
    queue.release(ROOM, Seq(0));
    *peer.space.lock().unwrap() = 0;
    assert_eq!(offer(&queue, 1, 1), Offered::Pushed(1));
    assert_eq!(offer(&queue, 2, 2), Offered::Pushed(1));
    assert_eq!(offer(&queue, 3, 3), Offered::FellBehind);
    let behind = queue.take().behind.unwrap();
    assert_eq!(behind.at, Seq(2), "the log is read from where the queue ends");
}

#[test]
fn a_head_that_the_log_does_not_have_is_given_up_with_one_gap() {
    let (queue, peer) = following(1_000);
    queue.release(ROOM, Seq(90));
    queue.observe_head(ROOM, Seq(101));
    let behind = queue.take().behind.unwrap();
    assert!(queue.jump(&behind, frame("gap "), Seq(90)));
    assert_eq!(queue.take().behind, None);
    queue.observe_head(ROOM, Seq(95));
    let behind = queue.take().behind.unwrap();
    queue.observe_head(ROOM, Seq(96));
    assert!(queue.jump(&behind, frame("gap "), Seq(90)), "what was offered during the read counts");
    assert_eq!(queue.take().behind.map(|behind| behind.head), Some(Seq(96)));
    flush(&queue);
    assert_eq!(got(&peer), "gap gap ");
}

#[test]
fn a_room_that_cannot_be_read_does_not_hold_up_the_others() {
    let (queue, _) = following(1_000);
    let other = RoomId(2);
    queue.follow(other, Slug::parse("other").unwrap(), Seq(0));
    queue.release(ROOM, Seq(1));
    queue.release(other, Seq(1));
    let until = Instant::now() + Duration::from_secs(3_600);
    for (broken, readable) in [(ROOM, other), (other, ROOM)] {
        queue.pause(broken, until);
        queue.pause(readable, Instant::now());
        let work = queue.take();
        assert_eq!((work.behind.map(|behind| behind.room), work.resume), (Some(readable), Some(until)));
    }
}

#[test]
fn rooms_changed_waits_once_however_often_it_comes() {
    let (queue, peer) = following(1_000);
    for _ in 0..1_000 {
        queue.rooms_changed(frame("rooms_changed"));
    }
    flush(&queue);
    flush(&queue);
    assert_eq!(got(&peer), "rooms_changed");
}

#[test]
fn what_was_read_for_an_earlier_join_does_not_move_the_new_cursor() {
    let (queue, _) = following(1_000);
    queue.release(ROOM, Seq(5));
    let behind = queue.take().behind.unwrap();
    queue.follow(ROOM, slug(), Seq(3));
    assert!(!queue.advance(&behind, &[], Seq(5)));
}
