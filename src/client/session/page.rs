//! The page around the session: its clock, its zone, whether it is seen, whether there is a network.

use super::super::browser;
use super::super::connection::Connection;
use super::super::keeping::Keeping;
use super::super::zone::Zone;
use super::{Link, Session, sending};
use crate::domain::ms_to_midnight;
use futures_util::future::{AbortHandle, Abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The clock, and what tabs have left behind, is looked at so often, in milliseconds: timers stand
/// still while a device sleeps.
const LOOK_MS: i64 = 60 * 1_000;

pub(super) fn start(session: Session) {
    if session.update(|core| core.connection.is_some()) != Some(false) {
        return;
    }
    let (connection, task) = Connection::new(move |update| session.on_update(update));
    session.update(|core| core.connection = Some(connection));
    spawn_until_cleanup(task);
    spawn_until_cleanup(sending::keep(session));
    spawn_until_cleanup(session.keep_time());
    listen(session);
}

fn listen(session: Session) {
    let on = |name: &str, handler: fn(Session)| {
        let listener = window_event_listener_untyped(name, move |_| handler(session));
        on_cleanup(move || listener.remove());
    };
    on("online", Session::on_online);
    on("offline", Session::on_offline);
    on("visibilitychange", Session::on_visibility);
    on("pageshow", Session::on_visibility);
    on("pagehide", Session::on_hide);
}

fn spawn_until_cleanup(task: impl Future<Output = ()> + 'static) {
    let (handle, registration) = AbortHandle::new_pair();
    on_cleanup(move || handle.abort());
    let task = Abortable::new(task, registration);
    spawn_local(async move {
        // Aborted or not, there is nothing left to do.
        let _ = task.await;
    });
}

impl Session {
    /// Times are worded as the server did until hydration is over, then in the browser's own zone.
    async fn keep_time(self) {
        let now = browser::now_ms();
        browser::remember_utc_offset(browser::utc_offset_min_at(now));
        self.now.set(now);
        self.zone.set(Zone::Browser);
        loop {
            let now = browser::now_ms();
            self.move_now(now);
            let to_midnight = ms_to_midnight(now, browser::utc_offset_min_at(now));
            browser::sleep_ms(to_midnight.min(LOOK_MS) as u32).await;
            self.look_for_left_behind();
        }
    }

    fn move_now(self, now: i64) {
        let zone = self.zone.get_untracked();
        if zone.day_number(now) != zone.day_number(self.now.get_untracked()) {
            self.now.set(now);
        }
    }

    fn wake(self) {
        self.update(|core| core.connection.as_ref().map(Connection::wake));
    }

    pub(super) fn sleep(self) {
        self.update(|core| core.connection.as_ref().map(Connection::sleep));
    }

    fn on_online(self) {
        if self.link.get_untracked() == Link::Offline {
            self.link.set(Link::Reconnecting);
        }
        self.wake();
    }

    fn on_offline(self) {
        if self.link.get_untracked() != Link::SignedOut {
            self.link.set(Link::Offline);
        }
        self.sleep();
    }

    /// Also when the page comes out of the back/forward cache, where its socket was closed.
    fn on_visibility(self) {
        if !browser::is_visible() {
            return;
        }
        self.wake();
        self.look_for_left_behind();
        self.move_now(browser::now_ms());
        for room in self.update(|core| core.open.clone()).unwrap_or_default() {
            room.seen_if_it_waited();
        }
    }

    /// An open socket would keep the page out of the back/forward cache, and so would a lock.
    fn on_hide(self) {
        self.update(|core| {
            core.tell_read_positions();
            core.keeping.as_ref().map(Keeping::go);
        });
        self.sleep();
    }
}
