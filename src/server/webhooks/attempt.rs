//! One attempt at a delivery: what is sent, and what its answer means.

use super::signature;
use crate::domain::Seq;
use crate::protocol::Event;
use crate::server::clock::now_ms;
use crate::server::config::Limits;
use crate::server::outgoing::{Answer, Client, OutgoingError};
use crate::server::store::{Attempt, End, Ending, Fares, Store, StoreError};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The first wait before another attempt; each is twice the one before.
const FIRST_WAIT_MS: i64 = 10_000;
/// What a receiver may ask for, too.
const LONGEST_WAIT_MS: i64 = 60 * 60 * 1_000;

const SIGNATURE: HeaderName = HeaderName::from_static("x-pickmate-signature");
const DELIVERY: HeaderName = HeaderName::from_static("x-pickmate-delivery");

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It has ended before, is not due, or somebody else is at it.
    NotDue,
    Arrived,
    /// To be tried again at this time, in Unix milliseconds.
    Again {
        due_at: i64,
    },
    Failed,
    /// Whatever became of it, the webhook gets no more events after that.
    Disabled,
}

#[derive(Serialize)]
struct Payload<'a, E> {
    room: &'a str,
    event: E,
}

/// What a test sends in the place of an event.
#[derive(Serialize)]
struct Test {
    seq: Seq,
    kind: &'static str,
    at: i64,
}

/// Attempts a delivery if it is due, and notes how it went. However often it is called, by however many, one of them
/// attempts it at a time, and after it arrived nobody. Who receives it may still get it twice, when this process ends
/// between the answer and its note.
pub async fn deliver(
    store: &dyn Store,
    client: &Client,
    limits: &Limits,
    delivery: i64,
) -> Result<Delivered, StoreError> {
    let now = now_ms();
    // Whoever is gone for as long as its task would be is gone.
    let lost_ms = i64::try_from(limits.outgoing_timeout_ms.saturating_add(limits.task_lease_ms)).unwrap_or(i64::MAX);
    let Some(attempt) = store.begin_attempt(delivery, now, now.saturating_add(lost_ms)).await? else {
        return Ok(Delivered::NotDue);
    };
    let (ending, fares) = match payload(store, &attempt, limits, now).await? {
        Err(error) => (Ending { end: End::Failed, status: None, error: Some(error) }, Fares::AsBefore),
        Ok(body) => {
            let answer = client.post(&attempt.url, headers(&attempt, &store.epoch(), now, &body), body).await;
            judge(&attempt, answer, limits)
        }
    };
    let end = ending.end;
    if let Some(code) = ending.error {
        tracing::info!(delivery, webhook = attempt.webhook, code, status = ending.status, "a delivery did not arrive");
    }
    if store.end_attempt(&attempt, ending, fares, now_ms()).await? {
        return Ok(Delivered::Disabled);
    }
    Ok(match end {
        End::Delivered => Delivered::Arrived,
        End::Retry { due_at } => Delivered::Again { due_at },
        End::Failed => Delivered::Failed,
    })
}

/// The body, or why there is nothing to send.
async fn payload(
    store: &dyn Store,
    attempt: &Attempt,
    limits: &Limits,
    now: i64,
) -> Result<Result<String, &'static str>, StoreError> {
    let test = attempt.seq == Seq::ZERO;
    if attempt.removed {
        return Ok(Err("webhook_removed"));
    }
    if !attempt.enabled && !test {
        return Ok(Err("webhook_disabled"));
    }
    if !attempt.allowed {
        return Ok(Err("not_allowed"));
    }
    // Whoever made the attempts before ended in the midst of the last of them.
    if attempt.number > limits.webhook_attempts {
        return Ok(Err("sender_lost"));
    }
    let body = match test {
        true => json(attempt, Test { seq: Seq::ZERO, kind: "test", at: now }),
        false => match event(store, attempt).await? {
            Some(event) => json(attempt, event),
            None => return Ok(Err("event_gone")),
        },
    };
    body.map(Ok).map_err(|error| StoreError::Internal(error.to_string()))
}

fn json(attempt: &Attempt, event: impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(&Payload { room: attempt.slug.as_str(), event })
}

/// As it is served now. `None` once it is pruned.
async fn event(store: &dyn Store, attempt: &Attempt) -> Result<Option<Event>, StoreError> {
    let before = Seq(attempt.seq.0.saturating_sub(1));
    let page = store.events_after(attempt.room, before, 1).await?;
    Ok(page.events.into_iter().next().filter(|event| event.seq == attempt.seq))
}

