use super::{Answer, Plan};
use crate::server::store::event_row::NewEvent;
use crate::server::store::{Grown, TaskAnswer};

/// What a batch did: an answer for each command, and what each room grew by.
#[derive(Default)]
pub(in crate::server::store) struct Outcome {
    pub answers: Vec<Answer>,
    pub grown: Vec<Grown>,
    /// Bodies were replaced or deleted: their bytes are to leave the files.
    pub erased: bool,
    /// An answer for each piece of work on the queue.
    pub tasks: Vec<TaskAnswer>,
    /// Tasks are not what they were.
    pub tasks_changed: bool,
}

impl Outcome {
    /// What was written of a plan.
    pub fn take(&mut self, plan: Plan) {
        self.erased |= !plan.erased.is_empty();
        self.answers.extend(plan.answers);
        self.grow(plan.events);
    }

    /// Adds events in the order of their seqs per room.
    pub fn grow(&mut self, events: Vec<NewEvent>) {
        for new in events {
            match self.grown.iter_mut().find(|grown| grown.room == new.room) {
                Some(grown) => {
                    grown.access = new.access;
                    grown.events.push(new.event);
                }
                None => {
                    let NewEvent { room, slug, access, event, .. } = new;
                    self.grown.push(Grown { room, slug, access, events: vec![event] });
                }
            }
        }
    }
}
