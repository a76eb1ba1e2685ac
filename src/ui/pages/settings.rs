use crate::api;
use crate::client::session::Session;
use crate::domain::Password;
use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::ui::attempt::Attempt;
use crate::ui::components::{ErrorNote, Sheet};
use crate::ui::live::{live, memo};
use crate::ui::reader::Reader;
use crate::ui::title;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

/// `/settings`: of one's own account.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let texts = &Reader::expect().texts().settings;
    title::keep(Signal::stored(texts.title.to_owned()));
    view! {
        <Sheet title=texts.title>
            <Language/>
            <ChangePassword/>
            <SignOut/>
        </Sheet>
    }
}

/// A plain form: the page that comes back speaks the language.
#[component]
fn Language() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let now = reader.start.chosen_locale;
    let choice = |locale: Option<Locale>| {
        view! {
            <label class="choice">
                <input type="radio" name="locale" value=locale.map_or("auto", Locale::tag) checked={locale == now}/>
                <span lang=locale.map(Locale::tag)>{locale.map_or(texts.settings.follow_browser, Locale::own_name)}</span>
            </label>
        }
        .into_any()
    };
    view! {
        <section class="section">
            <header>
                <h2>{texts.common.language}</h2>
                <p>{texts.settings.language_text}</p>
            </header>
            <form method="post" action="/locale">
                <input type="hidden" name="next" value="/settings"/>
                <fieldset class="choices">
                    <legend class="unseen">{texts.common.language}</legend>
                    {choice(None)}
                    {Locale::ALL.map(|locale| choice(Some(locale))).collect_view()}
                </fieldset>
                <button class="button">{texts.common.save}</button>
            </form>
        </section>
    }
}

#[component]
fn ChangePassword() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let form = NodeRef::<html::Form>::new();
    let (current, new) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let change = Attempt::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let value = |field: NodeRef<html::Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
        change.begin(api::change_password(value(current), value(new)), move |()| {
            if let Some(form) = form.get_untracked() {
                form.reset();
            }
        });
    };
    let refusal = Signal::derive(move || change.refusal());
    view! {
        <section class="section">
            <header>
                <h2>{texts.settings.password_title}</h2>
                <p>{texts.settings.password_text}</p>
            </header>
            <form method="post" action="/settings/password" node_ref=form on:submit=submit>
                <input type="text" hidden autocomplete="username" value=reader.start.me.name.clone()/>
                <div class="field">
                    <label for="current-password">{texts.settings.current_password}</label>
                    <input
                        class="input" id="current-password" name="current" type="password" node_ref=current required
                        autocomplete="current-password"
                        aria-invalid=live(move || (refusal.get() == Some(ErrorCode::WrongCredentials)).then_some("true"))
                    />
                </div>
                <div class="field">
                    <label for="new-password">{texts.plain.new_password}</label>
                    <input
                        class="input" id="new-password" name="new" type="password" node_ref=new required
                        autocomplete="new-password" minlength=Password::MIN_CHARS.to_string() aria-describedby="new-password-hint"
                    />
                    <p class="hint" id="new-password-hint">{(texts.plain.password_hint)(Password::MIN_CHARS as u32)}</p>
                </div>
                <ErrorNote code=refusal wrong=texts.settings.wrong_password/>
                <p class="note done" role="status" hidden=live(move || !change.worked())>
                    {live(move || change.worked().then_some(texts.settings.password_changed))}
                </p>
                <button class="button primary" aria-disabled=live(move || change.busy())>
                    {texts.settings.change_password}
                </button>
            </form>
        </section>
    }
}

#[component]
fn SignOut() -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().settings;
    let session = Session::expect();
    let not_kept = reader.texts().talk.not_kept;
    let unsent = memo(move || session.unsent_count());
    let unsent_words = move || match session.keeps_nothing().get() {
        true => not_kept.to_owned(),
        false => (texts.unsent_stay)(unsent.get()),
    };
    view! {
        <section class="section">
            <header>
                <h2>{(texts.signed_in_as)(&reader.start.me.name)}</h2>
                <p>{texts.sign_out_text}</p>
                <p hidden=live(move || unsent.get() == 0)>{live(unsent_words)}</p>
            </header>
            <form method="post" action="/sign-out">
                <button class="button danger">{texts.sign_out}</button>
            </form>
        </section>
    }
}
