//! Token buckets per user and action and per address, and the cap on connections of one address.
//! `no_rate_limit` lifts all of them. Nodes tell each other what was taken from their buckets, gathered for
//! a moment, and owe it: whoever is on many nodes has no more than on one, but for what the others have not
//! heard of yet. Nobody waits for that, and a node that hears nothing limits by itself.

mod bucket;
mod connections;
mod keyed;

pub use connections::ConnectionPermit;

use super::channel_layer::{ChannelLayer, Notice, Spending, Spent};
use super::config::Config;
use super::error::AppError;
use super::store::folded_name;
use crate::domain::UserId;
use bucket::Quota;
use connections::ConnectionCap;
use keyed::{Keyed, Name};
use rand::Rng;
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Buckets that one notice tells of: some kilobytes.
const TOLD_TOGETHER: usize = 200;

/// All rate limits of a node. Each call takes one token or says when there will be one.
pub struct RateLimits {
    buckets: Option<Buckets>,
    echo_connections: ConnectionCap,
}

struct Buckets {
    kinds: [Keyed; Kind::ALL.len()],
    /// Makes the buckets' names.
    secret: [u8; 32],
    /// Whether other nodes are told.
    tells: bool,
    gather: Duration,
    /// This node, to tell its own words from those of others.
    node: u64,
    started: Instant,
}

/// What is limited, in an order that is part of what nodes tell each other: new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Posts,
    Commands,
    Reads,
    Frames,
    SignInsByAddress,
    /// By the SHA-256 of the folded name: names are as long as a client likes. Looser than those by
    /// address, or a stranger could keep somebody out of the own account.
    SignInsByName,
    PasswordChecks,
    Links,
    Openings,
    Uploads,
}

impl Kind {
    const ALL: [Kind; 10] = [
        Kind::Posts,
        Kind::Commands,
        Kind::Reads,
        Kind::Frames,
        Kind::SignInsByAddress,
        Kind::SignInsByName,
        Kind::PasswordChecks,
        Kind::Links,
        Kind::Openings,
        Kind::Uploads,
    ];

    /// Whether other nodes are told. What every socket does all the time is not: what Redis carries would
    /// grow with the sockets, and these limits only keep a single node from being flooded.
    fn is_shared(self) -> bool {
        !matches!(self, Kind::Frames | Kind::Reads | Kind::Openings)
    }

    fn quota(self, limits: &super::config::Limits) -> Quota {
        let (burst, per_minute) = match self {
            Kind::Posts => (limits.posts_burst, limits.posts_per_minute),
            Kind::Commands => (limits.commands_burst, limits.commands_per_minute),
            Kind::Reads => (limits.reads_burst, limits.reads_per_minute),
            Kind::Frames => (limits.frames_burst, limits.frames_per_minute),
            Kind::SignInsByAddress | Kind::PasswordChecks => (limits.sign_in_burst, limits.sign_in_per_minute),
            Kind::SignInsByName => (limits.sign_in_name_burst, limits.sign_in_name_per_minute),
            Kind::Links => (limits.link_burst, limits.link_per_minute),
            Kind::Openings => (limits.openings_burst, limits.openings_per_minute),
            Kind::Uploads => (limits.uploads_burst, limits.uploads_per_minute),
        };
        Quota::new(burst, per_minute)
    }
}

impl RateLimits {
    /// Of a node that tells nobody.
    pub fn new(config: &Config) -> RateLimits {
        let limits = &config.limits;
        let buckets = (!config.no_rate_limit).then(|| Buckets {
            kinds: Kind::ALL.map(|kind| Keyed::new(kind.quota(limits))),
            secret: rand::rng().random(),
            tells: false,
            gather: Duration::from_millis(limits.spent_gather_ms),
            node: rand::rng().random(),
            started: Instant::now(),
        });
        let cap = if config.no_rate_limit { usize::MAX } else { limits.connections_per_address };
        RateLimits { buckets, echo_connections: ConnectionCap::new(cap) }
    }

