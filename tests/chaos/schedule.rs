//! What goes wrong, and when: a list that only the seed decides.

use crate::dice::Dice;
use std::fmt;

/// How many of a hundred connections a fault hits.
pub type Share = u64;

/// What may go wrong on a stage.
pub trait Fault: Clone + fmt::Debug {
    /// One of each kind, in any order.
    fn deck(dice: &mut Dice, length: Length) -> Vec<Self>;

    /// A few words for the table.
    fn name(&self) -> &'static str;

    /// The number of the only node that it hits.
    fn node(&self) -> Option<usize> {
        None
    }

    /// Nothing is gone meanwhile that posting needs.
    fn spares_posting(&self) -> bool {
        false
    }
}

/// Of a run, and so of its longest faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Short,
    Long,
}

#[derive(Clone, Debug)]
pub struct Step<F> {
    /// Milliseconds of calm before it.
    pub calm_ms: u64,
    pub fault: F,
}

#[derive(Clone, Debug)]
pub struct Schedule<F>(pub Vec<Step<F>>);

impl<F: Fault> Schedule<F> {
    /// Every kind comes once before one comes again.
    pub fn of(seed: u64, faults: usize, length: Length) -> Schedule<F> {
        let mut dice = Dice::new(seed);
        let mut steps = Vec::with_capacity(faults);
        while steps.len() < faults {
            let mut deck = F::deck(&mut dice, length);
            dice.shuffle(&mut deck);
            steps.extend(deck.into_iter().map(|fault| Step { calm_ms: dice.between(100, 900), fault }));
        }
        steps.truncate(faults);
        Schedule(steps)
    }

    /// One fault during which posting should go on; nothing where the stage has none.
    pub fn sparing(seed: u64) -> Schedule<F> {
        let mut dice = Dice::new(seed);
        let fault = F::deck(&mut dice, Length::Short).into_iter().find(F::spares_posting);
        Schedule(fault.into_iter().map(|fault| Step { calm_ms: 0, fault }).collect())
    }
}

impl<F: Fault> fmt::Display for Schedule<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| writeln!(f, "{:>5} ms  {:?}", step.calm_ms, step.fault))
    }
}
