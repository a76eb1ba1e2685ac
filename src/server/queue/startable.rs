//! What people and programs may start by its name.

use super::{Demo, Export, Payload, Policy, Primes};
use crate::domain::Lane;
use crate::server::store::NewTask;

/// Who may start it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Owners,
    /// Whoever is a member of the room that it is about.
    Members,
}

/// A kind of task that may be started by its name.
#[derive(Clone, Copy, Debug)]
pub struct Startable {
    pub name: &'static str,
    pub lane: Lane,
    pub policy: Policy,
    pub who: Who,
    make: fn(&str) -> Option<NewTask>,
}

impl Startable {
    const fn of<P: Payload>(who: Who) -> Startable {
        Startable { name: P::NAME, lane: P::LANE, policy: P::POLICY, who, make: make::<P> }
    }

    /// With these arguments, JSON; `None` where they are of another shape.
    pub fn task(&self, args: &str) -> Option<NewTask> {
        (self.make)(args)
    }
}

const STARTABLE: &[Startable] =
    &[Startable::of::<Demo>(Who::Owners), Startable::of::<Export>(Who::Members), Startable::of::<Primes>(Who::Owners)];

pub fn startable(name: &str) -> Option<&'static Startable> {
    STARTABLE.iter().find(|kind| kind.name == name)
}

fn make<P: Payload>(args: &str) -> Option<NewTask> {
    Some(super::task(&serde_json::from_str::<P>(args).ok()?))
}
