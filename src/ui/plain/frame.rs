use super::{PlainContext, PlainPage, forms, notices, post_refused, webhooks};
use crate::i18n::Locale;
use crate::ui::components::{Mark, PageHead};
use leptos::prelude::*;

/// Tells the server where the reader is in time, for the first page rendered after this one.
const TELL_ZONE: &str =
    "document.cookie=`tz_offset=${-new Date().getTimezoneOffset()}; Path=/; SameSite=Lax; Max-Age=31536000`";

/// A plain page before it stands in the document.
pub struct Sheet {
    pub title: String,
    pub body: AnyView,
}

pub fn frame(context: &PlainContext, page: PlainPage) -> AnyView {
    let locale = context.locale;
    let brand = context.community.clone().unwrap_or_else(|| "PickMate".to_owned());
    let Sheet { title, body } = sheet(context, page);
    let title = format!("{title} · {brand}");
    view! {
        <html lang=locale.tag()>
            <head>
                <PageHead/>
                <title>{title}</title>
                <link rel="stylesheet" href=context.stylesheet.clone()/>
                <script nonce=context.nonce.clone()>{TELL_ZONE}</script>
            </head>
            <body class="plain">
                <div class="mark-line"><Mark/>{brand}</div>
                <main>{body}</main>
                <footer><Languages locale address=context.address.clone()/></footer>
            </body>
        </html>
    }
    .into_any()
}

fn sheet(context: &PlainContext, page: PlainPage) -> Sheet {
    let texts = context.locale.texts();
    match page {
        PlainPage::SignIn { name, next, error } => forms::sign_in(context, name, next, error),
        PlainPage::SetUp { community, name, room, error } => {
            forms::set_up(texts, forms::SetUpFields { community, name, room }, error)
        }
        PlainPage::Join { inviter, name, error } => forms::join(context, &inviter, name, error),
        PlainPage::Reset { name, error } => forms::reset(texts, &name, error),
        PlainPage::LinkExpired => notices::link_expired(texts),
        PlainPage::NotSetUp => notices::not_set_up(texts),
        PlainPage::PostRefused { room, key, body, error } => {
            post_refused::page(texts, post_refused::Refused { room, key, body, error })
        }
        PlainPage::PasswordChange { error } => notices::password_change(texts, error.as_ref()),
        PlainPage::Webhooks(page) => webhooks::page(context, page),
        PlainPage::NotFound => notices::not_found(texts),
        PlainPage::Failed { error } => notices::failed(texts, &error),
    }
}

/// Posts the choice and comes back to the page it stands on.
#[component]
fn Languages(locale: Locale, address: String) -> impl IntoView {
    let choice = |choice: Locale| {
        view! {
            <button
                name="locale"
                value=choice.tag()
                lang=choice.tag()
                aria-pressed=if choice == locale { "true" } else { "false" }
            >
                {choice.own_name()}
            </button>
        }
    };
    view! {
        <form class="languages" method="post" action="/locale" aria-label=locale.texts().common.language>
            <input type="hidden" name="next" value=address/>
            {Locale::ALL.map(choice).collect_view()}
        </form>
    }
}
