use super::lru::Lru;
use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was read of the store and has not been changed since, of bounded weight.
pub struct Remembered<K, V>(Mutex<State<K, V>>);

struct State<K, V> {
    known: Lru<K, V>,
    /// Whatever was forgotten because it changed, since the start.
    changes: u64,
}

/// When a read began: what changed after that may be missing in it.
#[derive(Clone, Copy, Debug)]
pub struct Begun(u64);

impl<K: Eq + Hash + Clone, V: Clone> Remembered<K, V> {
    pub fn new(limit: usize) -> Remembered<K, V> {
        Remembered(Mutex::new(State { known: Lru::new(limit), changes: 0 }))
    }

    /// Counts as asking.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.lock().known.get(key).cloned()
    }

    pub fn begin(&self) -> Begun {
        Begun(self.lock().changes)
    }

    /// Keeps what a read found, with its weight, only if nothing that it may have missed has happened
    /// since it began.
    pub fn keep(&self, begun: Begun, found: impl IntoIterator<Item = (K, V, usize)>) {
        let mut state = self.lock();
        if state.changes == begun.0 {
            found.into_iter().for_each(|(key, value, weight)| state.known.insert(key, value, weight));
        }
    }

    pub fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut state = self.lock();
        state.changes += 1;
        state.known.remove(key);
    }

    pub fn forget_all(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.known.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_read_may_have_missed_keeps_it_out() {
        let remembered = Remembered::new(10);
        let begun = remembered.begin();
        remembered.forget("other");
        remembered.keep(begun, [("a", 1, 1)]);
        assert_eq!(remembered.get("a"), None);
        remembered.keep(remembered.begin(), [("a", 2, 1)]);
        assert_eq!(remembered.get("a"), Some(2));
        remembered.forget_all();
        assert_eq!(remembered.get("a"), None);
    }
}
