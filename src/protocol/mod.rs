//! What crosses the wire, written once for server and browser: frames of the live socket, events
//! of a room's log, error and close codes, and the data of a page. `docs/protocol.md` explains it
//! to other clients. Unknown fields are ignored by both sides.

mod close;
mod error;
mod event;
mod file;
mod flat;
mod frame;
pub mod json;
mod preview;
mod view;
mod webhook;

pub use close::CloseCode;
pub use error::{ErrorBody, ErrorCode};
pub use event::{Author, Event, EventKind, TaskStatus};
pub use file::Attached;
pub use frame::{ClientFrame, Limits, Refused, ServerFrame};
pub use preview::{Preview, Previews};
pub use view::{
    Community, InviteView, MOST_UNREAD, Me, MemberList, MemberView, Page, PersonView, RoomSummary, ScheduledView,
    TaskProgress, TaskTotal, TaskView, TasksFilter, TasksPage,
};
pub use webhook::{DeliveryState, DeliveryView, WebhookLog, WebhookView};

/// The WebSocket subprotocol; a client that offers none gets this one.
pub const SUBPROTOCOL: &str = "pickmate.v1";
