use super::people_invites::Invites;
use super::people_list::PeopleList;
use crate::api::{self, Place};
use crate::protocol::{ErrorBody, InviteView, PersonView};
use crate::ui::components::{Fetched, Sheet};
use crate::ui::first::First;
use crate::ui::live::{live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use crate::ui::title;
use leptos::prelude::*;

/// `/people`: who is here, and, for owners, how others come in.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (first, first_invites) = First::take(people_at).unzip();
    let people = Loaded::new(first, || (), |()| api::people());
    title::keep(Signal::stored(texts.people.title.to_owned()));
    view! {
        <Sheet title=texts.people.title>
            {reader.is_owner().then(|| view! { <Invites first=first_invites/> }.into_any())}
            <Fetched progress=people.progress() here=Box::new(move || view! { <Everybody people/> }.into_any())/>
        </Sheet>
    }
}

type Answer<T> = Result<Vec<T>, ErrorBody>;

/// What the page brought, if it is this one.
fn people_at(place: &Place) -> Option<(Answer<PersonView>, Answer<InviteView>)> {
    match place {
        Place::People { people, invites } => Some((people.clone(), invites.clone())),
        Place::Room { .. } | Place::Tasks { .. } | Place::Plain => None,
    }
}

#[component]
fn Everybody(people: Loaded<Vec<PersonView>>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().people;
    let count = memo(move || people.read(|people| people.len() as u32).unwrap_or(0));
    let is_owner = reader.is_owner();
    view! {
        <section class="section">
            <header>
                <h2>{live(move || (texts.count)(count.get()))}</h2>
                <p hidden=live(move || !is_owner || count.get() > 1)>{texts.alone}</p>
            </header>
            <PeopleList people/>
        </section>
    }
}
