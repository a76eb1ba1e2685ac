use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A map of bounded weight: what was not asked for longest goes first.
pub struct Lru<K, V> {
    slots: HashMap<K, Slot<V>>,
    by_use: BTreeMap<u64, K>,
    clock: u64,
    weight: usize,
    limit: usize,
}

struct Slot<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Eq + Hash + Clone, V> Lru<K, V> {
    /// Holds values of at most `limit` together, in the unit of their weights.
    pub fn new(limit: usize) -> Lru<K, V> {
        Lru { slots: HashMap::new(), by_use: BTreeMap::new(), clock: 0, weight: 0, limit }
    }

    /// Others make room; what alone weighs more than the limit is not kept.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        self.clock += 1;
        self.weight += weight;
        self.by_use.insert(self.clock, key.clone());
        self.slots.insert(key, Slot { value, weight, used: self.clock });
        self.evict();
    }

    /// Counts as asking.
    pub fn get<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let slot = self.slots.get_mut(key)?;
        if let Some(key) = self.by_use.remove(&slot.used) {
            self.clock += 1;
            slot.used = self.clock;
            self.by_use.insert(self.clock, key);
        }
        Some(&mut slot.value)
    }

    /// Does not count as asking.
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// Changes a value that is held; `change` returns its weight from now on, or `None` to drop it.
    /// Does not count as asking.
    pub fn change<Q>(&mut self, key: &Q, change: impl FnOnce(&mut V) -> Option<usize>)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(slot) = self.slots.get_mut(key) else { return };
        match change(&mut slot.value) {
            Some(weight) => {
                self.weight = self.weight - slot.weight + weight;
                slot.weight = weight;
                self.evict();
            }
            None => {
                self.remove(key);
            }
        }
    }

    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let slot = self.slots.remove(key)?;
        self.by_use.remove(&slot.used);
        self.weight -= slot.weight;
        Some(slot.value)
    }

    pub fn clear(&mut self) {
        self.slots.clear();
        self.by_use.clear();
        self.weight = 0;
    }

    /// Of all values together.
    pub fn weight(&self) -> usize {
        self.weight
    }

    fn evict(&mut self) {
        while self.weight > self.limit {
            let Some((_, key)) = self.by_use.pop_first() else { return };
            if let Some(slot) = self.slots.remove(&key) {
                self.weight -= slot.weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let mut lru = Lru::new(3);
        for key in ["a", "b", "c"] {
            lru.insert(key, key, 1);
        }
        assert!(lru.get("a").is_some());
        lru.insert("d", "d", 1);
        assert!(lru.get("b").is_none());
        lru.change("a", |_| Some(2));
        assert!(lru.get("c").is_none() && lru.get("a").is_some() && lru.get("d").is_some());
        assert_eq!(lru.weight(), 3);
    }

    #[test]
    fn what_is_too_heavy_alone_is_not_kept() {
        let mut lru = Lru::new(3);
        lru.insert("a", (), 4);
        assert!(lru.get("a").is_none());
        lru.insert("a", (), 3);
        lru.insert("a", (), 1);
        assert_eq!(lru.weight(), 1);
        lru.change("a", |_| None);
        assert_eq!((lru.weight(), lru.by_use.len()), (0, 0));
    }
}
