//! What the session does about each frame, in the order they come.

use super::super::browser;
use super::super::company::{Company, Presence};
use super::super::connection::Update;
use super::super::subscriptions::Subscriptions;
use super::{Link, Session};
use crate::domain::Seq;
use crate::protocol::{ErrorCode, Event, Limits, Refused, ServerFrame, TaskProgress};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Milliseconds that a loss goes unmentioned: most are over by then.
const QUIET_MS: u32 = 800;
/// After a (re)connect the list is fetched within so many milliseconds: not by everyone at once.
const SPREAD_MS: u32 = 2_000;

impl Session {
    pub(super) fn on_update(self, update: Update) {
        match update {
            Update::Frame(frame) => self.on_frame(frame),
            Update::Lost { crowded_ms } => {
                self.on_lost();
                match crowded_ms {
                    Some(wait_ms) => self.link.set(Link::Crowded { seconds: wait_ms.div_ceil(1_000) }),
                    None if matches!(self.link.get_untracked(), Link::Crowded { .. }) => {
                        self.link.set(Link::Reconnecting);
                    }
                    None => {}
                }
            }
            Update::Refused { signed_out: false } => {
                self.on_lost();
                self.link.set(Link::Stopped);
            }
            Update::Refused { signed_out: true } => self.sign_out(),
        }
    }

    fn on_frame(self, frame: ServerFrame) {
        match frame {
            // Another tab has signed in as somebody else: nothing written here is theirs to send.
            ServerFrame::Hello { user, .. } if user.id != self.reader().id => self.sign_out(),
            ServerFrame::Hello { epoch, limits, server_time, typing_every_ms, typing_shown_ms, .. } => {
                self.update(|core| {
                    core.ahead_ms = browser::now_ms() - server_time;
                    (core.typing_every_ms, core.typing_shown_ms) = (typing_every_ms, typing_shown_ms);
                    core.company = Company::default();
                });
                self.on_hello(epoch, &limits);
            }
            ServerFrame::Joined { room, epoch, .. } => self.on_joined(&room, &epoch),
            ServerFrame::Events { room, epoch, list } => self.on_events(&room, &epoch, &list),
            ServerFrame::Ack { key, seq } => self.on_ack(&key, seq),
            ServerFrame::Refused(refused) => self.on_refused(refused),
            ServerFrame::Gap { room, head } => self.on_gap(&room, head),
            ServerFrame::Revoked { room } => self.end_room(&room),
            ServerFrame::Read { room, seq } => self.on_read(&room, seq),
            ServerFrame::RoomsChanged => self.refresh_rooms(),
            ServerFrame::Presence { room, present, came, left, count } => {
                self.on_presence(&room, Presence { present, came, left, count });
            }
            ServerFrame::Typing { room, user } => self.on_typing(&room, user),
            ServerFrame::Progress { room, task, progress } => {
                for open in self.update(|core| core.open_rooms(&room)).unwrap_or_default() {
                    open.note_progress(vec![TaskProgress { task: task.clone(), progress: progress.clone() }]);
                }
            }
            ServerFrame::Draining { .. } | ServerFrame::Pong | ServerFrame::Unknown => {}
        }
    }

    fn on_hello(self, epoch: String, limits: &Limits) {
        self.compare_epoch(&epoch);
        self.update(|core| {
            core.body_bytes = limits.body_bytes as usize;
            core.subscriptions = Some(Subscriptions::new(limits.rooms_per_connection as usize));
            core.lost_at = None;
        });
        self.link.set(Link::Live);
        self.follow();
        self.send_waiting();
        self.look_for_left_behind();
        self.update(|core| core.tell_read_positions());
        self.refresh_rooms_soon();
    }

    /// With another epoch nothing that was counted or read so far means anything. Whether it is the
    /// same.
    fn compare_epoch(self, epoch: &str) -> bool {
        let same = self.update(|core| {
            let same = epoch == core.epoch;
            if !same {
                core.epoch = epoch.to_owned();
                core.list_is_current = false;
                core.read.forget();
            }
            same
        });
        same != Some(false)
    }

