use crate::domain::MessageBody;

/// Every limit is declared once, so that it can be set and listed by its name.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// Every limit, by name: whole numbers from 1. Times in the unit that the name ends with.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Limits {
            fn default() -> Limits {
                Limits { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// Sets the limit of this name.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
                match name {
                    $(stringify!($name) => self.$name = whole_number(value)?,)+
                    _ => return Err(LimitError::Unknown),
                }
                Ok(())
            }

            /// Name and value of each, in the order of their declaration.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name as u64),)+]
            }
        }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    #[error("there is no such limit")]
    Unknown,
    #[error("a limit is a whole number from 1 to {max}")]
    OutOfRange { max: u64 },
}

fn whole_number<T: TryFrom<u64> + Bounded>(text: &str) -> Result<T, LimitError> {
    let number = text.parse::<u64>().ok().filter(|number| *number > 0);
    number.and_then(|number| T::try_from(number).ok()).ok_or(LimitError::OutOfRange { max: T::MAX })
}

trait Bounded {
    const MAX: u64;
}

impl Bounded for u32 {
    const MAX: u64 = u32::MAX as u64;
}

impl Bounded for u64 {
    const MAX: u64 = u64::MAX;
}

impl Bounded for usize {
    const MAX: u64 = usize::MAX as u64;
}

limits! {
    /// Bytes of UTF-8 in a message.
    body_bytes: usize = MessageBody::MAX_BYTES;
    /// Bytes of one client frame on the live socket.
    frame_bytes: usize = 64 * 1024;
    /// Bytes of one frame of the echo at `/ws/chat/`.
    echo_frame_bytes: usize = 2 * 1024 * 1024;
    /// Bytes of an HTTP request body.
    request_bytes: usize = 128 * 1024;
    /// A request body that has not arrived after this long is given up.
    request_timeout_ms: u64 = 30_000;
    /// Rooms that one connection may be joined to.
    rooms_per_connection: usize = 200;
    /// Live sockets of one account.
    connections_per_user: usize = 50;
    /// Sockets from one address.
    connections_per_address: usize = 200;
    /// Events that a `join` may be behind before it is answered with `gap`.
    catch_up_events: u64 = 1_000;
    /// Bytes that may wait for one slow connection before its rooms fall behind.
    queue_bytes: usize = 256 * 1024;
    /// Frames that may wait for one slow connection before its rooms fall behind.
    queue_frames: usize = 256;
    /// A peer that takes nothing for so long is given up.
    write_timeout_ms: u64 = 30_000;
    /// How often a client of the live socket should ping.
    ping_every_ms: u32 = 8_000;
    /// A client of the live socket that was silent for so long is given up.
    silence_ms: u64 = 60_000;
    /// Rows of one page of history in the browser.
    page_rows: u32 = 50;
    /// Messages of one page of the HTTP API, at most.
    api_page_rows: u32 = 200;
    /// Events of one page of the HTTP API, at most.
    api_page_events: u32 = 1_000;
    /// Commands that may wait for the writer.
    writer_queue: usize = 1_024;
    /// Commands that one transaction takes, at most.
    writer_batch: usize = 256;
    /// Posts that an account may make at once.
    posts_burst: u32 = 30;
    /// Posts that an account may make a minute after the first ones.
    posts_per_minute: u32 = 120;
    /// Sign-ins that may fail at once, per name and per address.
    sign_in_burst: u32 = 10;
    /// Sign-ins that may fail a minute after the first ones, per name and per address.
    sign_in_per_minute: u32 = 5;
    /// Look-ups of one-time links at once, per address.
    link_burst: u32 = 30;
    /// Look-ups of one-time links a minute after the first ones, per address.
    link_per_minute: u32 = 30;
    /// A session that is not used ends after so many days.
    session_days: u32 = 60;
    /// A password reset link ends after so many hours.
    reset_hours: u32 = 24;
    /// Days that an invite may be good for.
    invite_max_days: u32 = 90;
    /// Accounts that one invite may make.
    invite_max_uses: u32 = 1_000;
    /// From the signal to the exit, at most.
    shutdown_ms: u64 = 10_000;
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
        for bad in ["0", "-1", "1.5", "", "4294967296"] {
            assert_eq!(limits.set("page_rows", bad), Err(LimitError::OutOfRange { max: u64::from(u32::MAX) }), "{bad}");
        }
        assert_eq!(limits, Limits::default());
    }
}
