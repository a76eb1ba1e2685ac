use super::desk::Desk;
use super::{Dialog, ErrorNote, Fetched};
use crate::api::{self, Schedule};
use crate::client::session::Session;
use crate::client::{now_ms, utc_offset_min_at, zone_name};
use crate::domain::{CivilTime, Day, Recurrence, When};
use crate::protocol::ScheduledView;
use crate::ui::attempt::Attempt;
use crate::ui::live::{act, live};
use crate::ui::loaded::Loaded;
use crate::ui::reader::{Reader, texts};
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

type Waiting = Loaded<Vec<ScheduledView>>;

/// The dialog that has what is in the composer sent later, and shows what is to be.
#[component]
pub fn SendLater(desk: Desk, slug: String, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title=Signal::stored(texts().later.title.to_owned())>
            <Content desk slug=slug.clone() open/>
        </Dialog>
    }
}

#[component]
fn Content(desk: Desk, slug: String, open: RwSignal<bool>) -> impl IntoView {
    let texts = &texts().later;
    let waiting = Loaded::new(None, || (), move |()| api::scheduled_messages(slug.clone()));
    let body = desk.text();
    view! {
        {match body.is_empty() {
            true => view! { <p>{texts.no_text}</p> }.into_any(),
            false => view! { <Form desk body open/> }.into_any(),
        }}
        <section class="scheduled">
            <h3>{texts.list}</h3>
            <Fetched progress=waiting.progress() here=Box::new(move || view! { <List waiting/> }.into_any())/>
        </section>
    }
}

/// What the form offers for repeating; the third is for workdays.
const ONCE: &str = "once";
const DAILY: &str = "daily";
const WORKDAYS: &str = "workdays";
const WEEKLY: &str = "weekly";

#[component]
fn Form(desk: Desk, body: String, open: RwSignal<bool>) -> impl IntoView {
    let all = texts();
    let texts = &all.later;
    let now = now_ms();
    let tomorrow = When::At(Day::In(1), 9 * 60).at(now, utc_offset_min_at).unwrap_or(now);
    let CivilTime { year, month, day, .. } = CivilTime::at(tomorrow, utc_offset_min_at(tomorrow));
    let date = NodeRef::<html::Input>::new();
    let time = NodeRef::<html::Input>::new();
    let repeat = NodeRef::<html::Select>::new();
    let chosen = RwSignal::new(tomorrow);
    let moment = move || {
        let value = |field: NodeRef<html::Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
        moment_of(&value(date), &value(time))?.at(now_ms(), utc_offset_min_at)
    };
    let attempt = Attempt::new();
    let said = body.clone();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(at) = moment() else { return };
        let often = repeat.get_untracked().map(|field| field.value()).unwrap_or_default();
        let schedule = Schedule { at: Some(at), repeat: cron_of(&often, at), zone: zone_name() };
        desk.schedule(attempt, said.clone(), schedule, move || open.set(false));
    };
    let weekly = live(move || (texts.weekly)(civil(chosen.get())));
    let changed = move || {
        if let Some(at) = moment() {
            chosen.set(at);
        }
    };
    let field = |id: &'static str, label: &'static str, control: AnyView| {
        view! { <div class="field"><label for=id>{label}</label>{control}</div> }.into_any()
    };
    view! {
        <form class="dialog-form" on:submit=act(submit)>
            <p class="quoted truncate">{body}</p>
            <p class="hint" hidden=untrack(|| desk.uploads.is_empty())>{texts.without_files}</p>
            <div class="when">
                {field("later-date", texts.date, view! {
                    <input class="input" id="later-date" type="date" required node_ref=date
                        value=format!("{year:04}-{month:02}-{day:02}") on:change=act(move |_| changed())/>
                }.into_any())}
                {field("later-time", texts.time, view! {
                    <input class="input" id="later-time" type="time" required node_ref=time value="09:00"/>
                }.into_any())}
                {field("later-repeat", texts.repeat, view! {
                    <select class="input" id="later-repeat" node_ref=repeat>
                        <option value=ONCE>{texts.once}</option>
                        <option value=DAILY>{texts.daily}</option>
                        <option value=WORKDAYS>{texts.workdays}</option>
                        <option value=WEEKLY>{weekly}</option>
                    </select>
                }.into_any())}
            </div>
            <ErrorNote code=Signal::derive(move || attempt.refusal())/>
            <div class="dialog-actions">
                <button class="button primary" aria-disabled=live(move || attempt.busy())>{texts.schedule}</button>
            </div>
        </form>
    }
}