    /// Of a node that tells the others, which know the same secret.
    pub fn shared(config: &Config, secret: [u8; 32]) -> RateLimits {
        let mut limits = RateLimits::new(config);
        limits.buckets = limits.buckets.map(|buckets| Buckets { secret, tells: true, ..buckets });
        limits
    }

    /// Tells the other nodes what was taken here, until `stop`. One per node.
    pub async fn tell(self: Arc<RateLimits>, layer: Arc<dyn ChannelLayer>, stop: CancellationToken) {
        let Some(buckets) = self.buckets.as_ref().filter(|buckets| buckets.tells) else { return };
        let telling = async {
            let mut gathered = interval(buckets.gather);
            gathered.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                gathered.tick().await;
                buckets.untold().into_iter().for_each(|spending| layer.publish(Notice::Spent(Arc::new(spending))));
            }
        };
        stop.run_until_cancelled(telling).await;
    }

    /// A node tells what was taken there. This one's own words change nothing.
    pub fn owe(&self, spending: &Spending) {
        let Some(buckets) = self.buckets.as_ref().filter(|buckets| buckets.node != spending.node) else { return };
        let now = buckets.now();
        for Spent { kind, bucket, count } in &spending.list {
            // One that is not known is limited by a newer version only.
            if let Some(keyed) = buckets.kinds.get(usize::from(*kind)) {
                keyed.owe(bucket, *count, now);
            }
        }
    }

    /// A file that a user uploads.
    pub fn upload(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::Uploads, &user.0.to_le_bytes())
    }

    /// A post or an edit by a user.
    pub fn post(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::Posts, &user.0.to_le_bytes())
    }

    /// A change of a room, of who is in it or of the own language, or a deletion, by a user.
    pub fn command(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::Commands, &user.0.to_le_bytes())
    }

    /// A page of a log or of messages, for a user.
    pub fn read(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::Reads, &user.0.to_le_bytes())
    }

    /// A frame of any kind on one of the live sockets of a user.
    pub fn frame(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::Frames, &user.0.to_le_bytes())
    }

    /// A sign-in with this name from this address; to be called before the password is looked at.
    pub fn sign_in(&self, ip: IpAddr, name: &str) -> Result<(), AppError> {
        self.take(Kind::SignInsByAddress, &bytes_of(ip))?;
        self.take(Kind::SignInsByName, &folded(name))
    }

    /// A look at the own password by somebody who is signed in.
    pub fn password_check(&self, user: UserId) -> Result<(), AppError> {
        self.take(Kind::PasswordChecks, &user.0.to_le_bytes())
    }

    /// A look-up of a one-time link.
    pub fn link(&self, ip: IpAddr) -> Result<(), AppError> {
        self.take(Kind::Links, &bytes_of(ip))
    }

    /// A live socket that is opened from this address; to be called before anything is looked up for it.
    pub fn opening(&self, ip: IpAddr) -> Result<(), AppError> {
        self.take(Kind::Openings, &bytes_of(ip))
    }

    /// A connection to the echo of the study note, counted until the permit is dropped.
    /// `TooManyConnections`.
    pub fn echo_connection(&self, ip: IpAddr) -> Result<ConnectionPermit, AppError> {
        self.echo_connections.enter(network(ip))
    }

    fn take(&self, kind: Kind, whose: &[u8]) -> Result<(), AppError> {
        self.buckets.as_ref().map_or(Ok(()), |buckets| buckets.take(kind, whose))
    }
}

impl Buckets {
    fn take(&self, kind: Kind, whose: &[u8]) -> Result<(), AppError> {
        let told = self.tells && kind.is_shared();
        let taken = self.kinds[kind as usize].take(&self.name(kind, whose), told, self.now());
        taken.map_err(|wait| AppError::RateLimited { retry_after_ms: whole_ms(Duration::from_nanos(wait)) })
    }