fn headers(attempt: &Attempt, epoch: &str, now: i64, body: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // Letters, digits and `,=`: always a header's value.
    if let Ok(mut value) = HeaderValue::try_from(signature(&attempt.secret, now / 1_000, body)) {
        value.set_sensitive(true);
        headers.insert(SIGNATURE, value);
    }
    // Ids begin anew after a restore, in another history.
    if let Ok(value) = HeaderValue::try_from(format!("{epoch}-{}", attempt.delivery)) {
        headers.insert(DELIVERY, value);
    }
    headers
}

fn judge(attempt: &Attempt, answer: Result<Answer, OutgoingError>, limits: &Limits) -> (Ending, Fares) {
    let now = now_ms();
    let days = i64::from(limits.webhook_failing_days);
    let badly = Fares::Badly { disabled_if_since: now - days * DAY_MS, and_failures: limits.webhook_failing_attempts };
    let (status, error, passes, asked_ms) = match answer {
        Ok(answer) if answer.status.is_success() => {
            // It may have been disabled while the test was on its way.
            let fares = if attempt.seq == Seq::ZERO { Fares::Again } else { Fares::Well };
            let status = Some(answer.status.as_u16());
            return (Ending { end: End::Delivered, status, error: None }, fares);
        }
        Ok(answer) => {
            let status = answer.status.as_u16();
            let passes = matches!(status, 408 | 425 | 429 | 500..=599);
            (Some(status), "status", passes, retry_after_ms(&answer))
        }
        Err(error) => (None, error.code(), error.passes(), None),
    };
    let end = match passes && attempt.number < limits.webhook_attempts {
        true => End::Retry { due_at: now + wait_ms(attempt.number, asked_ms, rand::random_range(0..=1_000)) },
        false => End::Failed,
    };
    (Ending { end, status, error: Some(error) }, badly)
}

/// Seconds only: what is told as a date depends on whose clock is right.
fn retry_after_ms(answer: &Answer) -> Option<i64> {
    answer.header(header::RETRY_AFTER)?.trim().parse::<i64>().ok()?.checked_mul(1_000).filter(|ms| *ms >= 0)
}

/// How long after attempt `number` the next one is made. `jitter`: up to 1000, a fifth of the wait.
fn wait_ms(number: u32, asked_ms: Option<i64>, jitter: i64) -> i64 {
    let doubled = FIRST_WAIT_MS.saturating_mul(1 << number.saturating_sub(1).min(20));
    let wait = asked_ms.unwrap_or(0).max(doubled).min(LONGEST_WAIT_MS);
    wait + wait / 5 * jitter / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomId, Slug};
    use crate::server::store::SigningSecret;
    use axum::http::StatusCode;

    #[test]
    fn a_test_that_arrives_has_the_webhook_used_again_whatever_it_was_as_it_was_sent() {
        let attempt = |seq| Attempt {
            delivery: 1,
            webhook: 1,
            number: 1,
            seq: Seq(seq),
            room: RoomId(1),
            slug: Slug::parse("general").unwrap(),
            url: String::new(),
            secret: SigningSecret(String::new()),
            enabled: true,
            removed: false,
            allowed: true,
        };
        let answer = || Answer {
            url: "https://a.example".parse().unwrap(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Vec::new(),
            cut: false,
        };
        let fares = |seq| judge(&attempt(seq), Ok(answer()), &Limits::default()).1;
        assert_eq!((fares(0), fares(7)), (Fares::Again, Fares::Well));
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let waits: Vec<i64> = (1..=12).map(|number| wait_ms(number, None, 0) / 1_000).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600]);
        assert_eq!(wait_ms(u32::MAX, None, 0), LONGEST_WAIT_MS);
    }

    #[test]
    fn a_receiver_may_ask_for_longer_and_not_for_shorter() {
        assert_eq!(wait_ms(1, Some(60_000), 0), 60_000);
        assert_eq!(wait_ms(3, Some(1_000), 0), 40_000);
        assert_eq!(wait_ms(1, Some(i64::MAX), 0), LONGEST_WAIT_MS);
    }

    #[test]
    fn jitter_adds_a_fifth_at_most() {
        assert_eq!((wait_ms(1, None, 0), wait_ms(1, None, 1_000)), (10_000, 12_000));
    }
}