fn civil(at: i64) -> CivilTime {
    CivilTime::at(at, utc_offset_min_at(at))
}

/// What date and time fields hold: `2026-12-24` and `18:00`.
fn moment_of(date: &str, time: &str) -> Option<When> {
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?.parse().ok()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
    let (hour, minute) = time.split_once(':')?;
    // Some browsers add seconds.
    let minute: u32 = minute.split(':').next()?.parse().ok()?;
    Some(When::At(Day::Date(year, month, day), hour.parse::<u32>().ok()? * 60 + minute))
}

fn cron_of(often: &str, at: i64) -> Option<String> {
    let civil = civil(at);
    let recurrence = match often {
        DAILY => Recurrence::Daily,
        WORKDAYS => Recurrence::Workdays,
        WEEKLY => Recurrence::Weekly(civil.weekday),
        _ => return None,
    };
    Some(recurrence.cron(civil.hour * 60 + civil.minute))
}

#[component]
fn List(waiting: Waiting) -> impl IntoView {
    let texts = &texts().later;
    live(move || {
        let list = waiting.read(Clone::clone).unwrap_or_default();
        match list.is_empty() {
            true => view! { <p class="hint">{texts.none}</p> }.into_any(),
            false => view! {
                <ul class="lines">{list.into_iter().map(|one| view! { <Line one waiting/> }).collect_view()}</ul>
            }
            .into_any(),
        }
    })
}

#[component]
fn Line(one: ScheduledView, waiting: Waiting) -> impl IntoView {
    let texts = &texts().later;
    let attempt = Attempt::new();
    let id = one.id.clone();
    let cancel = move |_| attempt.begin(api::cancel_task(id.clone()), move |()| waiting.refetch());
    let when = moment_words(one.at);
    let when = match one.repeat.as_deref() {
        Some(cron) => (texts.repeats)(&often_words(cron, one.at), &when),
        None => when,
    };
    view! {
        <li>
            <div class="what">
                <p class="truncate">{one.body}</p>
                <p class="hint">{when}</p>
            </div>
            <button type="button" class="button quiet small" aria-disabled=live(move || attempt.busy()) on:click=act(cancel)>
                {texts.cancel}
            </button>
            <div class="full"><ErrorNote code=Signal::derive(move || attempt.refusal())/></div>
        </li>
    }
}

fn often_words(cron: &str, at: i64) -> String {
    let texts = &texts().later;
    match Recurrence::of_cron(cron) {
        Some((Recurrence::Daily, _)) => texts.daily.to_owned(),
        Some((Recurrence::Workdays, _)) => texts.workdays.to_owned(),
        Some((Recurrence::Weekly(_), _)) => (texts.weekly)(civil(at)),
        None => cron.to_owned(),
    }
}

/// Day and time of a moment in the future, where the reader is.
pub fn moment_words(at: i64) -> String {
    let (reader, session) = (Reader::expect(), Session::expect());
    let locale = reader.locale();
    let offset = session.zone().get_untracked().offset_min_at(at);
    let day = locale.day(at, offset, session.now().get_untracked());
    (reader.texts().later.when)(&day, &locale.time(at, offset))
}

/// When something that is being written would be sent.
pub fn plan_words(when: When) -> String {
    let texts = &texts().later;
    let now = now_ms();
    match when {
        When::Every(recurrence, minute) => {
            let day = match recurrence {
                Recurrence::Weekly(weekday) => Day::Weekday(weekday),
                _ => Day::Next,
            };
            let at = When::At(day, minute).at(now, utc_offset_min_at).unwrap_or(now);
            let time = Reader::expect().locale().time(at, utc_offset_min_at(at));
            (texts.when)(&often_words(&recurrence.cron(minute), at), &time)
        }
        when => when.at(now, utc_offset_min_at).map(moment_words).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_fill_them() {
        let evening = When::At(Day::Date(2026, 12, 24), 18 * 60);
        assert_eq!(moment_of("2026-12-24", "18:00"), Some(evening));
        assert_eq!(moment_of("2026-12-24", "18:00:00"), Some(evening));
        for (date, time) in [("", "18:00"), ("2026-12", "18:00"), ("2026-12-24", ""), ("2026-12-24", "18")] {
            assert_eq!(moment_of(date, time), None, "{date} {time}");
        }
    }
}
