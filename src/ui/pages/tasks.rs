use super::task_line::TaskLine;
use crate::api::{self, Place};
use crate::client::{is_visible, sleep_ms};
use crate::domain::{Lane, TaskList};
use crate::i18n::Tasks;
use crate::protocol::{ErrorBody, TaskTotal, TasksFilter, TasksPage as Page};
use crate::ui::answer::AnswerStatus;
use crate::ui::components::{Fetched, Rows, Sheet};
use crate::ui::first::First;
use crate::ui::live::{effect, live, memo};
use crate::ui::loaded::{Loaded, Progress};
use crate::ui::reader::texts;
use crate::ui::title;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use std::sync::Arc;

/// Milliseconds between two looks while something runs or waits for its turn, and otherwise.
const LOOK_MS: u32 = 1_000;
const IDLE_MS: u32 = 5_000;

/// `/tasks`: what runs in the background, for owners.
#[component]
pub fn TasksPage() -> impl IntoView {
    let texts = &texts().tasks;
    let query = use_query_map();
    let filter = memo(move || {
        let query = query.read();
        TasksFilter::of(query.get_str("list"), query.get_str("lane"))
    });
    let first = First::take(|place| tasks_at(place, filter.get_untracked()));
    if let Some(Err(error)) = &first {
        AnswerStatus::tell(error.code);
    }
    let tasks = Loaded::new(first, move || filter.get(), |filter| api::tasks(filter.list, filter.lane));
    effect(move || spawn_local(keep_looking(tasks)));
    title::keep(Signal::stored(texts.title.to_owned()));
    view! {
        <Sheet title=texts.title>
            <section class="section tasks">
                <header><p>{texts.intro}</p></header>
                <Fetched progress=tasks.progress() here=Box::new(move || view! { <Everything tasks filter/> }.into_any())/>
            </section>
        </Sheet>
    }
}

/// What the page brought, if it is this one.
fn tasks_at(place: &Place, wanted: TasksFilter) -> Option<Result<Page, ErrorBody>> {
    match place {
        Place::Tasks { filter, tasks } if *filter == wanted => Some(tasks.clone()),
        _ => None,
    }
}

/// Looks again as long as the page is there; not while nobody sees it, nor where one may not.
async fn keep_looking(tasks: Loaded<Page>) {
    let mut here = true;
    while here {
        let moves = untrack(|| tasks.read(|page| moving(&page.totals)));
        sleep_ms(if moves == Some(true) { LOOK_MS } else { IDLE_MS }).await;
        let refused = matches!(tasks.try_progress(), Some(Progress::Failed(code)) if !code.retryable());
        here = !refused && (!is_visible() || tasks.freshen());
    }
}

fn moving(totals: &[TaskTotal]) -> bool {
    totals.iter().any(|total| matches!(total.list, TaskList::Running | TaskList::Waiting) && total.count > 0)
}

#[component]
fn Everything(tasks: Loaded<Page>, filter: Memo<TasksFilter>) -> impl IntoView {
    let texts = &texts().tasks;
    let keys = memo(move || {
        let keys = |page: &Page| page.tasks.iter().map(|task| Arc::from(task.id.as_str())).collect::<Vec<_>>();
        tasks.read(keys).unwrap_or_default()
    });
    let listed = memo(move || keys.read().len() as u64);
    let more = move || tasks.read(|page| sum(&page.totals, filter.get()) > listed.get()).unwrap_or(false);
    let lists = move || {
        let to = |list| TasksFilter { list, ..filter.get() };
        TaskList::ALL.map(|list| tab(list_words(texts, list), to(list), tasks, filter)).collect_view()
    };
    let lanes = move || {
        let to = |lane| TasksFilter { lane, ..filter.get() };
        let lanes = std::iter::once(None).chain(Lane::ALL.map(Some));
        lanes.map(|lane| tab(lane_words(texts, lane), to(lane), tasks, filter)).collect_view()
    };
    view! {
        <nav class="tabs" aria-label=texts.lists>{live(lists)}</nav>
        <nav class="tabs" aria-label=texts.lanes>{live(lanes)}</nav>
        <ul class="lines">
            <Rows keys row=Arc::new(move |key| view! { <TaskLine key tasks/> }.into_any())/>
        </ul>
        <p class="none" hidden=live(move || listed.get() > 0)>{texts.none}</p>
        <p class="none" hidden=live(move || listed.get() == 0 || !more())>
            {live(move || (texts.shown)(listed.get() as u32))}
        </p>
    }
}

/// The way to other tasks, and how many of them there are.
fn tab(label: &'static str, to: TasksFilter, tasks: Loaded<Page>, filter: Memo<TasksFilter>) -> AnyView {
    let count = live(move || tasks.read(|page| sum(&page.totals, to)).unwrap_or_default().to_string());
    view! {
        <a href=to.address() aria-current=(filter.get_untracked() == to).then_some("page")>
            {label}
            <span class="count">{count}</span>
        </a>
    }
    .into_any()
}

fn sum(totals: &[TaskTotal], of: TasksFilter) -> u64 {
    let counted = |total: &&TaskTotal| total.list == of.list && of.lane.is_none_or(|lane| lane == total.lane);
    totals.iter().filter(counted).map(|total| total.count).sum()
}

fn list_words(texts: &Tasks, list: TaskList) -> &'static str {
    match list {
        TaskList::Running => texts.list_running,
        TaskList::Waiting => texts.list_waiting,
        TaskList::Scheduled => texts.list_scheduled,
        TaskList::Failed => texts.list_failed,
        TaskList::Ended => texts.list_ended,
    }
}

pub(super) fn lane_words(texts: &Tasks, lane: Option<Lane>) -> &'static str {
    match lane {
        None => texts.lane_any,
        Some(Lane::Io) => texts.lane_io,
        Some(Lane::Blocking) => texts.lane_blocking,
        Some(Lane::Cpu) => texts.lane_cpu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_lane_or_of_all() {
        let total = |lane, list, count| TaskTotal { lane, list, count };
        let totals = [
            total(Lane::Io, TaskList::Failed, 2),
            total(Lane::Cpu, TaskList::Failed, 3),
            total(Lane::Cpu, TaskList::Scheduled, 7),
        ];
        let of = |lane| sum(&totals, TasksFilter { list: TaskList::Failed, lane });
        assert_eq!((of(None), of(Some(Lane::Cpu)), of(Some(Lane::Blocking))), (5, 3, 0));
        assert!(!moving(&totals) && moving(&[total(Lane::Io, TaskList::Running, 1)]));
    }

    #[test]
    fn an_address_leads_back_to_its_filter() {
        for (list, lane, address) in [
            (TaskList::Failed, Some(Lane::Cpu), "/tasks?list=failed&lane=cpu"),
            (TaskList::Running, None, "/tasks?list=running"),
        ] {
            assert_eq!(TasksFilter { list, lane }.address(), address);
        }
        let filter = TasksFilter::of(Some("nonsense"), Some("x"));
        assert_eq!(filter, TasksFilter { list: TaskList::Running, lane: None });
    }
}
