//! What a connection may take its time for. hyper has one deadline for the wait between two requests
//! and for the headers that end it; a kept connection should be allowed the one and not the other.

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long each phase of a connection may last. An answer takes as long as it takes, if its peer takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the connection to the end of its first headers: nobody is known before that.
    pub first_request: Duration,
    /// From the first byte of a later request to the end of its headers.
    pub headers: Duration,
    /// Without a byte between two requests, in either direction: hyper drops an answer before all of it is written.
    pub idle: Duration,
    /// While the peer takes nothing of an answer.
    pub taking: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opened,
    Headers,
    Answering,
    /// An answer is written, and the peer takes nothing of it.
    Stuck,
    Idle,
}

/// The phase of one connection. Its stream, its service and its answers tell of the changes.
#[derive(Clone)]
pub(super) struct Pace(Arc<watch::Sender<Phase>>);

impl Pace {
    pub fn new() -> Pace {
        Pace(Arc::new(watch::Sender::new(Phase::Opened)))
    }

    pub fn bytes_arrived(&self) {
        self.0.send_if_modified(|phase| {
            let begins = *phase == Phase::Idle;
            if begins {
                *phase = Phase::Headers;
            }
            begins
        });
    }

    /// The peer has taken something.
    pub fn bytes_left(&self) {
        self.0.send_if_modified(|phase| {
            if *phase == Phase::Stuck {
                *phase = Phase::Answering;
            }
            // Then the idle time begins anew; an answer that goes on has none.
            *phase == Phase::Idle
        });
    }

    /// Something is to be written, and the peer does not take it.
    pub fn bytes_wait(&self) {
        self.0.send_if_modified(|phase| {
            let begins = *phase == Phase::Answering;
            if begins {
                *phase = Phase::Stuck;
            }
            begins
        });
    }

    /// The headers of a request are whole.
    pub fn answering(&self) -> Answering {
        self.0.send_replace(Phase::Answering);
        Answering(self.clone())
    }

    /// Returns when a phase lasts for too long.
    pub async fn is_too_slow(&self, patience: Patience) {
        let mut phases = self.0.subscribe();
        loop {
            let phase = *phases.borrow_and_update();
            let limit = match phase {
                Phase::Opened => patience.first_request,
                Phase::Headers => patience.headers,
                Phase::Stuck => patience.taking,
                Phase::Idle => patience.idle,
                Phase::Answering => Duration::MAX,
            };
            if timeout(limit, phases.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// Until it is dropped, a request is being answered.
pub(super) struct Answering(Pace);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.send_replace(Phase::Idle);
    }
}

/// The body of an answer. hyper drops it when it has taken all of it.
pub(super) struct Answer {
    pub body: Body,
    pub _answering: Answering,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    const PATIENCE: Patience = Patience {
        first_request: Duration::from_secs(1),
        headers: Duration::from_secs(2),
        idle: Duration::from_secs(30),
        taking: Duration::from_secs(10),
    };

    /// How long it is waited for from here on.
    async fn patience_with(pace: &Pace) -> Duration {
        let begun = Instant::now();
        timeout(Duration::from_secs(3_600), pace.is_too_slow(PATIENCE))
            .await
            .map_or(Duration::MAX, |()| begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_own_patience() {
        let pace = Pace::new();
        pace.bytes_arrived();
        assert_eq!(patience_with(&pace).await, PATIENCE.first_request, "from the connection, not from the first byte");
        let answering = pace.answering();
        pace.bytes_arrived();
        assert_eq!(patience_with(&pace).await, Duration::MAX, "the request's body arrives");
        drop(answering);
        assert_eq!(patience_with(&pace).await, PATIENCE.idle);
        pace.bytes_arrived();
        assert_eq!(patience_with(&pace).await, PATIENCE.headers);
    }

    /// How long a connection lasts of which something is taken every so often, for five minutes.
    async fn lasts(pace: &Pace, every: Duration) -> Duration {
        let begun = Instant::now();
        let taken = async {
            while begun.elapsed() < Duration::from_secs(300) {
                pace.bytes_wait();
                tokio::time::sleep(every).await;
                pace.bytes_left();
            }
        };
        tokio::select! {
            () = pace.is_too_slow(PATIENCE) => {}
            () = taken => {}
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_an_answer_slowly_has_time_and_who_takes_nothing_has_not() {
        let pace = Pace::new();
        let answering = pace.answering();
        assert_eq!(lasts(&pace, Duration::from_secs(9)).await, Duration::from_secs(306));
        assert_eq!(lasts(&pace, Duration::from_secs(11)).await, PATIENCE.taking);
        drop(answering);
        assert_eq!(lasts(&pace, Duration::from_secs(25)).await, Duration::from_secs(300), "the rest of it");
        assert_eq!(patience_with(&pace).await, PATIENCE.idle, "from the last of it on");
        assert_eq!(lasts(&pace, Duration::from_secs(31)).await, PATIENCE.idle);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_dribble_win_no_time() {
        let pace = Pace::new();
        drop(pace.answering());
        let begun = Instant::now();
        let dribble = async {
            loop {
                pace.bytes_arrived();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        tokio::select! {
            () = pace.is_too_slow(PATIENCE) => {}
            () = dribble => {}
        }
        assert_eq!(begun.elapsed(), PATIENCE.headers);
    }
}
