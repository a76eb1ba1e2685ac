use super::moment::ClockTime;
use super::{ErrorNote, Glyph, Icon, place};
use crate::api;
use crate::client::conversation::TaskItem;
use crate::client::room_session::RoomSession;
use crate::client::session::Session;
use crate::domain::{Progress, Seq, TaskState};
use crate::i18n::Tasks;
use crate::ui::attempt::Attempt;
use crate::ui::live::{act, effect, live, memo};
use crate::ui::reader::{Reader, texts};
use leptos::prelude::*;
use std::time::Duration;

/// Work that somebody started, and how far it is. It takes the same room from the first moment to the last, but
/// for what a result or an error has to say. Said aloud is that it is there and how it ended, nothing between.
#[component]
pub fn TaskCard(task: Memo<TaskItem>, room: RoomSession) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().tasks;
    // What it is and who started it never changes.
    let TaskItem { key, id, task: kind, by, .. } = task.get_untracked();
    let name = (texts.kind)(&kind);
    let at = memo(move || task.read().at);
    let state = memo(move || task.read().status.state);
    let progress = memo(move || if state.get() == TaskState::Running { room.progress_of(&id) } else { None });
    let controls = reader.is_owner() || reader.is_me(by.id);
    let outcome = use_outcome(task, state, name.clone());
    view! {
        <li class="task" data-key=key.to_string() data-state=live(move || state.get().as_str())>
            {live(move || view! { <Icon glyph=state_glyph(state.get())/> }.into_any())}
            <div class="task-head">
                <span class="name">{name}</span>
                <span class="by truncate">{(texts.started_by)(&by.name)}</span>
                <ClockTime at/>
            </div>
            <p class="task-state" aria-live="off">
                <span class="what">{live(move || state_words(texts, state.get()))}</span>
                <Lasted task state/>
                <span class="message truncate">
                    {live(move || progress.read().as_ref().and_then(|told| told.message.clone()))}
                </span>
            </p>
            <div class="task-foot" aria-live="off">
                {live(move || match state.get() {
                    TaskState::Queued | TaskState::Retrying => view! { <div class="done"></div> }.into_any(),
                    TaskState::Running => view! { <Bar progress/> }.into_any(),
                    _ => view! { <Done task/> }.into_any(),
                })}
                {controls.then(|| view! { <Deeds task state/> }.into_any())}
            </div>
            <p class="unseen">{live(move || outcome.get())}</p>
        </li>
    }
}

pub fn state_words(texts: &Tasks, state: TaskState) -> &'static str {
    match state {
        TaskState::Queued => texts.queued,
        TaskState::Running => texts.running,
        TaskState::Retrying => texts.retrying,
        TaskState::Succeeded => texts.succeeded,
        TaskState::Failed => texts.failed,
        TaskState::Cancelled => texts.cancelled,
    }
}

pub fn state_glyph(state: TaskState) -> Glyph {
    match state {
        TaskState::Queued | TaskState::Retrying => Glyph::Clock,
        TaskState::Running => Glyph::Again,
        TaskState::Succeeded => Glyph::Check,
        TaskState::Failed => Glyph::Alert,
        TaskState::Cancelled => Glyph::Close,
    }
}

/// How a task ended while its card was in sight, in words; otherwise nothing.
fn use_outcome(task: Memo<TaskItem>, state: Memo<TaskState>, name: String) -> RwSignal<String> {
    let texts = &texts().tasks;
    let outcome = RwSignal::new(String::new());
    Effect::new(move |before: Option<bool>| {
        let ended = state.get().is_final();
        if before == Some(!ended) {
            let status = task.read_untracked().status.clone();
            let more = status.result.or(status.error.map(|code| (texts.failure)(&code))).unwrap_or_default();
            let words = format!("{name}: {}. {more}", state_words(texts, status.state));
            outcome.set(if ended { words } else { String::new() });
        }
        ended
    });
    outcome
}

