//! Nouns and rules: what a room, a member, a message may be. Knows no clock, no store, no wire.
//! Values are made by `parse`, so whoever holds one need not check it again.

mod calendar;
mod excerpt;
mod file;
mod ids;
mod invisible;
mod key;
mod message;
mod recurrence;
mod room;
mod task;
mod user;
mod when;

pub use calendar::{CivilTime, Weekday, day_number, day_of_date, minute_of_day, ms_to_midnight};
pub use excerpt::excerpt;
pub use file::{FileId, FileIdError, FileName};
pub use ids::{RoomId, Seq, UserId};
pub use key::{Key, KeyError};
pub use message::{BodyError, MessageBody};
pub use recurrence::Recurrence;
pub use room::{Access, RoomName, RoomNameError, Slug, SlugError};
pub use task::{Lane, Progress, TaskId, TaskList, TaskState};
pub use user::{Password, PasswordError, Role, UserName, UserNameError};
pub use when::{Day, When};
