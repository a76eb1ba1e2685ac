use super::{Compute, Progress, Refused};
use serde::{Deserialize, Serialize};

/// Counts primes: work that does nothing but compute, for trying out what it costs the others.
pub struct Primes;

/// Numbers of one piece of work: small enough for a cache, and for progress to be told often.
const PIECE: u64 = 1 << 18;

/// Far more than anybody waits for.
const MOST: u64 = 1 << 40;

#[derive(Debug, Serialize, Deserialize)]
pub struct Range {
    pub below: u64,
}

impl Compute for Primes {
    const NAME: &'static str = "primes";
    type Input = Range;
    type Output = u64;

    fn run(Range { below }: Range, progress: &mut Progress) -> Result<u64, Refused> {
        if below > MOST {
            return Err(Refused::new("too_many"));
        }
        let small = small_primes(below.isqrt());
        let mut count = 0;
        for begin in (2..below).step_by(PIECE as usize) {
            progress.tell(begin, below);
            count += primes_of_piece(begin, (begin + PIECE).min(below), &small);
        }
        Ok(count)
    }
}

/// The sieve of Eratosthenes.
fn small_primes(most: u64) -> Vec<u64> {
    let mut primes: Vec<u64> = Vec::new();
    for number in 2..=most {
        if primes.iter().take_while(|prime| *prime * *prime <= number).all(|prime| number % prime != 0) {
            primes.push(number);
        }
    }
    primes
}

fn primes_of_piece(begin: u64, end: u64, small: &[u64]) -> u64 {
    let mut composite = vec![false; (end - begin) as usize];
    for prime in small.iter().take_while(|prime| *prime * *prime < end) {
        let first = (prime * prime).max(begin.next_multiple_of(*prime));
        for multiple in (first..end).step_by(*prime as usize) {
            composite[(multiple - begin) as usize] = true;
        }
    }
    composite.iter().filter(|composite| !**composite).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_counted_also_across_pieces() {
        for (below, count) in [(0, 0), (2, 0), (3, 1), (100, 25), (1_000_000, 78_498)] {
            assert_eq!(Primes::run(Range { below }, &mut Progress::new(std::io::sink())).unwrap(), count, "{below}");
        }
    }
}
