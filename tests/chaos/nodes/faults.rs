//! What goes wrong with several nodes and what they share.

use crate::dice::Dice;
use crate::schedule::{self, Length, Share};

/// The number of a node, from 0.
pub type Number = usize;

#[derive(Clone, Debug)]
pub enum Fault {
    /// `kill -9`, then a start.
    Kill {
        node: Number,
    },
    /// SIGTERM, a clean end, then a start.
    Deploy {
        node: Number,
    },
    /// That with each node, one after the other.
    RollingDeploy,
    /// SIGSTOP, SIGCONT.
    Freeze {
        node: Number,
        ms: u64,
    },
    /// Redis is not there for a while.
    RedisGone {
        ms: u64,
    },
    RedisRestart,
    /// `kill -9`, and what it had stored is gone too.
    RedisEmptied,
    /// Redis keeps its connections and answers nothing.
    RedisFrozen {
        ms: u64,
    },
    /// What happens between one node and Redis.
    Redis {
        node: Number,
        how: Break,
        ms: u64,
    },
    /// Its transactions end at once, then it stops; or it dies as in a crash.
    PostgresRestart {
        stop: Stop,
    },
    /// Postgres keeps its connections and answers nothing.
    PostgresFrozen {
        ms: u64,
    },
    /// What happens between one node and Postgres.
    Postgres {
        node: Number,
        how: Break,
        ms: u64,
    },
    /// The load balancer gets its configuration anew.
    BalancerReload,
    /// Connections of people are reset.
    Cut {
        share: Share,
    },
}

/// How a link breaks for a while.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// Connections are reset, and none is taken.
    Cut,
    /// Connections die without a sign, and new ones hang.
    HalfOpen,
    /// No bytes pass; they come later.
    Stalled,
}

#[derive(Clone, Copy, Debug)]
pub enum Stop {
    Fast,
    Immediate,
}

/// Of the stage.
pub const NODES: [&str; 3] = ["node1", "node2", "node3"];

impl schedule::Fault for Fault {
    fn deck(dice: &mut Dice, length: Length) -> Vec<Fault> {
        let gone = match length {
            Length::Short => 4_000,
            Length::Long => 30_000,
        };
        let mut deck = vec![Fault::RedisGone { ms: gone }];
        let mut node = || dice.between(0, NODES.len() as u64) as Number;
        let [killed, deployed, frozen] = [node(), node(), node()];
        let links = [Break::Cut, Break::HalfOpen, Break::Stalled].map(|how| (how, node(), node()));
        deck.extend([
            Fault::Kill { node: killed },
            Fault::Deploy { node: deployed },
            Fault::RollingDeploy,
            Fault::Freeze { node: frozen, ms: dice.between(500, 3_000) },
            Fault::RedisRestart,
            Fault::RedisEmptied,
            Fault::RedisFrozen { ms: dice.between(1_000, 4_000) },
            Fault::PostgresRestart { stop: Stop::Fast },
            Fault::PostgresRestart { stop: Stop::Immediate },
            Fault::PostgresFrozen { ms: dice.between(300, 1_500) },
            Fault::BalancerReload,
            Fault::Cut { share: *dice.pick(&[30, 60, 100]) },
        ]);
        for (how, redis, postgres) in links {
            // Long enough to be found out by pings.
            deck.push(Fault::Redis { node: redis, how, ms: dice.between(1_000, 5_000) });
            deck.push(Fault::Postgres { node: postgres, how, ms: dice.between(1_000, 4_000) });
        }
        deck
    }

    fn name(&self) -> &'static str {
        match self {
            Fault::Kill { .. } => "kill -9 of a node",
            Fault::Deploy { .. } => "deploy of a node (SIGTERM)",
            Fault::RollingDeploy => "rolling deploy",
            Fault::Freeze { .. } => "node frozen (SIGSTOP)",
            Fault::RedisGone { .. } => "Redis gone",
            Fault::RedisRestart => "Redis restarted",
            Fault::RedisEmptied => "Redis restarted empty",
            Fault::RedisFrozen { .. } => "Redis frozen (SIGSTOP)",
            Fault::Redis { how: Break::Cut, .. } => "Redis cut from a node",
            Fault::Redis { how: Break::HalfOpen, .. } => "Redis half-open to a node",
            Fault::Redis { how: Break::Stalled, .. } => "Redis stalled for a node",
            Fault::PostgresRestart { stop: Stop::Fast } => "Postgres restarted, fast",
            Fault::PostgresRestart { stop: Stop::Immediate } => "Postgres restarted, at once",
            Fault::PostgresFrozen { .. } => "Postgres frozen (SIGSTOP)",
            Fault::Postgres { how: Break::Cut, .. } => "Postgres cut from a node",
            Fault::Postgres { how: Break::HalfOpen, .. } => "Postgres half-open to a node",
            Fault::Postgres { how: Break::Stalled, .. } => "Postgres stalled for a node",
            Fault::BalancerReload => "load balancer reloaded",
            Fault::Cut { .. } => "connections cut",
        }
    }

    fn node(&self) -> Option<Number> {
        match self {
            Fault::Kill { node }
            | Fault::Deploy { node }
            | Fault::Freeze { node, .. }
            | Fault::Redis { node, .. }
            | Fault::Postgres { node, .. } => Some(*node),
            _ => None,
        }
    }

    fn spares_posting(&self) -> bool {
        matches!(
            self,
            Fault::RedisGone { .. }
                | Fault::RedisRestart
                | Fault::RedisEmptied
                | Fault::RedisFrozen { .. }
                | Fault::Redis { .. }
        )
    }
}
