//! Bugs that are planted in what a page showed, to see the oracle find them.

use super::{Evidence, Kind, Verdict, browser};
use crate::browser::{NAME, Row, Shown};
use anyhow::{Context, Result, ensure};

/// What it looks like, what it does to the record of a sound page, and what it is.
type Bug = (&'static str, fn(&mut Shown, &[usize]), Kind);

const BUGS: [Bug; 6] = [
    ("a post that the page dropped", |shown, _| shown.sent.push(format!("{NAME} #{}", shown.sent.len())), Kind::Lost),
    ("a row shown twice", |shown, rows| repeat(last(shown), rows[0]), Kind::Doubled),
    ("two rows exchanged", |shown, rows| last(shown).swap(rows[0], rows[1]), Kind::Reordered),
    ("a row that nobody wrote", |shown, rows| last(shown)[rows[0]].text = "nobody #0".into(), Kind::Phantom),
    ("a row missing in the end", |shown, _| drop(last(shown).pop()), Kind::Stuck),
    ("a page that breaks", |shown, _| shown.panics.push("unreachable".into()), Kind::Lost),
];

/// Each bug in turn is complained of, as what it is; their names.
pub fn are_seen(evidence: &Evidence) -> Result<Vec<&'static str>> {
    let Some(shown) = &evidence.shown else { return Ok(Vec::new()) };
    let rows = shown.seen.last().context("the page was never looked at")?;
    let told: Vec<_> = (0..rows.len()).filter(|row| browser::tag(&rows[*row].text).is_some()).collect();
    ensure!(told.len() >= 2, "the page showed too little to plant bugs in it");
    BUGS.into_iter()
        .map(|(name, plant, kind)| {
            let mut spoilt = shown.clone();
            plant(&mut spoilt, &told);
            let mut verdict = Verdict::default();
            browser::judge(&spoilt, &evidence.truth, &evidence.ledgers, &mut verdict);
            ensure!(verdict.count(kind) > 0, "the planted bug `{name}` was not seen");
            Ok(name)
        })
        .collect()
}

fn last(shown: &mut Shown) -> &mut Vec<Row> {
    let end = shown.seen.len() - 1;
    &mut shown.seen[end]
}

fn repeat(rows: &mut Vec<Row>, row: usize) {
    rows.insert(row, rows[row].clone());
}
