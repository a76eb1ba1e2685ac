use crate::api;
use crate::client::session::Session;
use crate::domain::Role;
use crate::protocol::PersonView;
use crate::ui::components::{Avatar, CopyLink, ErrorNote, refusal};
use crate::ui::reader::Reader;
use leptos::prelude::*;

#[component]
pub fn PeopleList(list: Vec<PersonView>, changed: Callback<()>) -> impl IntoView {
    let line = move |person| view! { <Person person changed/> };
    view! { <ul class="lines">{list.into_iter().map(line).collect_view()}</ul> }
}

#[component]
fn Person(person: PersonView, changed: Callback<()>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (zone, now) = (Session::expect().zone(), Session::expect().now());
    let locale = reader.locale();
    let at = person.created_at;
    let since = move || (texts.people.since)(&locale.date(at, zone.get().offset_min_at(at), now.get()));
    let role = match person.role {
        Role::Owner => texts.common.owner,
        Role::Member => texts.common.member,
    };
    let is_me = reader.is_me(person.id);
    let me = is_me.then(|| view! { " ("{texts.common.you}")" });
    let powers = (reader.is_owner() && !is_me).then(|| view! { <Powers person=person.clone() changed/> });
    view! {
        <li>
            <Avatar id=person.id name=person.name.clone()/>
            <div class="what">
                <p>{person.name}{me}</p>
                <p class="hint">{role}" · "{since}</p>
            </div>
            {powers}
        </li>
    }
}

/// What an owner can do for somebody else.
#[component]
fn Powers(person: PersonView, changed: Callback<()>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let id = person.id;
    let (other, words) = match person.role {
        Role::Owner => (Role::Member, texts.people.make_member),
        Role::Member => (Role::Owner, texts.people.make_owner),
    };
    let set_role = Action::new(move |_: &()| api::set_role(id, other));
    let reset = Action::new(move |_: &()| api::create_reset(id));
    let (role_answer, reset_answer) = (set_role.value(), reset.value());
    Effect::new(move || {
        if let Some(Ok(())) = role_answer.get() {
            changed.run(());
        }
    });
    let code = move || refusal(role_answer.get().as_ref()).or_else(|| refusal(reset_answer.get().as_ref()));
    let link_label = (texts.common.link_for)(&person.name);
    let link = move || {
        reset_answer.get().and_then(Result::ok).map(|address| {
            view! {
                <div class="full once">
                    <p class="hint">{texts.people.reset_once}</p>
                    <CopyLink address label=link_label.clone()/>
                </div>
            }
        })
    };
    view! {
        <div class="line-actions" role="group" aria-label=(texts.people.more_for)(&person.name)>
            <button type="button" class="button quiet small" on:click=move |_| { set_role.dispatch(()); }>{words}</button>
            <button type="button" class="button quiet small" on:click=move |_| { reset.dispatch(()); }>
                {texts.people.reset_link}
            </button>
        </div>
        <div class="full"><ErrorNote code=Signal::derive(code)/></div>
        {link}
    }
}
