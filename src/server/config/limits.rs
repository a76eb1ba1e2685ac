//! Every limit, once: its name, default, sane range and meaning. Reading settings, their
//! documentation and the struct itself are made from this list.

use crate::domain::MessageBody;
use std::ops::RangeInclusive;
use std::time::Duration;

/// One limit of the list, to be read and described by its name.
#[derive(Debug)]
pub struct Limit {
    pub name: &'static str,
    pub range: RangeInclusive<u64>,
    pub doc: &'static str,
    read: fn(&Limits) -> u64,
    write: fn(&mut Limits, u64),
}

impl Limit {
    pub fn of(&self, limits: &Limits) -> u64 {
        (self.read)(limits)
    }
}

impl Limits {
    /// When a session that is used at `now` ends, both in Unix milliseconds.
    pub fn session_end(&self, now: i64) -> i64 {
        now + i64::from(self.session_days) * 24 * 60 * 60 * 1_000
    }

    /// How long a peer may take nothing.
    pub fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }

    /// How long both sides of a socket have to say goodbye.
    pub fn close_timeout(&self) -> Duration {
        Duration::from_millis(self.close_timeout_ms)
    }

    /// How long the people of a silent node are still taken to be there.
    pub fn presence_expiry(&self) -> Duration {
        Duration::from_millis(self.presence_expiry_ms)
    }

    /// How long the keys of commands other than posts are known.
    pub fn key_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.key_days) * 24 * 60 * 60)
    }

    /// How long it is known what was sent to webhooks.
    pub fn delivery_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.delivery_days) * 24 * 60 * 60)
    }

    /// Sets the limit of this name. An error changes nothing.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
        let limit = LIMITS.iter().find(|limit| limit.name == name).ok_or(LimitError::Unknown)?;
        let number = value.parse().ok().filter(|number| limit.range.contains(number));
        let number = number.ok_or(LimitError::OutOfRange { min: *limit.range.start(), max: *limit.range.end() })?;
        (limit.write)(self, number);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    #[error("a limit is written NAME=NUMBER")]
    NotAPair,
    #[error("there is no such limit")]
    Unknown,
    #[error("it is a whole number from {min} to {max}")]
    OutOfRange { min: u64, max: u64 },
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $range:expr;)+) => {
        /// Every limit, by name: whole numbers. Times in the unit that the name ends with.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default,)+ }
            }
        }

        pub const LIMITS: &[Limit] = &[$(Limit {
            name: stringify!($name),
            range: $range,
            doc: concat!($($doc),+).trim_ascii(),
            read: |limits| limits.$name as u64,
            // The range fits the type: `every_range_fits_its_type`.
            write: |limits, value| limits.$name = value as $type,
        },)+];
    };
}

