//! Token buckets (GCRA, by `governor`) per user and action and per address, and the cap on
//! connections of one address. `no_rate_limit` lifts all of them.

use super::config::Config;
use super::error::AppError;
use super::store::folded_name;
use crate::domain::UserId;
use crate::protocol::ErrorCode;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After so many calls a bucket store forgets the keys whose buckets are full again, so that its
/// memory is bounded by the calls of one refill.
const CALLS_BETWEEN_SWEEPS: u32 = 1_024;

/// All rate limits of a node. Each call takes one token or says when there will be one.
pub struct RateLimits {
    buckets: Option<Buckets>,
    echo_connections: ConnectionCap,
}

struct Buckets {
    posts: Keyed<UserId>,
    commands: Keyed<UserId>,
    reads: Keyed<UserId>,
    frames: Keyed<UserId>,
    sign_ins_by_address: Keyed<IpAddr>,
    /// By the SHA-256 of the folded name: names are as long as a client likes. Looser than those by
    /// address, or a stranger could keep somebody out of the own account.
    sign_ins_by_name: Keyed<[u8; 32]>,
    password_checks: Keyed<UserId>,
    links: Keyed<IpAddr>,
    openings: Keyed<IpAddr>,
}

impl RateLimits {
    pub fn new(config: &Config) -> RateLimits {
        let limits = &config.limits;
        let buckets = (!config.no_rate_limit).then(|| Buckets {
            posts: Keyed::new(limits.posts_burst, limits.posts_per_minute),
            commands: Keyed::new(limits.commands_burst, limits.commands_per_minute),
            reads: Keyed::new(limits.reads_burst, limits.reads_per_minute),
            frames: Keyed::new(limits.frames_burst, limits.frames_per_minute),
            sign_ins_by_address: Keyed::new(limits.sign_in_burst, limits.sign_in_per_minute),
            sign_ins_by_name: Keyed::new(limits.sign_in_name_burst, limits.sign_in_name_per_minute),
            password_checks: Keyed::new(limits.sign_in_burst, limits.sign_in_per_minute),
            links: Keyed::new(limits.link_burst, limits.link_per_minute),
            openings: Keyed::new(limits.openings_burst, limits.openings_per_minute),
        });
        let cap = if config.no_rate_limit { usize::MAX } else { limits.connections_per_address };
        RateLimits { buckets, echo_connections: ConnectionCap::new(cap) }
    }

    /// A post or an edit by a user.
    pub fn post(&self, user: UserId) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.posts.take(&user))
    }

    /// A change of a room or of who is in it, or a deletion, by a user.
    pub fn command(&self, user: UserId) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.commands.take(&user))
    }

    /// A page of a log or of messages, for a user.
    pub fn read(&self, user: UserId) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.reads.take(&user))
    }

    /// A frame of any kind on one of the live sockets of a user.
    pub fn frame(&self, user: UserId) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.frames.take(&user))
    }

    /// A sign-in with this name from this address; to be called before the password is looked at.
    pub fn sign_in(&self, ip: IpAddr, name: &str) -> Result<(), AppError> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        buckets.sign_ins_by_address.take(&network(ip))?;
        buckets.sign_ins_by_name.take(&folded(name))
    }

    /// A look at the own password by somebody who is signed in.
    pub fn password_check(&self, user: UserId) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.password_checks.take(&user))
    }

    /// A look-up of a one-time link.
    pub fn link(&self, ip: IpAddr) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.links.take(&network(ip)))
    }

    /// A live socket that is opened from this address; to be called before anything is looked up for it.
    pub fn opening(&self, ip: IpAddr) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.openings.take(&network(ip)))
    }

    /// A connection to the echo of the study note, counted until the permit is dropped.
    /// `TooManyConnections`.
    pub fn echo_connection(&self, ip: IpAddr) -> Result<ConnectionPermit, AppError> {
        self.echo_connections.enter(network(ip))
    }
}

/// One bucket for each key.
struct Keyed<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    calls: AtomicU32,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(burst: u32, per_minute: u32) -> Keyed<K> {
        Keyed::with_clock(burst, per_minute, DefaultClock::default())
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Keyed<K, C> {
    fn with_clock(burst: u32, per_minute: u32, clock: C) -> Keyed<K, C> {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst));
        Keyed { limiter: RateLimiter::dashmap_with_clock(quota, clock), calls: AtomicU32::new(0) }
    }

    fn take(&self, key: &K) -> Result<(), AppError> {
        if self.calls.fetch_add(1, Ordering::Relaxed) % CALLS_BETWEEN_SWEEPS == CALLS_BETWEEN_SWEEPS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|until| {
            let wait = until.wait_time_from(self.limiter.clock().now());
            AppError::RateLimited { retry_after_ms: whole_ms(wait) }
        })
    }
}

