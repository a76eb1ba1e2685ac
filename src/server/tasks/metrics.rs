use crate::domain::Lane;
use crate::server::store::{RunEnd, Task};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;

/// What this process' worker does.
#[derive(Clone)]
pub struct TaskMetrics {
    /// Runs under way.
    running: Family<LaneLabels, Gauge>,
    ended: Family<EndLabels, Counter>,
    /// From the moment at which a run might begin until it did.
    waited: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabels {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum End {
    Succeeded,
    Failed,
    Retry,
    Cancelled,
    GivenBack,
}

impl TaskMetrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register("tasks_running", "Runs of tasks under way here, by lane", self.running.clone());
        registry.register("task_runs", "Runs of tasks that ended here, by how", self.ended.clone());
        registry.register("task_wait_seconds", "Time from a task's being due to its start here", self.waited.clone());
    }

    /// A run begins at `now`, Unix milliseconds.
    pub(super) fn begin(&self, task: &Task, now: i64) {
        self.gauge(task.lane).inc();
        self.waited.observe((now - task.run_at).max(0) as f64 / 1_000.0);
    }

    pub(super) fn end(&self, lane: Lane, end: &RunEnd) {
        self.gauge(lane).dec();
        let end = match end {
            RunEnd::Succeeded(_) => End::Succeeded,
            RunEnd::Failed(_) => End::Failed,
            RunEnd::Retry { .. } => End::Retry,
            RunEnd::Cancelled => End::Cancelled,
            RunEnd::GivenBack => End::GivenBack,
        };
        self.ended.get_or_create(&EndLabels { end }).inc();
    }

    fn gauge(&self, lane: Lane) -> Gauge {
        self.running.get_or_create_owned(&LaneLabels { lane: lane.as_str() })
    }
}

impl Default for TaskMetrics {
    fn default() -> TaskMetrics {
        TaskMetrics {
            running: Family::default(),
            ended: Family::default(),
            waited: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
        }
    }
}
