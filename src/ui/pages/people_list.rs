use crate::api;
use crate::client::session::Session;
use crate::domain::Role;
use crate::protocol::PersonView;
use crate::ui::attempt::Attempt;
use crate::ui::components::{Avatar, CopyLink, ErrorNote};
use crate::ui::live::{act, live};
use crate::ui::reader::Reader;
use leptos::prelude::*;

#[component]
pub fn PeopleList(list: Vec<PersonView>, changed: Callback<()>) -> impl IntoView {
    let line = move |person| view! { <Person person changed/> }.into_any();
    view! { <ul class="lines">{list.into_iter().map(line).collect_view()}</ul> }
}

#[component]
fn Person(person: PersonView, changed: Callback<()>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (zone, now) = (Session::expect().zone(), Session::expect().now());
    let locale = reader.locale();
    let at = person.created_at;
    let since = live(move || (texts.people.since)(&locale.date(at, zone.get().offset_min_at(at), now.get())));
    let role = match person.role {
        Role::Owner => texts.common.owner,
        Role::Member => texts.common.member,
    };
    let is_me = reader.is_me(person.id);
    let me = is_me.then(|| view! { " ("{texts.common.you}")" }.into_any());
    let powers = (reader.is_owner() && !is_me).then(|| view! { <Powers person=person.clone() changed/> }.into_any());
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
    let (role, reset) = (Attempt::new(), Attempt::new());
    let set_role = move |_| role.begin(api::set_role(id, other), move |()| changed.run(()));
    let create_reset = move |_| reset.begin(api::create_reset(id), |_| {});
    let code = Signal::derive(move || role.refusal().or_else(|| reset.refusal()));
    let link_label = (texts.common.link_for)(&person.name);
    let link = live(move || match reset.outcome() {
        Some(address) => view! {
            <div class="full once">
                <p class="hint">{texts.people.reset_once}</p>
                <CopyLink address label=link_label.clone()/>
            </div>
        }
        .into_any(),
        None => ().into_any(),
    });
    view! {
        <div class="line-actions" role="group" aria-label=(texts.people.more_for)(&person.name)>
            <button type="button" class="button quiet small" on:click=act(set_role)>{words}</button>
            <button type="button" class="button quiet small" on:click=act(create_reset)>
                {texts.people.reset_link}
            </button>
        </div>
        <div class="full"><ErrorNote code/></div>
        {link}
    }
}