    /// Changes of the list that were told while there was no connection have been missed, those
    /// after the page was made among them.
    fn refresh_rooms_soon(self) {
        spawn_local(async move {
            browser::sleep_ms(browser::jitter().of(SPREAD_MS)).await;
            self.refresh_rooms();
        });
    }

    /// Perhaps in another tab or on another device.
    fn on_read(self, slug: &str, seq: Seq) {
        if self.update(|core| core.list.read_to(slug, seq)) == Some(true) {
            self.publish_rooms();
        }
    }

    fn on_lost(self) {
        let now = browser::now_ms();
        let newly_lost = self.update(|core| {
            core.subscriptions = None;
            core.read.connection_lost();
            core.outbox.connection_lost();
            let newly_lost = core.lost_at.is_none();
            core.lost_at.get_or_insert(now);
            newly_lost
        });
        if newly_lost != Some(true) {
            return;
        }
        spawn_local(async move {
            browser::sleep_ms(QUIET_MS).await;
            let still_lost = self.update(|core| core.lost_at == Some(now)) == Some(true);
            if still_lost && matches!(self.link.get_untracked(), Link::Connecting | Link::Live) {
                self.link.set(Link::Reconnecting);
            }
        });
    }

    fn on_joined(self, slug: &str, epoch: &str) {
        if !self.compare_epoch(epoch) {
            self.refresh_rooms();
        }
        let open = self.update(|core| {
            if let Some(subscriptions) = &mut core.subscriptions {
                subscriptions.joined(slug);
            }
            core.open_rooms(slug)
        });
        for room in open.unwrap_or_default() {
            if room.place().is_some_and(|place| place.epoch != epoch) {
                room.reload(Seq::ZERO);
            } else {
                // Opened while the list's own `join` was under way, from further on.
                self.catch_up(room);
            }
        }
    }

    fn on_events(self, slug: &str, epoch: &str, events: &[Event]) {
        let Some(last) = events.last() else { return };
        self.let_typing_go(i64::MIN, slug, events);
        if !self.compare_epoch(epoch) {
            self.refresh_rooms();
        }
        let open = self.update(|core| {
            if let Some(subscriptions) = &mut core.subscriptions {
                subscriptions.delivered(slug, last.seq);
            }
            core.open_rooms(slug)
        });
        let open = open.unwrap_or_default();
        for room in &open {
            room.apply(epoch, events);
        }
        // For an open room, what its timeline shows.
        let shown = open.iter().filter_map(|room| room.place()).map(|place| place.head).min().unwrap_or(last.seq);
        self.settle(slug, &events[..events.partition_point(|event| event.seq <= shown)], shown);
        let member = |core: &mut super::Core| core.list.room(slug).is_some_and(|room| room.member);
        let was_member = self.update(member);
        if self.update(|core| core.list_is_current && core.list.apply(slug, events)) == Some(true) {
            self.publish_rooms();
        }
        if self.update(member) != was_member {
            self.follow();
        }
    }

    fn on_refused(self, refused: Refused) {
        if refused.key.is_some() {
            return self.on_command_refused(&refused);
        }
        let Some(room) = refused.room else { return };
        match refused.code {
            ErrorCode::NotFound | ErrorCode::Forbidden => self.end_room(&room),
            code if code.retryable() => self.join_again(room, refused.retry_after_ms),
            _ => {}
        }
    }

    fn join_again(self, slug: String, retry_after_ms: Option<u32>) {
        let delay_ms = super::super::backoff::after_asked_ms(retry_after_ms.unwrap_or(1_000), browser::jitter());
        spawn_local(async move {
            browser::sleep_ms(delay_ms).await;
            self.update(|core| core.subscriptions.as_mut().map(|subscriptions| subscriptions.ended(&slug)));
            self.follow();
        });
    }

    fn on_gap(self, slug: &str, head: Seq) {
        let open = self.update(|core| {
            if let Some(subscriptions) = &mut core.subscriptions {
                subscriptions.delivered(slug, head);
            }
            core.open_rooms(slug)
        });
        for room in open.unwrap_or_default() {
            room.reload(head);
        }
        self.refresh_rooms();
    }
}
