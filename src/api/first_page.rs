use super::{AppStart, RoomStart};
use crate::protocol::{ErrorBody, InviteView, MemberList, PersonView, TasksFilter, TasksPage};
use serde::{Deserialize, Serialize};

/// All that a page needs that the server renders, loaded before rendering begins and sent along
/// with it, so that server and browser render the same at once, without waiting for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPage {
    pub app: Result<AppStart, ErrorBody>,
    pub place: Place,
}

/// What the page at this address shows beside the app's frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Room {
        slug: String,
        start: Result<RoomStart, ErrorBody>,
        members: Result<MemberList, ErrorBody>,
    },
    People {
        people: Result<Vec<PersonView>, ErrorBody>,
        /// `Forbidden` for those who are no owners.
        invites: Result<Vec<InviteView>, ErrorBody>,
    },
    Tasks {
        filter: TasksFilter,
        /// `Forbidden` for those who are no owners.
        tasks: Result<TasksPage, ErrorBody>,
    },
    /// Nothing but the frame.
    Plain,
}
