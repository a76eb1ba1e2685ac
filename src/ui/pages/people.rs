use super::people_invites::Invites;
use super::people_list::PeopleList;
use crate::api::{self, Place};
use crate::protocol::{ErrorBody, InviteView, PersonView};
use crate::ui::components::Sheet;
use crate::ui::first::First;
use crate::ui::live::live;
use crate::ui::loaded::Loaded;
use crate::ui::reader::Reader;
use crate::ui::title::PageTitle;
use leptos::prelude::*;

/// `/people`: who is here, and, for owners, how others come in.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let (first, first_invites) = First::take(people_at).unzip();
    let people = Loaded::new(first, || (), |()| api::people());
    let list = live(move || match people.get() {
        None => view! { <p class="late" role="status">{texts.common.loading}</p> }.into_any(),
        Some(Ok(list)) => view! { <Everybody list changed=Callback::new(move |()| people.refetch())/> }.into_any(),
        Some(Err(error)) => view! { <p class="note error" role="alert">{(texts.error)(error.code)}</p> }.into_any(),
    });
    view! {
        <PageTitle name=Signal::stored(texts.people.title.to_owned())/>
        <Sheet title=texts.people.title>
            {reader.is_owner().then(|| view! { <Invites first=first_invites/> }.into_any())}
            {list}
        </Sheet>
    }
}

type Answer<T> = Result<Vec<T>, ErrorBody>;

/// What the page brought, if it is this one.
fn people_at(place: &Place) -> Option<(Answer<PersonView>, Answer<InviteView>)> {
    match place {
        Place::People { people, invites } => Some((people.clone(), invites.clone())),
        Place::Room { .. } | Place::Plain => None,
    }
}

#[component]
fn Everybody(list: Vec<PersonView>, changed: Callback<()>) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().people;
    let alone = reader.is_owner() && list.len() == 1;
    view! {
        <section class="section">
            <header>
                <h2>{(texts.count)(list.len() as u32)}</h2>
                {alone.then(|| view! { <p>{texts.alone}</p> }.into_any())}
            </header>
            <PeopleList list changed/>
        </section>
    }
}