limits! {
    /// Bytes of UTF-8 in a message.
    body_bytes: usize = MessageBody::MAX_BYTES, 1..=1_048_576;
    /// Bytes of one client frame on the live socket.
    frame_bytes: usize = 64 * 1024, 1_024..=16_777_216;
    /// Bytes of one frame of the echo at `/ws/chat/`.
    echo_frame_bytes: usize = 2 * 1024 * 1024, 1_024..=67_108_864;
    /// Bytes of an HTTP request body.
    request_bytes: usize = 256 * 1024, 1_024..=16_777_216;
    /// A request body that has not arrived after this long is given up.
    request_timeout_ms: u64 = 30_000, 100..=600_000;
    /// Connections of all kinds that may be open; others wait until one ends.
    open_connections: usize = 20_000, 1..=1_000_000;
    /// A connection whose first request has not arrived, headers and all, after this long is closed.
    first_request_ms: u64 = 5_000, 100..=60_000;
    /// A connection that has asked before is closed when the headers of its next request have not arrived so long after their first byte.
    header_timeout_ms: u64 = 5_000, 100..=600_000;
    /// A connection that has asked before and is silent for so long between two requests is closed.
    idle_timeout_ms: u64 = 75_000, 100..=600_000;
    /// A connection that is silent for so long is probed by the system and ends when nothing answers.
    keepalive_ms: u64 = 60_000, 1_000..=3_600_000;
    /// Rooms that one connection may be joined to.
    rooms_per_connection: usize = 200, 1..=10_000;
    /// Live sockets of one account.
    connections_per_user: usize = 50, 1..=1_000_000;
    /// Live sockets of one IPv4 address or IPv6 /64; the echo may have as many again.
    connections_per_address: usize = 200, 1..=1_000_000;
    /// Live sockets that one IPv4 address or IPv6 /64 may open at once; on each node.
    openings_burst: u32 = 400, 1..=1_000_000;
    /// Live sockets that one IPv4 address or IPv6 /64 may open a minute after the first ones; on each node.
    openings_per_minute: u32 = 600, 1..=1_000_000;
    /// Events that a `join` may be behind before it is answered with `gap`.
    catch_up_events: u64 = 1_000, 1..=1_000_000;
    /// Commands of one connection that may be under way; beyond that it is not read from.
    commands_under_way: usize = 64, 1..=10_000;
    /// Events that are read at once for a connection that catches up; their bytes are bounded by `queue_bytes`.
    catch_up_step_events: u32 = 200, 1..=10_000;
    /// Bytes that may wait for one slow connection before its rooms fall behind.
    queue_bytes: usize = 256 * 1024, 1_024..=268_435_456;
    /// Frames that may wait for one slow connection before its rooms fall behind.
    queue_frames: usize = 256, 1..=100_000;
    /// Bytes of recent events that are kept for a room that is followed.
    ring_room_bytes: usize = 256 * 1024, 4_096..=268_435_456;
    /// Bytes of recent events that are kept for all rooms together; the room that was asked for longest ago goes first.
    ring_bytes: usize = 64 * 1024 * 1024, 4_096..=1_099_511_627_776;
    /// Members of closed rooms that are remembered, a room counting as one more; the room that was asked for longest ago goes first.
    members_cached: usize = 1_000_000, 1..=1_000_000_000;
    /// Sessions and tokens that are remembered with their accounts.
    sessions_cached: usize = 20_000, 1..=100_000_000;
    /// A peer that takes nothing for so long is given up.
    write_timeout_ms: u64 = 30_000, 100..=600_000;
    /// Time that a peer has to answer when a socket is closed.
    close_timeout_ms: u64 = 1_000, 10..=60_000;
    /// How often a client of the live socket should ping.
    ping_every_ms: u32 = 8_000, 100..=600_000;
    /// A client of the live socket that was silent for so long is given up.
    silence_ms: u64 = 60_000, 100..=3_600_000;
    /// How often a client may say that somebody is typing in a room; what it says in between is not passed on.
    typing_every_ms: u32 = 3_000, 100..=60_000;
    /// How long it is shown that somebody is typing, after it was last said.
    typing_shown_ms: u32 = 6_000, 200..=120_000;
    /// How often it is stored how far somebody has read a room, at most, and told to that account's other connections.
    read_mark_every_ms: u64 = 2_000, 10..=600_000;
    /// People of a room who are told one by one that somebody is there or typing; with more nobody is.
    people_named: usize = 100, 1..=10_000;
    /// Who came to a room and left it within so long is told together.
    presence_gather_ms: u64 = 500, 10..=60_000;
    /// The same for rooms with more people than are named: how often their number is told, at most.
    presence_count_ms: u64 = 5_000, 100..=600_000;
    /// Whoever comes back within so long, after a reload or on another network, was not away.
    presence_grace_ms: u64 = 5_000, 10..=600_000;
    /// With Redis: the people of a node that has said nothing for so long are gone.
    presence_expiry_ms: u64 = 15_000, 300..=600_000;
    /// How often the sessions of open sockets are compared with the store.
    session_check_ms: u64 = 30_000, 100..=3_600_000;
    /// With Redis: how often the heads of followed rooms are compared with the store, whatever notices tell.
    compare_every_ms: u64 = 4_000, 100..=600_000;
    /// Heads that are compared so a second, at most; with more rooms each is compared less often.
    compared_heads_per_second: u32 = 5_000, 1..=1_000_000;
    /// Sessions and subscriptions that are compared with the store a second, at most, after rights may have ended unheard.
    compared_rights_per_second: u32 = 50_000, 1..=1_000_000;
    /// Rows of one page of history in the browser.
    page_rows: u32 = 50, 1..=300;
    /// Members that are listed beside a room; the others are counted.
    members_listed: u32 = 500, 1..=10_000;
    /// Messages of one page of the HTTP API, at most.
    api_page_rows: u32 = 200, 1..=1_000;
    /// Events of one page of the HTTP API, at most.
    api_page_events: u32 = 1_000, 1..=1_000;
    /// Connections that read the database.
    store_readers: u32 = 4, 1..=256;
    /// A write that waited so long for another program's lock, or a read for a connection, is refused with `unavailable`.
    busy_wait_ms: u64 = 5_000, 250..=60_000;
    /// Commands that may wait for the writer.
    writer_queue: usize = 1_024, 1..=1_000_000;
    /// Commands that one transaction takes, at most.
    writer_batch: usize = 256, 1..=10_000;
    /// Days for which the idempotency keys of commands other than posts are known; those of posts are as long as the message.
    key_days: u32 = 30, 1..=3_650;
    /// A message that was edited or deleted is wiped from the database's files so long after, once nobody reads an older state.
    erase_after_ms: u64 = 5_000, 10..=30_000;
    /// A command that found no place in the writer's queue for so long is refused with `unavailable`.
    writer_wait_ms: u64 = 2_000, 10..=60_000;
    /// Posts and edits that an account may make at once.
    posts_burst: u32 = 30, 1..=1_000_000;
    /// Posts and edits that an account may make a minute after the first ones.
    posts_per_minute: u32 = 120, 1..=1_000_000;
    /// Changes of rooms, their members and the own language, and deletions, that an account may make at once.
    commands_burst: u32 = 60, 1..=1_000_000;
    /// Changes of rooms, their members and the own language, and deletions, that an account may make a minute after the first ones.
    commands_per_minute: u32 = 60, 1..=1_000_000;
    /// Pages of logs and messages that an account may read over HTTP at once; on each node.
    reads_burst: u32 = 2_000, 1..=1_000_000;
    /// Pages of logs and messages that an account may read over HTTP a minute after the first ones; on each node.
    reads_per_minute: u32 = 6_000, 1..=1_000_000;
    /// Frames that an account may send at once on its live sockets; on each node.
    frames_burst: u32 = 1_000, 1..=1_000_000;
    /// Frames that are read a minute from the live sockets of an account after the first ones; on each node.
    frames_per_minute: u32 = 3_000, 1..=1_000_000;
    /// Sign-ins that may be tried at once, per address.
    sign_in_burst: u32 = 10, 1..=1_000_000;
    /// Sign-ins that may be tried a minute after the first ones, per address.
    sign_in_per_minute: u32 = 5, 1..=1_000_000;
    /// Sign-ins that may be tried at once with one name, from all addresses together.
    sign_in_name_burst: u32 = 100, 1..=1_000_000;
    /// Sign-ins that may be tried a minute after the first ones with one name, from all addresses together.
    sign_in_name_per_minute: u32 = 20, 1..=1_000_000;
    /// Look-ups of one-time links at once, per address.
    link_burst: u32 = 30, 1..=1_000_000;
    /// Look-ups of one-time links a minute after the first ones, per address.
    link_per_minute: u32 = 30, 1..=1_000_000;
    /// With Redis: what was taken from rate limits is gathered for so long before other nodes are told.
    spent_gather_ms: u64 = 100, 10..=60_000;
    /// A request to somebody else's server, for a link preview or a webhook, is given up after this long, redirects included.
    outgoing_timeout_ms: u64 = 5_000, 100..=60_000;
    /// Bytes that are read of a page for its preview, as they are sent and, where they are compressed, as they are unpacked.
    outgoing_body_bytes: usize = 1_048_576, 1_024..=16_777_216;
    /// Redirects that are followed for a preview.
    outgoing_redirects: u32 = 5, 1..=20;
    /// Links of a message that are asked what they lead to, the first ones; each is shown as a preview.
    preview_links: usize = 3, 1..=10;
    /// What a page said of itself is known for so many minutes, whoever posts its address.
    preview_minutes: u32 = 1_440, 1..=525_600;
    /// A page that could not be read is not asked again for so many minutes.
    preview_failure_minutes: u32 = 10, 1..=525_600;
    /// Webhooks of one room.
    webhooks_per_room: u32 = 10, 1..=1_000;
    /// Requests that are made for one event to one webhook, at most.
    webhook_attempts: u32 = 8, 1..=100;
    /// A webhook that failed for so many days without a success, in at least `webhook_failing_attempts`, gets no more events, until a test arrives.
    webhook_failing_days: u32 = 3, 1..=365;
    /// Requests to a webhook that have to fail without a success, for `webhook_failing_days`, before it gets no more events.
    webhook_failing_attempts: u32 = 20, 1..=100_000;
    /// Events that may wait for one webhook; with more, and no fewer after a run of sending, it gets none until a test
    /// arrives, and those that wait have failed.
    webhook_backlog: u32 = 10_000, 1..=10_000_000;
    /// What was sent to webhooks is listed for so many days.
    delivery_days: u32 = 7, 1..=365;
    /// A session that is not used ends after so many days.
    session_days: u32 = 60, 1..=3_650;
    /// A password reset link ends after so many hours.
    reset_hours: u32 = 24, 1..=720;
    /// Days that an invite may be good for.
    invite_max_days: u32 = 90, 1..=3_650;
    /// Accounts that one invite may make.
    invite_max_uses: u32 = 1_000, 1..=1_000_000;
    /// Bytes of an uploaded file.
    upload_bytes: u64 = 25 * 1024 * 1024, 1_024..=10_737_418_240;
    /// An upload that has not arrived after this long is given up.
    upload_timeout_ms: u64 = 600_000, 1_000..=86_400_000;
    /// How long the answer to an upload waits for an image to be made anew; then it tells that it is not ready yet.
    upload_answer_ms: u64 = 20_000, 100..=600_000;
    /// Files that an account may upload at once.
    uploads_burst: u32 = 40, 1..=1_000_000;
    /// Files that an account may upload a minute after the first ones.
    uploads_per_minute: u32 = 30, 1..=1_000_000;
    /// Files that a message may carry.
    message_files: usize = 10, 1..=100;
    /// Hours after which an uploaded file that no message carries is removed.
    loose_file_hours: u32 = 24, 1..=8_760;
    /// Bytes that uploads and exports leave free on the disk of the data directory.
    spare_bytes: u64 = 512 * 1024 * 1024, 1..=1_099_511_627_776;
    /// Bytes of an exported room.
    export_bytes: u64 = 2 * 1024 * 1024 * 1024, 1_024..=1_099_511_627_776;
    /// Exports that an account may have waiting or running, in all rooms together; a room has one at a time.
    exports_per_user: u32 = 2, 1..=100;
    /// Hours for which an exported room can be fetched.
    export_hours: u32 = 24, 1..=8_760;
    /// Pixels of an uploaded image, width times height.
    image_pixels: u64 = 64_000_000, 1..=1_000_000_000;
    /// The longest side of an image as it is kept, in pixels.
    image_side: u32 = 2_560, 64..=16_384;
    /// The longest side of an image's thumbnail, in pixels.
    thumbnail_side: u32 = 640, 16..=4_096;
    /// An image without loss that is larger is kept as JPEG.
    image_lossless_bytes: u64 = 8 * 1024 * 1024, 1_024..=1_073_741_824;
    /// An image for which a core computes longer, in whole seconds, is refused. By the clock it may take ten times as
    /// long, and is tried again then.
    image_ms: u64 = 120_000, 100..=3_600_000;
    /// Addresses that a child process may use for memory, the program itself among them.
    compute_memory_bytes: u64 = 1024 * 1024 * 1024, 268_435_456..=1_099_511_627_776;
    /// What `/readyz` tells of the store is asked again after this long.
    ready_ms: u64 = 1_000, 1..=60_000;
    /// What a stopping node tells its sockets to stay away for, at least.
    drain_retry_ms: u32 = 1_000, 1..=600_000;
    /// Live sockets that come back a second after a stop: as many as there are, so much longer some stay away.
    reconnects_per_second: u32 = 1_000, 1..=1_000_000;
    /// From the signal to the exit, at most.
    shutdown_ms: u64 = 10_000, 100..=600_000;
    /// Tasks of the lane `io` that a process runs at a time.
    task_io: u32 = 256, 1..=10_000;
    /// Tasks of the lane `blocking` that a process runs at a time, each on a thread.
    task_blocking: u32 = 4, 1..=500;
    /// Tasks of the lane `cpu` that a process runs at a time, each in a child process: as many as there are cores to spare.
    task_cpu: u32 = 2, 1..=1_000;
    /// A task whose worker was not heard of for so long is run again by another.
    task_lease_ms: u64 = 20_000, 1_000..=3_600_000;
    /// How often a worker says that its tasks still run; a fraction of `task_lease_ms`.
    task_heartbeat_ms: u64 = 5_000, 100..=600_000;
    /// How often a worker looks for tasks that other processes enqueued or cancelled, or whose time has come.
    task_poll_ms: u64 = 250, 10..=60_000;
    /// How often the progress of a task is told.
    task_progress_ms: u64 = 300, 50..=10_000;
    /// Time that running tasks have to end when their worker stops.
    task_grace_ms: u64 = 5_000, 1..=600_000;
    /// Days that tasks which ended are kept, with their results and errors.
    task_days: u32 = 30, 1..=36_500;
    /// Messages that an account may have scheduled, in all rooms together.
    scheduled_per_user: u32 = 100, 1..=10_000;
    /// Days ahead for which a message may be scheduled.
    schedule_days: u32 = 366, 1..=3_660;
    /// Bytes of the arguments of a task that is started by its name.
    task_args_bytes: usize = 16 * 1024, 64..=1_048_576;
    /// Tasks that the tasks page shows of a list.
    tasks_listed: u32 = 100, 1..=1_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_its_name() {
        let mut limits = Limits::default();
        limits.set("body_bytes", "1000").unwrap();
        assert_eq!(limits, Limits { body_bytes: 1_000, ..Limits::default() });
    }

    #[test]
    fn what_is_no_limit_is_refused_and_changes_nothing() {
        let mut limits = Limits::default();
        assert_eq!(limits.set("body", "1"), Err(LimitError::Unknown));
        for bad in ["0", "-1", "1.5", "", "301"] {
            assert_eq!(limits.set("page_rows", bad), Err(LimitError::OutOfRange { min: 1, max: 300 }), "{bad}");
        }
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn every_default_is_in_its_range() {
        for limit in LIMITS {
            let default = limit.of(&Limits::default());
            assert!(limit.range.contains(&default), "{}: {default}", limit.name);
            assert!(!limit.range.contains(&0), "{} could be 0", limit.name);
        }
    }

    #[test]
    fn every_range_fits_its_type() {
        for limit in LIMITS {
            let mut limits = Limits::default();
            for value in [*limit.range.start(), *limit.range.end()] {
                limits.set(limit.name, &value.to_string()).unwrap();
                assert_eq!(limit.of(&limits), value, "{}", limit.name);
            }
        }
    }
}
