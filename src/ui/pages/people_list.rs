use crate::api;
use crate::client::session::Session;
use crate::domain::Role;
use crate::protocol::PersonView;
use crate::ui::attempt::Attempt;
use crate::ui::components::{Avatar, CopyLink, ErrorNote, Rows, keys_of, with_key};
use crate::ui::live::{act, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use leptos::prelude::*;
use std::sync::Arc;

type People = Loaded<Vec<PersonView>>;

#[component]
pub fn PeopleList(people: People) -> impl IntoView {
    let keys = memo(move || people.read(|list| keys_of(list, |person| person.id)).unwrap_or_default());
    let line = move |key: Arc<str>| {
        let person = untrack(|| people.read(|list| with_key(list, |person| person.id, &key)));
        person.flatten().map(|person| view! { <Person person people/> }.into_any()).into_any()
    };
    view! { <ul class="lines"><Rows keys row=Arc::new(line)/></ul> }
}

/// The role of somebody in the list, followed. Who is no longer in it has none to speak of.
fn role_of(people: People, id: i64) -> Role {
    let find = |list: &Vec<PersonView>| list.iter().find(|person| person.id == id).map(|person| person.role);
    people.read(find).flatten().unwrap_or(Role::Member)
}

#[component]
fn Person(person: PersonView, people: People) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (zone, now) = (Session::expect().zone(), Session::expect().now());
    let locale = reader.locale();
    let PersonView { id, name, created_at: at, .. } = person;
    let since = move || (texts.people.since)(&locale.date(at, zone.get().offset_min_at(at), now.get()));
    let role = move || match role_of(people, id) {
        Role::Owner => texts.common.owner,
        Role::Member => texts.common.member,
    };
    let is_me = reader.is_me(id);
    let powers = (reader.is_owner() && !is_me).then(|| view! { <Powers id name=name.clone() people/> }.into_any());
    view! {
        <li>
            <Avatar id name=name.clone()/>
            <div class="what">
                <p>{if is_me { (texts.people.me)(&name) } else { name }}</p>
                <p class="hint">{live(move || (texts.people.role_since)(role(), &since()))}</p>
            </div>
            {powers}
        </li>
    }
}

/// What an owner can do for somebody else.
#[component]
fn Powers(id: i64, name: String, people: People) -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let other = move || match role_of(people, id) {
        Role::Owner => Role::Member,
        Role::Member => Role::Owner,
    };
    let words = live(move || match other() {
        Role::Owner => texts.people.make_owner,
        Role::Member => texts.people.make_member,
    });
    let (role, reset) = (Attempt::new(), Attempt::new());
    let set_role = move |_| role.begin(api::set_role(id, untrack(other)), move |()| people.refetch());
    let create_reset = move |_| reset.begin(api::create_reset(id), |_| {});
    let code = Signal::derive(move || role.refusal().or_else(|| reset.refusal()));
    let link_label = (texts.common.link_for)(&name);
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
        <div class="line-actions" role="group" aria-label=(texts.people.more_for)(&name)>
            <button type="button" class="button quiet small" on:click=act(set_role)>{words}</button>
            <button type="button" class="button quiet small" on:click=act(create_reset)>
                {texts.people.reset_link}
            </button>
        </div>
        <div class="full"><ErrorNote code/></div>
        {link}
    }
}
