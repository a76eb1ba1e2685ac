//! Server functions: the request/response layer beside the socket. Each is a public endpoint, so
//! each authenticates first (`auth::current`), calls one use case and maps its error.

mod first_page;
mod people;
mod rooms;
mod schedule;
mod session;
mod tasks;

pub use first_page::{FirstPage, Place};
pub use people::{create_invite, create_reset, invites, people, revoke_invite, set_role};
pub use rooms::{
    RoomStart, add_member, create_room, join_room, leave_room, members, older_rows, open_room, rename_room, rooms,
    set_room_access, set_room_retention,
};
pub use schedule::{Schedule, schedule_message, scheduled_messages};
pub use session::{AppStart, change_password};
pub use tasks::{cancel_task, run_task_again, start_task, tasks};