/// For how long the last run has gone on, or went on. Moves with the clock only while it runs.
#[component]
fn Lasted(task: Memo<TaskItem>, state: Memo<TaskState>) -> impl IntoView {
    let texts = &texts().tasks;
    let session = Session::expect();
    let now = RwSignal::new(session.now().get_untracked());
    effect(move || {
        if state.get() == TaskState::Running {
            now.set(session.server_now());
            let tick = move || {
                now.try_set(session.server_now());
            };
            if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
                on_cleanup(move || handle.clear());
            }
        }
    });
    let words = move || {
        let status = &task.read().status;
        let until = if status.state == TaskState::Running { Some(now.get()) } else { status.ended };
        let lasted = until? - status.started?;
        Some((texts.lasted)((lasted.max(0) / 1_000) as u32))
    };
    view! { <span class="lasted">{live(words)}</span> }
}

#[component]
fn Bar(progress: Memo<Option<Progress>>) -> impl IntoView {
    let parts = move || progress.read().as_ref().and_then(|told| Some((told.current, told.total?.max(1))));
    let value = live(move || parts().map(|(current, total)| current.min(total).to_string()));
    let max = live(move || parts().map(|(_, total)| total.to_string()));
    let percent = live(move || parts().map(|(current, total)| format!("{}%", percent(current, total))));
    view! {
        <progress max=max value=value aria-label=texts().tasks.progress></progress>
        <span class="percent">{percent}</span>
    }
}

/// Whole percents of a `total` that is not zero.
pub fn percent(current: u64, total: u64) -> u64 {
    current.min(total).saturating_mul(100) / total
}

/// What came of it.
#[component]
fn Done(task: Memo<TaskItem>) -> impl IntoView {
    let texts = &texts().tasks;
    live(move || {
        let status = task.read().status.clone();
        let words = match status.state {
            TaskState::Failed => status.error.map(|code| (texts.failure)(&code)),
            _ => status.result,
        };
        // Of this server, and nowhere else.
        let link = status.link.filter(|link| link.starts_with('/') && !link.starts_with("//"));
        view! {
            <div class="done">
                <span class="words">{words}</span>
                {link.map(|link| view! {
                    <a class="button small" href=link rel="external" download="">{texts.download}</a>
                }.into_any())}
            </div>
        }
        .into_any()
    })
}

/// What whoever started it, and an owner, can do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    Cancel,
    Again,
}

#[component]
fn Deeds(task: Memo<TaskItem>, state: Memo<TaskState>) -> impl IntoView {
    let texts = &texts().tasks;
    let attempt = Attempt::<()>::new();
    // The state in which it was asked for: until another one comes it is under way.
    let asked = RwSignal::new(Seq::ZERO);
    let busy = move || {
        let same = asked.get() == task.read().rev;
        (same && (attempt.busy().is_some() || attempt.worked())).then_some("true")
    };
    let deed = memo(move || match state.get() {
        TaskState::Succeeded => Deed::Nothing,
        TaskState::Failed | TaskState::Cancelled => Deed::Again,
        _ => Deed::Cancel,
    });
    let begin = move |deed| {
        if untrack(busy).is_some() {
            return;
        }
        let TaskItem { id, rev, .. } = task.get_untracked();
        asked.set(rev);
        match deed {
            Deed::Again => attempt.begin(api::run_task_again(id), |()| {}),
            _ => attempt.begin(api::cancel_task(id), |()| {}),
        }
    };
    // The button goes with what it did: the focus stays near by.
    Effect::new(move |before: Option<Deed>| {
        let now = deed.get();
        let gone = before.is_some_and(|before| before != now) && asked.get_untracked() != Seq::ZERO;
        if gone {
            // The button may still be there, for a moment.
            let stay_near = || {
                if !place::is_there(":focus") || place::is_there(".task button:focus") {
                    place::focus(".scroller");
                }
            };
            set_timeout(stay_near, Duration::ZERO);
        }
        now
    });
    let button = move |deed, label| {
        let press = move |_| begin(deed);
        view! {
            <button type="button" class="button quiet small" aria-disabled=live(busy) on:click=act(press)>
                {label}
            </button>
        }
        .into_any()
    };
    view! {
        {live(move || match deed.get() {
            Deed::Nothing => ().into_any(),
            Deed::Cancel => button(Deed::Cancel, texts.cancel),
            Deed::Again => button(Deed::Again, texts.again),
        })}
        <ErrorNote code=Signal::derive(move || attempt.refusal())/>
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn there_is_no_more_than_all_of_it() {
        assert_eq!((percent(0, 5), percent(3, 5), percent(9, 5)), (0, 60, 100));
        assert!(percent(u64::MAX, u64::MAX) <= 100);
    }
}
