//! One file for each place in the app.

mod lost;
mod people;
mod people_invites;
mod people_list;
mod room;
mod rooms;
mod settings;
mod task_line;
mod tasks;

pub use lost::{CannotStart, NotFound};
pub use people::PeoplePage;
pub use room::{RoomPage, holds_files};
pub use rooms::RoomsPage;
pub use settings::SettingsPage;
pub use tasks::TasksPage;
