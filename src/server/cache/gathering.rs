use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::{Duration, Instant, sleep_until};

/// Questions that come while a call is under way, or soon after it began, are put together in the
/// next: many who each want something else cost few calls. A call is made after its questions were
/// asked, so that its answers are never older than they are.
pub struct Gathering<K, V> {
    /// Calls begin at least so far apart. A lone question is asked at once.
    apart: Duration,
    waiting: Mutex<Vec<(K, oneshot::Sender<V>)>>,
    /// Before which no call begins.
    turn: tokio::sync::Mutex<Option<Instant>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Gathering<K, V> {
    pub fn new(apart: Duration) -> Gathering<K, V> {
        Gathering { apart, waiting: Mutex::default(), turn: tokio::sync::Mutex::const_new(None) }
    }

    /// What `call` answers to `key` among all that have gathered; `missing` when it says nothing of it.
    pub async fn ask<F>(&self, key: K, missing: V, call: impl FnOnce(Vec<K>) -> F) -> V
    where
        F: Future<Output = HashMap<K, V>>,
    {
        let (sender, mut answer) = oneshot::channel();
        self.lock().push((key.clone(), sender));
        let mut next = self.turn.lock().await;
        let mut taken = match answer.try_recv() {
            Ok(answer) => return answer,
            Err(TryRecvError::Empty) => {
                if let Some(next) = *next {
                    sleep_until(next).await;
                }
                std::mem::take(&mut *self.lock())
            }
            // Whoever had taken the question is gone without an answer.
            Err(TryRecvError::Closed) => Vec::new(),
        };
        *next = Some(Instant::now() + self.apart);
        taken.retain(|(_, sender)| !sender.is_closed());
        let mut keys: Vec<K> = taken.iter().map(|(key, _)| key.clone()).collect();
        if keys.is_empty() {
            keys.push(key.clone());
        }
        let answers = call(keys).await;
        for (key, sender) in taken {
            let _gone = sender.send(answers.get(&key).unwrap_or(&missing).clone());
        }
        answers.get(&key).cloned().unwrap_or(missing)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(K, oneshot::Sender<V>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const APART: Duration = Duration::from_millis(50);

    async fn squares(calls: &Mutex<Vec<usize>>, keys: Vec<u64>) -> HashMap<u64, u64> {
        sleep(Duration::from_millis(1)).await;
        calls.lock().unwrap().push(keys.len());
        keys.into_iter().filter(|key| *key != 13).map(|key| (key, key * key)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_gathers_during_a_call_is_one_call() {
        let (gathering, calls) = (Gathering::new(APART), Mutex::default());
        let ask = |key| gathering.ask(key, 0, |keys| squares(&calls, keys));
        let first = async {
            assert_eq!(ask(7).await, 49);
        };
        let others = async {
            let answers = futures_util::future::join_all((0..100).map(&ask)).await;
            assert_eq!(answers, (0..100).map(|key| if key == 13 { 0 } else { key * key }).collect::<Vec<_>>());
        };
        futures_util::join!(first, others);
        assert_eq!(*calls.lock().unwrap(), [1, 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_that_comes_one_by_one_is_few_calls() {
        let (gathering, calls) = (Gathering::new(APART), Mutex::default());
        let ask = async |key| {
            sleep(Duration::from_millis(2 * key)).await;
            gathering.ask(key, 0, |keys| squares(&calls, keys)).await
        };
        let begun = Instant::now();
        assert_eq!(ask(0).await, 0);
        assert!(begun.elapsed() < APART, "who comes alone does not wait");
        futures_util::future::join_all((1..=500).map(&ask)).await;
        let calls = calls.lock().unwrap();
        assert!(calls.len() <= 23, "{calls:?}");
        assert_eq!(calls.iter().sum::<usize>(), 501);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_during_a_call_takes_no_answer_along() {
        let (gathering, calls) = (Gathering::new(APART), Mutex::default());
        let ask = |key| gathering.ask(key, 0, |keys| squares(&calls, keys));
        let mut waiting = Box::pin(ask(1));
        let mut leaving = Box::pin(ask(2));
        assert!(futures_util::poll!(&mut leaving).is_pending());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(leaving);
        assert_eq!(waiting.await, 1);
    }
}
