use super::people_invites::Invites;
use super::people_list::PeopleList;
use crate::api;
use crate::protocol::PersonView;
use crate::ui::components::Sheet;
use crate::ui::reader::Reader;
use crate::ui::title::PageTitle;
use leptos::prelude::*;

/// `/people`: who is here, and, for owners, how others come in.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let people = Resource::new_blocking(|| (), |()| api::people());
    let list = move || {
        Suspend::new(async move {
            match people.await {
                Ok(list) => view! { <Everybody list changed=Callback::new(move |()| people.refetch())/> }.into_any(),
                Err(error) => view! { <p class="note error" role="alert">{(texts.error)(error.code)}</p> }.into_any(),
            }
        })
    };
    view! {
        <PageTitle name=Signal::stored(texts.people.title.to_owned())/>
        <Sheet title=texts.people.title>
            {reader.is_owner().then(|| view! { <Invites/> })}
            <Transition fallback=move || view! { <p class="late" role="status">{texts.common.loading}</p> }>{list}</Transition>
        </Sheet>
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
                {alone.then(|| view! { <p>{texts.alone}</p> })}
            </header>
            <PeopleList list changed/>
        </section>
    }
}
