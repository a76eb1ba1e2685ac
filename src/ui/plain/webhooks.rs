//! The webhooks of a room, for owners: who is told, how that went, and making, trying and removing them. Plain, since
//! few people come here and seldom: nobody else loads a byte of it.

use super::PlainContext;
use super::forms::Refusal;
use super::frame::Sheet;
use crate::i18n::{Hooks, Locale};
use crate::protocol::{DeliveryState, DeliveryView, ErrorBody, WebhookLog};
use leptos::prelude::*;

/// What stands on the page.
#[derive(Clone)]
pub struct WebhooksPage {
    /// Address and name.
    pub room: (String, String),
    pub hooks: Vec<WebhookLog>,
    /// Of one that was just made.
    pub secret: Option<String>,
    /// The one that was to be made was made long before.
    pub made_before: bool,
    /// An address that was typed and refused.
    pub url: String,
    /// Of the form that adds one, so that it adds one however often it is sent.
    pub key: String,
    pub error: Option<ErrorBody>,
}

impl std::fmt::Debug for WebhooksPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A secret is not printed.
        f.debug_struct("WebhooksPage").field("room", &self.room).finish_non_exhaustive()
    }
}

pub fn page(context: &PlainContext, page: WebhooksPage) -> Sheet {
    let (texts, hooks) = (context.locale.texts(), context.locale.hooks());
    let (slug, name) = page.room;
    let title = (hooks.title)(&name);
    let back = format!("/rooms/{slug}");
    let lines = page.hooks.iter().map(|log| webhook(context, log)).collect_view();
    let body = view! {
        <header>
            <h1>{title.clone()}</h1>
            <p>{hooks.text}</p>
        </header>
        {page.secret.map(|secret| view! {
            <div class="once" role="status">
                <p class="hint">{hooks.once}</p>
                <input class="input" readonly value=secret aria-label=hooks.secret/>
            </div>
        })}
        {page.made_before.then(|| view! { <p class="hint" role="status">{hooks.made_before}</p> })}
        <form method="post">
            <Refusal texts error=page.error/>
            <input type="hidden" name="key" value=page.key/>
            <div class="field">
                <label for="url">{hooks.url}</label>
                <input
                    class="input" id="url" name="url" type="url" value=page.url required autocomplete="off"
                    placeholder="https://" aria-describedby="refusal"
                />
            </div>
            <button class="button primary" name="deed" value="add">{hooks.add}</button>
        </form>
        {match page.hooks.is_empty() {
            true => view! { <p class="aside">{hooks.none}</p> }.into_any(),
            false => view! { <ul class="lines">{lines}</ul> }.into_any(),
        }}
        <nav class="line-actions">
            <a class="button" href=back>{texts.plain.back_to_room}</a>
            <a class="button" href="">{hooks.reload}</a>
        </nav>
    };
    Sheet { title, body: body.into_any() }
}

fn webhook(context: &PlainContext, log: &WebhookLog) -> AnyView {
    let hooks = context.locale.hooks();
    let hook = &log.webhook;
    let state = match (hook.enabled, hook.failing_since) {
        (false, _) if hook.disabled_code.as_deref() == Some("backlog_full") => hooks.off_full,
        (false, _) => hooks.off,
        (true, Some(_)) => hooks.failing,
        (true, None) => hooks.on,
    };
    let deliveries = log.deliveries.iter().map(|one| delivery(context, one)).collect_view();
    view! {
        <li>
            <div class="what">
                <p class="truncate" title=hook.url.clone()>{hook.url.clone()}</p>
                <p class="hint">{state}</p>
            </div>
            <form class="line-actions" method="post">
                <input type="hidden" name="id" value=hook.id.to_string()/>
                <button class="button small" name="deed" value="test">{hooks.test}</button>
                <button class="button small danger" name="deed" value="remove" aria-label=(hooks.remove_one)(&hook.url)>
                    {hooks.remove}
                </button>
            </form>
            {(!log.deliveries.is_empty()).then(|| view! {
                <details class="full" open>
                    <summary>{hooks.log}</summary>
                    // Scrolls, so it can be reached by keys.
                    <ul class="deliveries" tabindex="0" aria-label=hooks.log>{deliveries}</ul>
                </details>
            })}
        </li>
    }
    .into_any()
}

/// What was sent, how it went, and the answer's status or the reason that there is none.
fn delivery(context: &PlainContext, delivery: &DeliveryView) -> AnyView {
    let hooks = context.locale.hooks();
    let at = delivery.finished_at.or(delivery.started_at).unwrap_or(delivery.queued_at);
    let what = match delivery.seq.0 {
        0 => hooks.a_test.to_owned(),
        seq => format!("#{seq}"),
    };
    let answer = match (delivery.status, &delivery.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    };
    view! {
        <li>
            <time datetime=Locale::datetime(at)>{context.locale.moment(at, context.utc_offset_min)}</time>
            <span>{what}</span>
            <span>{state(hooks, delivery)}</span>
            <span>{answer}</span>
        </li>
    }
    .into_any()
}

fn state(hooks: &Hooks, delivery: &DeliveryView) -> &'static str {
    match (delivery.state, delivery.attempts) {
        (DeliveryState::Delivered, _) => hooks.delivered,
        (DeliveryState::Failed, _) => hooks.failed,
        (DeliveryState::Queued, 1..) => hooks.retrying,
        (DeliveryState::Queued | DeliveryState::Sending, _) => hooks.waiting,
    }
}