/// Rounded up: a client that waits so long is let through.
fn whole_ms(wait: Duration) -> u32 {
    u32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
}

/// What one subscriber has: an IPv4 address or an IPv6 /64.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip => ip,
    }
}

/// As the store compares names, so that no other spelling is another bucket.
fn folded(name: &str) -> [u8; 32] {
    Sha256::digest(folded_name(name).as_bytes()).into()
}

/// How many connections an address holds.
struct ConnectionCap {
    cap: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection; leaves the count when dropped.
pub struct ConnectionPermit {
    ip: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl ConnectionCap {
    fn new(cap: usize) -> ConnectionCap {
        ConnectionCap { cap, held: Arc::default() }
    }

    fn enter(&self, ip: IpAddr) -> Result<ConnectionPermit, AppError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(ip).or_default();
        if *count >= self.cap {
            return Err(AppError::refused(ErrorCode::TooManyConnections));
        }
        *count += 1;
        Ok(ConnectionPermit { ip, held: Arc::clone(&self.held) })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    fn wait_ms(outcome: Result<(), AppError>) -> u32 {
        outcome.unwrap_err().retry_after_ms().unwrap()
    }

    #[test]
    fn the_told_wait_is_exactly_enough() {
        let clock = FakeRelativeClock::default();
        let bucket = Keyed::with_clock(2, 60, clock.clone());
        bucket.take(&1).unwrap();
        bucket.take(&1).unwrap();
        assert_eq!(wait_ms(bucket.take(&1)), 1_000);
        bucket.take(&2).unwrap();

        clock.advance(Duration::from_millis(999));
        assert_eq!(wait_ms(bucket.take(&1)), 1);
        clock.advance(Duration::from_millis(1));
        bucket.take(&1).unwrap();
    }

    #[test]
    fn keys_whose_buckets_are_full_again_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let bucket = Keyed::with_clock(1, 60, clock.clone());
        for key in 0..CALLS_BETWEEN_SWEEPS - 1 {
            bucket.take(&key).unwrap();
        }
        clock.advance(Duration::from_secs(5));
        bucket.take(&CALLS_BETWEEN_SWEEPS).unwrap();
        assert_eq!(bucket.limiter.len(), 1);
    }

    #[test]
    fn a_name_is_one_however_it_is_written() {
        assert_eq!(folded("Ｍina"), folded("mina "));
        assert_ne!(folded("mina"), folded("minb"));
    }

    #[test]
    fn a_stranger_who_guesses_does_not_keep_the_owner_out() {
        let limits = RateLimits::new(&Config::default());
        let (stranger, owner) = ("192.0.2.1".parse().unwrap(), "198.51.100.1".parse().unwrap());
        let tried = (0..1_000).take_while(|_| limits.sign_in(stranger, "mina").is_ok()).count();
        assert!(tried >= 1);
        limits.sign_in(owner, "mina").unwrap();
    }

    #[test]
    fn guesses_from_everywhere_at_one_name_are_slowed_down() {
        let limits = RateLimits::new(&Config::default());
        let tried = (0..=u8::MAX).take_while(|n| limits.sign_in([192, 0, 2, *n].into(), "mina").is_ok()).count();
        assert!(tried < 200, "{tried}");
        limits.sign_in([192, 0, 2, 255].into(), "junho").unwrap();
    }

    #[test]
    fn an_ipv6_subscriber_has_one_bucket() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(ip("2001:db8:0:1::7")), network(ip("2001:db8:0:1:ffff::9")));
        assert_ne!(network(ip("2001:db8:0:1::7")), network(ip("2001:db8:0:2::7")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn a_closed_connection_makes_room() {
        let cap = ConnectionCap::new(1);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let permit = cap.enter(one).unwrap();
        assert_eq!(cap.enter(one).err().unwrap().code(), ErrorCode::TooManyConnections);
        assert!(cap.enter(other).is_ok());
        drop(permit);
        assert!(cap.enter(one).is_ok());
        assert!(cap.held.lock().unwrap().is_empty());
    }
}
