//! How far tasks are, told to who follows the room: fleeting, so whoever has no space for it does not get it.

use super::Hub;
use crate::protocol::ServerFrame;
use crate::server::encode;
use crate::server::store::NotedProgress;

impl Hub {
    /// Tells everybody here who follows the room of the task's card.
    pub fn tell_progress(&self, noted: &NotedProgress) {
        let followers: Vec<_> = self.registry().followers(noted.room).cloned().collect();
        if followers.is_empty() {
            return;
        }
        let (room, task, progress) = (noted.slug.to_string(), noted.task.clone(), noted.progress.clone());
        let frame = encode::frame(&ServerFrame::Progress { room, task, progress });
        followers.iter().for_each(|queue| queue.offer_fleeting(noted.room, &frame));
    }
}
