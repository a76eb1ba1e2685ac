use crate::api;
use crate::client::session::Session;
use crate::protocol::{ErrorBody, InviteView};
use crate::ui::attempt::Attempt;
use crate::ui::components::{CopyLink, ErrorNote, Fetched, Rows, keys_of, with_key};
use crate::ui::live::{act, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;

/// Days and people to choose from, of which the settings may allow less.
const DAYS: [u32; 4] = [1, 7, 30, 90];
const USES: [u32; 4] = [1, 10, 50, 100];
const CHOSEN_DAYS: u32 = 7;
const CHOSEN_USES: u32 = 10;

type AllInvites = Loaded<Vec<InviteView>>;

/// Links by which others come in: making one, and those that were made.
#[component]
pub fn Invites(
    /// Those that were made, when the page brought them.
    first: Option<Result<Vec<InviteView>, ErrorBody>>,
) -> impl IntoView {
    let texts = Reader::expect().texts();
    let invites = Loaded::new(first, || (), |()| api::invites());
    view! {
        <section class="section">
            <header>
                <h2>{texts.people.invite_title}</h2>
                <p>{texts.people.invite_text}</p>
            </header>
            <NewInvite invites/>
            <Fetched progress=invites.progress() here=Box::new(move || view! { <InviteList invites/> }.into_any())/>
        </section>
    }
}

#[component]
fn NewInvite(invites: AllInvites) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (max_days, max_uses) = (reader.start.invite_max_days, reader.start.invite_max_uses);
    let (days, uses) = (NodeRef::<html::Select>::new(), NodeRef::<html::Select>::new());
    let create = Attempt::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (days, uses) = (chosen(days).unwrap_or(1), chosen(uses).unwrap_or(1));
        create.begin(api::create_invite(days, uses), move |_| invites.refetch());
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
                    {options(&DAYS, CHOSEN_DAYS.min(max_days), max_days, texts.people.day_count)}
                </select>
            </div>
            <div class="field">
                <label for="invite-uses">{texts.people.uses}</label>
                <select class="input" id="invite-uses" node_ref=uses>
                    {options(&USES, CHOSEN_USES.min(max_uses), max_uses, texts.people.use_count)}
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

/// The choices up to `most`; the last one that is not above `wanted` is chosen.
fn options(values: &'static [u32], wanted: u32, most: u32, words: fn(u32) -> String) -> Vec<AnyView> {
    let last = values.iter().rev().find(|value| **value <= wanted).copied();
    let option = |value: u32| {
        view! { <option value=value.to_string() selected={Some(value) == last}>{words(value)}</option> }.into_any()
    };
    values.iter().copied().filter(|value| *value <= most).map(option).collect()
}

#[component]
fn InviteList(invites: AllInvites) -> impl IntoView {
    let texts = Reader::expect().texts();
    let keys = memo(move || invites.read(|list| keys_of(list, |invite| invite.id)).unwrap_or_default());
    let line = move |key: Arc<str>| {
        let invite = untrack(|| invites.read(|list| with_key(list, |invite| invite.id, &key)));
        invite.flatten().map(|invite| view! { <Invite invite invites/> }.into_any()).into_any()
    };
    view! {
        <ul class="lines" hidden=live(move || keys.read().is_empty())><Rows keys row=Arc::new(line)/></ul>
        <p class="hint" hidden=live(move || !keys.read().is_empty())>{texts.people.invites_none}</p>
    }
}

/// The invite as the list has it now.
fn now_of(first: &InviteView, invites: AllInvites) -> InviteView {
    let find = |list: &Vec<InviteView>| list.iter().find(|invite| invite.id == first.id).cloned();
    invites.read(find).flatten().unwrap_or_else(|| first.clone())
}

#[component]
fn Invite(invite: InviteView, invites: AllInvites) -> impl IntoView {
    let reader = Reader::expect();
    let (texts, locale) = (reader.texts(), reader.locale());
    let (zone, now) = (Session::expect().zone(), Session::expect().now());
    let (id, maker) = (invite.id, invite.created_by.clone());
    let invite = memo(move || now_of(&invite, invites));
    let state = move || {
        let InviteView { expires_at, uses, max_uses, revoked, .. } = invite.get();
        let date = locale.date(expires_at, zone.get().offset_min_at(expires_at), now.get());
        match () {
            () if revoked => texts.people.revoked.to_owned(),
            () if uses >= max_uses => texts.people.used_up.to_owned(),
            () if expires_at <= now.get() => texts.people.expired.to_owned(),
            () => (texts.people.until)(&date),
        }
    };
    let open =
        move || invite.with(|invite| !invite.revoked && invite.uses < invite.max_uses && invite.expires_at > now.get());
    let used = live(move || invite.with(|invite| (texts.people.used)(invite.uses, invite.max_uses)));
    let revoke = Attempt::new();
    let begin = move |_| revoke.begin(api::revoke_invite(id), move |()| invites.refetch());
    view! {
        <li>
            <div class="what">
                <p>{used}</p>
                <p class="hint">{live(move || (texts.people.state_and_maker)(&state(), &maker))}</p>
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