    fn untold(&self) -> Vec<Spending> {
        let of_kind = |(kind, keyed): (u8, &Keyed)| {
            keyed.take_untold().into_iter().map(move |(bucket, count)| Spent { kind, bucket, count })
        };
        let all: Vec<_> = (0..).zip(&self.kinds).flat_map(of_kind).collect();
        all.chunks(TOLD_TOGETHER).map(|list| Spending { node: self.node, list: list.to_vec() }).collect()
    }

    /// Without the secret nobody can tell whose it is, though there are few addresses and accounts. All
    /// inputs of a kind have one length, so no two are written alike.
    fn name(&self, kind: Kind, whose: &[u8]) -> Name {
        let digest = Sha256::new().chain_update(self.secret).chain_update([kind as u8]).chain_update(whose).finalize();
        let mut name = Name::default();
        name.copy_from_slice(&digest[..16]);
        name
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What one subscriber has, as so many bytes.
fn bytes_of(ip: IpAddr) -> [u8; 16] {
    match network(ip) {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two nodes with a secret in common.
    fn nodes(settle: impl FnOnce(&mut Config)) -> [RateLimits; 2] {
        let mut config = Config::default();
        settle(&mut config);
        [7, 7].map(|secret| RateLimits::shared(&config, [secret; 32]))
    }

    fn untold(limits: &RateLimits) -> Vec<Spending> {
        limits.buckets.as_ref().unwrap().untold()
    }

    /// How many posts are let through.
    fn posts(limits: &RateLimits) -> usize {
        (0..1_000).take_while(|_| limits.post(UserId(1)).is_ok()).count()
    }

    fn few(config: &mut Config) {
        (config.limits.posts_burst, config.limits.posts_per_minute) = (10, 1);
    }

    #[test]
    fn what_was_taken_on_one_node_is_owed_on_the_other() {
        let [one, other] = nodes(few);
        (0..7).for_each(|_| one.post(UserId(1)).unwrap());
        let told = untold(&one);
        for spending in &told {
            other.owe(spending);
            one.owe(spending);
        }
        assert_eq!((posts(&other), posts(&one)), (3, 3), "its own words change nothing");
        untold(&other).iter().for_each(|spending| one.owe(spending));
        assert!(one.post(UserId(1)).unwrap_err().retry_after_ms() > Some(3 * 60_000), "three tokens are owed");
        other.post(UserId(2)).unwrap();
        assert_eq!(untold(&RateLimits::new(&Config::default())), []);
    }

    #[test]
    fn what_is_told_says_nothing_of_whose_it_is() {
        let [one, other] = nodes(|_| {});
        let stranger = RateLimits::shared(&Config::default(), [8; 32]);
        let ip = "192.0.2.1".parse().unwrap();
        for limits in [&one, &other, &stranger] {
            limits.link(ip).unwrap();
            limits.sign_in(ip, "mina").unwrap();
            limits.opening(ip).unwrap();
        }
        let names = |limits| untold(limits).into_iter().flat_map(|told| told.list).map(|spent| spent.bucket);
        let [one, other, stranger] = [&one, &other, &stranger].map(|limits| names(limits).collect::<Vec<_>>());
        assert_eq!(one, other);
        assert_eq!(one.len(), 3, "what every socket does is not told");
        assert_ne!(one[0], one[1], "the same address has another name for another limit");
        assert!(!stranger.contains(&one[0]) && !stranger.contains(&one[1]));
    }

    #[test]
    fn a_limit_of_a_newer_version_is_not_known_and_many_are_told_in_parts() {
        let [one, other] = nodes(few);
        let list = vec![Spent { kind: 200, bucket: [1; 16], count: 5 }];
        other.owe(&Spending { node: 1, list });
        assert_eq!(posts(&other), 10);
        (0..450).for_each(|user| one.post(UserId(user)).unwrap());
        assert_eq!(untold(&one).iter().map(|told| told.list.len()).collect::<Vec<_>>(), [200, 200, 50]);
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
}
