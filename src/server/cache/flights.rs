use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Call<V> = BoxFuture<'static, Option<V>>;

/// Single flight: of many who want the same at the same time one call is made for all.
pub struct Flights<K, V>(Mutex<HashMap<K, WeakShared<Call<V>>>>);

impl<K, V> Default for Flights<K, V> {
    fn default() -> Flights<K, V> {
        Flights(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone + Send + Sync + 'static> Flights<K, V> {
    /// The outcome of the call under way for `key`, or of the one that `begin` makes now. Whoever boards a
    /// call under way gets what it found, perhaps from before that moment. The call goes on while
    /// anybody waits for it. `None` when it panicked.
    pub async fn join(&self, key: K, begin: impl FnOnce() -> BoxFuture<'static, V>) -> Option<V> {
        let mut seat = self.board(key, begin);
        match seat.flight.as_mut() {
            Some(flight) => flight.await,
            // A seat has its flight until it is dropped.
            None => std::future::pending().await,
        }
    }

    fn board(&self, key: K, begin: impl FnOnce() -> BoxFuture<'static, V>) -> Seat<'_, K, V> {
        let mut flights = self.lock();
        let under_way = flights.get(&key).and_then(WeakShared::upgrade).filter(|flight| flight.peek().is_none());
        let flight = under_way.unwrap_or_else(|| {
            let flight = AssertUnwindSafe(begin()).catch_unwind().map(Result::ok).boxed().shared();
            if let Some(weak) = flight.downgrade() {
                flights.insert(key.clone(), weak);
            }
            flight
        });
        drop(flights);
        Seat { flights: self, key, flight: Some(flight) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, WeakShared<Call<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits. The last to get up clears the table, also of a flight that nobody saw the end of.
struct Seat<'a, K: Eq + Hash + Clone, V: Clone + Send + Sync + 'static> {
    flights: &'a Flights<K, V>,
    key: K,
    flight: Option<Shared<Call<V>>>,
}

impl<K: Eq + Hash + Clone, V: Clone + Send + Sync + 'static> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        self.flight = None;
        let mut flights = self.flights.lock();
        let over =
            flights.get(&self.key).is_some_and(|weak| weak.upgrade().is_none_or(|flight| flight.peek().is_some()));
        if over {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::sleep;

    const SLOW: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn many_who_want_the_same_make_one_call() {
        let (flights, calls) = (Flights::default(), Arc::new(AtomicUsize::new(0)));
        let ask = || {
            let calls = Arc::clone(&calls);
            flights.join("key", move || {
                let call = async move {
                    sleep(SLOW).await;
                    calls.fetch_add(1, Ordering::Relaxed) + 1
                };
                call.boxed()
            })
        };
        let answers = futures_util::future::join_all((0..100).map(|_| ask())).await;
        assert_eq!(answers, [Some(1); 100]);
        assert_eq!(ask().await, Some(2), "who comes later asks anew");
        assert!(flights.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_outlives_the_one_who_made_it_while_another_waits() {
        let flights: Flights<&str, u32> = Flights::default();
        let slow = |value: u32| move || sleep(SLOW).map(move |()| value).boxed();
        let mut first = Box::pin(flights.join("key", slow(1)));
        assert!(futures_util::poll!(&mut first).is_pending());
        let mut second = Box::pin(flights.join("key", slow(2)));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await, Some(1));
        let mut abandoned = Box::pin(flights.join("key", slow(3)));
        assert!(futures_util::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert!(flights.lock().is_empty());
        assert_eq!(flights.join("key", slow(4)).await, Some(4));
    }

    #[tokio::test]
    async fn a_call_that_panics_takes_nobody_with_it() {
        let flights: Flights<&str, u32> = Flights::default();
        assert_eq!(flights.join("key", || async { panic!("on purpose") }.boxed()).await, None);
        assert_eq!(flights.join("key", || async { 1 }.boxed()).await, Some(1));
    }
}
