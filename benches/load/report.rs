//! What was measured: for each scenario and server some figures, of which the median over the rounds counts.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// How the engine without a server is called.
pub const ENGINE: &str = "engine";

/// Figures of one run, by what they are.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<(&'static str, f64)>);

impl Figures {
    pub fn with(mut self, name: &'static str, figure: f64) -> Figures {
        self.0.push((name, figure));
        self
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.0.iter().map(|(name, figure)| format!("{name} {}", shown(*figure))).collect();
        f.write_str(&shown.join(" · "))
    }
}

/// Scenario and figure, then server.
type Runs = BTreeMap<&'static str, Vec<f64>>;

#[derive(Default)]
pub struct Report {
    /// In the order in which they were measured first.
    order: Vec<(&'static str, &'static str)>,
    runs: BTreeMap<(&'static str, &'static str), Runs>,
}

impl Report {
    pub fn add(&mut self, scenario: &'static str, server: &'static str, figures: Figures) {
        for (name, figure) in figures.0 {
            let key = (scenario, name);
            if !self.order.contains(&key) {
                self.order.push(key);
            }
            self.runs.entry(key).or_default().entry(server).or_default().push(figure);
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, &Runs)> {
        self.order.iter().filter_map(|key| Some((key.0, key.1, self.runs.get(key)?)))
    }

    /// Every run, with its median: `{scenario: {figure: {server: {"median", "runs"}}}}`.
    pub fn json(&self) -> String {
        let mut all = Map::new();
        for (scenario, figure, runs) in self.rows() {
            let servers: Map<_, _> = runs
                .iter()
                .map(|(server, runs)| ((*server).to_owned(), json!({ "median": median(runs), "runs": runs })))
                .collect();
            let scenario = all.entry(scenario).or_insert_with(|| Value::Object(Map::new()));
            scenario[figure] = Value::Object(servers);
        }
        Value::Object(all).to_string()
    }
}

/// As a Markdown table, with PickMate's share of what the bare server has, or else the bare engine.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| scenario | figure | PickMate | bare axum | bare engine | ratio |\n| --- | --- | --- | --- | --- | --- |"
        )?;
        for (scenario, figure, runs) in self.rows() {
            let [ours, axum, engine] =
                ["pickmate", "axum", ENGINE].map(|server| runs.get(server).map(|runs| median(runs)));
            let ratio = ours.zip(axum.or(engine)).map(|(ours, theirs)| ours / theirs);
            let cell = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), shown);
            writeln!(
                f,
                "| {scenario} | {figure} | {} | {} | {} | {} |",
                cell(ours),
                cell(axum),
                cell(engine),
                cell(ratio)
            )?;
        }
        Ok(())
    }
}

/// Of times in nanoseconds, in milliseconds; 0 of none.
pub fn quantile(times: &mut [u64], share: f64) -> f64 {
    times.sort_unstable();
    times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0) as f64 / 1e6
}

fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Three digits that say something.
fn shown(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        middle if middle >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
