use super::tasks::lane_words;
use crate::api;
use crate::client::session::Session;
use crate::domain::TaskState;
use crate::protocol::{TaskView, TasksPage};
use crate::ui::attempt::Attempt;
use crate::ui::components::{ErrorNote, Icon, percent, state_glyph, state_words};
use crate::ui::live::{act, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use leptos::prelude::*;
use std::sync::Arc;

/// One task: what, when, how often, why not.
#[component]
pub fn TaskLine(key: Arc<str>, tasks: Loaded<TasksPage>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().tasks;
    let find = move || tasks.read(|page| page.tasks.iter().find(|task| task.id.as_str() == &*key).cloned()).flatten();
    let task = Memo::new(move |before: Option<&Option<TaskView>>| find().or_else(|| before.cloned().flatten()));
    let Some(first) = task.get_untracked() else { return ().into_any() };
    let name = (texts.kind)(&first.task);
    let of = move |read: fn(&TaskView) -> Option<String>| live(move || task.read().as_ref().and_then(read));
    let state = memo(move || task.read().as_ref().map_or(TaskState::Queued, |task| task.state));
    let facts = use_facts(task, tasks);
    let failure = live(move || {
        let task = task.read();
        let code = task.as_ref()?.error.as_ref()?;
        Some((texts.failure)(code))
    });
    let repeats = live(move || task.read().as_ref()?.repeat.as_ref().map(|when| (texts.repeats)(when)));
    view! {
        <li data-state=live(move || state.get().as_str())>
            {live(move || view! { <Icon glyph=state_glyph(state.get())/> }.into_any())}
            <div class="what">
                <p>{name.clone()} " " <span class="lane">{lane_words(texts, Some(first.lane))}</span></p>
                <p class="hint">{live(move || format!("{} · {}", state_words(texts, state.get()), facts()))}</p>
                <p class="hint">{repeats}</p>
                <p class="failure">{failure}</p>
                <p class="hint">{of(|task| task.message.clone())}</p>
            </div>
            <Powers task state tasks name/>
        </li>
    }
    .into_any()
}

/// How often it has run, since when and how far, or when it will or did.
fn use_facts(task: Memo<Option<TaskView>>, tasks: Loaded<TasksPage>) -> impl Fn() -> String + Send + Sync + Copy {
    let reader = Reader::expect();
    let (texts, locale) = (&reader.texts().tasks, reader.locale());
    let session = Session::expect();
    let (zone, today) = (session.zone(), session.now());
    let when = move |at| {
        let offset = zone.get().offset_min_at(at);
        format!("{} {}", locale.day(at, offset, today.get()), locale.time(at, offset))
    };
    move || {
        let task = task.read();
        let Some(task) = task.as_ref() else { return String::new() };
        let mut facts = vec![(texts.attempts)(task.attempts, task.max_attempts)];
        let now = tasks.read(|page| page.now).unwrap_or_default();
        let until = if task.state == TaskState::Running { Some(now) } else { task.ended };
        if let (Some(begun), Some(until)) = (task.started, until) {
            facts.push((texts.lasted)(((until - begun).max(0) / 1_000) as u32));
        }
        facts.extend(task.run_at.map(|at| (texts.runs_at)(&when(at))));
        facts.extend(task.ended.map(|at| (texts.ended_at)(&when(at))));
        let told = task.progress.as_ref().filter(|_| task.state == TaskState::Running);
        facts.extend(told.and_then(|told| Some(format!("{}%", percent(told.current, told.total?.max(1))))));
        facts.join(" · ")
    }
}

/// What an owner can do with it.
#[component]
fn Powers(
    task: Memo<Option<TaskView>>,
    state: Memo<TaskState>,
    tasks: Loaded<TasksPage>,
    name: String,
) -> impl IntoView {
    let texts = &Reader::expect().texts().tasks;
    let attempt = Attempt::<()>::new();
    let again = move || state.get().can_run_again();
    let press = move |_| {
        let Some(TaskView { id, .. }) = task.get_untracked() else { return };
        match untrack(again) {
            true => attempt.begin(api::run_task_again(id), move |()| tasks.refetch()),
            false => attempt.begin(api::cancel_task(id), move |()| tasks.refetch()),
        }
    };
    let button = move |label| {
        view! {
            <button type="button" class="button quiet small" aria-disabled=live(move || attempt.busy()) on:click=act(press)>
                {label}
            </button>
        }
        .into_any()
    };
    view! {
        <div class="line-actions" role="group" aria-label=(texts.actions_for)(&name)>
            {live(move || match state.get() {
                TaskState::Succeeded => ().into_any(),
                _ => button(if again() { texts.again } else { texts.cancel }),
            })}
        </div>
        <div class="full"><ErrorNote code=Signal::derive(move || attempt.refusal())/></div>
    }
}
