use crate::api;
use crate::client::session::Session;
use crate::protocol::{ErrorBody, InviteView};
use crate::ui::attempt::Attempt;
use crate::ui::components::{CopyLink, ErrorNote};
use crate::ui::live::{act, live};
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

/// Days and people to choose from; the settings allow at least these.
const DAYS: [u32; 4] = [1, 7, 30, 90];
const USES: [u32; 4] = [1, 10, 50, 100];
const CHOSEN_DAYS: u32 = 7;
const CHOSEN_USES: u32 = 10;

/// Links by which others come in: making one, and those that were made.
#[component]
pub fn Invites(
    /// Those that were made, when the page brought them.
    first: Option<Result<Vec<InviteView>, ErrorBody>>,
) -> impl IntoView {
    let texts = Reader::expect().texts();
    let invites = Loaded::new(first, || (), |()| api::invites());
    let changed = Callback::new(move |()| invites.refetch());
    let list = live(move || match invites.get() {
        None => ().into_any(),
        Some(Ok(list)) => view! { <InviteList list changed/> }.into_any(),
        Some(Err(error)) => view! { <p class="note error" role="alert">{(texts.error)(error.code)}</p> }.into_any(),
    });
    view! {
        <section class="section">
            <header>
                <h2>{texts.people.invite_title}</h2>
                <p>{texts.people.invite_text}</p>
            </header>
            <NewInvite changed/>
            {list}
        </section>
    }
}

#[component]
fn NewInvite(changed: Callback<()>) -> impl IntoView {
    let texts = Reader::expect().texts();
    let (days, uses) = (NodeRef::<html::Select>::new(), NodeRef::<html::Select>::new());
    let create = Attempt::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (days, uses) = (chosen(days).unwrap_or(CHOSEN_DAYS), chosen(uses).unwrap_or(CHOSEN_USES));
        create.begin(api::create_invite(days, uses), move |_| changed.run(()));
    };
    let link = live(move || match create.outcome() {
        Some(address) => view! {
            <div class="once">
                <p class="hint">{texts.people.invite_once}</p>
                <CopyLink address label=texts.people.invites_title/>
            </div>
        }
        .into_any(),
        None => ().into_any(),
    });
    view! {
        <form class="row" on:submit=submit>
            <div class="field">
                <label for="invite-days">{texts.people.days}</label>
                <select class="input" id="invite-days" node_ref=days>
                    {options(&DAYS, CHOSEN_DAYS, texts.people.day_count)}
                </select>
            </div>
            <div class="field">
                <label for="invite-uses">{texts.people.uses}</label>
                <select class="input" id="invite-uses" node_ref=uses>
                    {options(&USES, CHOSEN_USES, texts.people.use_count)}
                </select>
            </div>
            <button class="button primary" aria-disabled=live(move || create.busy())>
                {texts.people.make_link}
            </button>
        </form>
        <ErrorNote code=Signal::derive(move || create.refusal())/>
        {link}
    }
}

fn chosen(select: NodeRef<html::Select>) -> Option<u32> {
    select.get_untracked()?.value().parse().ok()
}

fn options(values: &'static [u32], first: u32, words: fn(u32) -> String) -> impl IntoView {
    let option =
        |value: u32| view! { <option value=value selected={value == first}>{words(value)}</option> }.into_any();
    values.iter().copied().map(option).collect_view()
}

#[component]
fn InviteList(list: Vec<InviteView>, changed: Callback<()>) -> impl IntoView {
    let line = move |invite| view! { <Invite invite changed/> }.into_any();
    let none = list.is_empty();
    view! { <ul class="lines" hidden=none>{list.into_iter().map(line).collect_view()}</ul> }
}

#[component]
fn Invite(invite: InviteView, changed: Callback<()>) -> impl IntoView {
    let reader = Reader::expect();
    let (texts, locale) = (reader.texts(), reader.locale());
    let (zone, now) = (Session::expect().zone(), Session::expect().now());
    let InviteView { id, expires_at, uses, max_uses, revoked, .. } = invite;
    let open = move || !revoked && uses < max_uses && expires_at > now.get();
    let state = live(move || {
        let date = locale.date(expires_at, zone.get().offset_min_at(expires_at), now.get());
        match () {
            () if revoked => texts.people.revoked.to_owned(),
            () if uses >= max_uses => texts.people.used_up.to_owned(),
            () if expires_at <= now.get() => texts.people.expired.to_owned(),
            () => (texts.people.until)(&date),
        }
    });
    let revoke = Attempt::new();
    let begin = move |_| revoke.begin(api::revoke_invite(id), move |()| changed.run(()));
    view! {
        <li>
            <div class="what">
                <p>{(texts.people.used)(uses, max_uses)}</p>
                <p class="hint">{state}" · "{(texts.people.made_by)(&invite.created_by)}</p>
            </div>
            <div class="line-actions">
                <button type="button" class="button small" hidden=live(move || !open()) on:click=act(begin)>
                    {texts.people.revoke}
                </button>
            </div>
            <div class="full"><ErrorNote code=Signal::derive(move || revoke.refusal())/></div>
        </li>
    }
}
