//! Nouns and rules: what a room, a member, a message may be. Knows no clock, no store, no wire.
//! Values are made by `parse`, so whoever holds one need not check it again.

mod calendar;
mod excerpt;
mod ids;
mod invisible;
mod key;
mod message;
mod room;
mod user;

pub use calendar::{CivilTime, Weekday, day_number, ms_to_midnight};
pub use excerpt::excerpt;
pub use ids::{RoomId, Seq, UserId};
pub use key::{Key, KeyError};
pub use message::{BodyError, MessageBody};
pub use room::{Access, RoomName, RoomNameError, Slug, SlugError};
pub use user::{Password, PasswordError, Role, UserName, UserNameError};
