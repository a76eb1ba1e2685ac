//! The webhooks of a room, for owners: who is told, how that went, and making, trying and removing them.

use super::moment::ClockTime;
use super::{CopyLink, ErrorNote, Fetched, Rows, keys_of, with_key};
use crate::api;
use crate::protocol::{DeliveryState, DeliveryView, WebhookLog};
use crate::ui::attempt::Attempt;
use crate::ui::live::{act, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::texts;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;

type Logs = Loaded<Vec<WebhookLog>>;

#[component]
pub fn Webhooks(room: String) -> impl IntoView {
    let texts = &texts().hooks;
    let asked = room.clone();
    let logs = Loaded::new(None, || (), move |()| api::webhooks(asked.clone()));
    let room = StoredValue::new(room);
    view! {
        <p class="hint">{texts.text}</p>
        <NewWebhook room logs/>
        <Fetched progress=logs.progress() here=Box::new(move || view! { <List room logs/> }.into_any())/>
    }
}

#[component]
fn NewWebhook(room: StoredValue<String>, logs: Logs) -> impl IntoView {
    let texts = texts();
    let field = NodeRef::<html::Input>::new();
    let create = Attempt::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let url = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        create.begin(api::create_webhook(room.get_value(), url), move |_| {
            if let Some(field) = field.get_untracked() {
                field.set_value("");
            }
            logs.refetch();
        });
    };
    let secret = live(move || match create.outcome() {
        Some(secret) => view! {
            <div class="once">
                <p class="hint">{texts.hooks.once}</p>
                <CopyLink address=secret label=texts.hooks.secret/>
            </div>
        }
        .into_any(),
        None => ().into_any(),
    });
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="field">
                <label for="hook-url">{texts.hooks.url}</label>
                <input class="input" id="hook-url" type="url" node_ref=field required autocomplete="off" placeholder="https://"/>
            </div>
            <ErrorNote code=Signal::derive(move || create.refusal())/>
            <div class="dialog-actions">
                <button class="button primary" aria-disabled=live(move || create.busy())>{texts.hooks.add}</button>
            </div>
        </form>
        {secret}
    }
}

#[component]
fn List(room: StoredValue<String>, logs: Logs) -> impl IntoView {
    let keys = memo(move || logs.read(|list| keys_of(list, |log| log.webhook.id)).unwrap_or_default());
    let line = move |key: Arc<str>| {
        let log = untrack(|| logs.read(|list| with_key(list, |log| log.webhook.id, &key)));
        log.flatten().map(|log| view! { <Webhook log room logs/> }.into_any()).into_any()
    };
    view! {
        <ul class="lines" hidden=live(move || keys.read().is_empty())><Rows keys row=Arc::new(line)/></ul>
        <p class="hint" hidden=live(move || !keys.read().is_empty())>{texts().hooks.none}</p>
    }
}

/// The webhook as the list has it now.
fn now_of(first: &WebhookLog, logs: Logs) -> WebhookLog {
    let find = |list: &Vec<WebhookLog>| list.iter().find(|log| log.webhook.id == first.webhook.id).cloned();
    logs.read(find).flatten().unwrap_or_else(|| first.clone())
}

#[component]
fn Webhook(log: WebhookLog, room: StoredValue<String>, logs: Logs) -> impl IntoView {
    let texts = &texts().hooks;
    let (id, url) = (log.webhook.id, log.webhook.url.clone());
    let log = memo(move || now_of(&log, logs));
    let state = live(move || {
        log.with(|log| match (log.webhook.enabled, log.webhook.failing_since) {
            (false, _) => texts.off,
            (true, Some(_)) => texts.failing,
            (true, None) => texts.on,
        })
    });
    let (test, remove) = (Attempt::new(), Attempt::new());
    let begin_test = move |_| test.begin(api::test_webhook(room.get_value(), id), move |()| logs.refetch());
    let begin_remove = move |_| {
        remove.begin(api::remove_webhook(room.get_value(), id), move |()| {
            // The line goes with its buttons.
            super::place::focus("#hook-url");
            logs.refetch();
        });
    };
    let deliveries = live(move || log.with(|log| log.deliveries.iter().map(delivery).collect_view()));
    let refusal = move || test.refusal().or_else(|| remove.refusal());
    view! {
        <li>
            <div class="what">
                <p class="truncate" title=url.clone()>{url.clone()}</p>
                <p class="hint">{state}</p>
            </div>
            <div class="line-actions">
                <button type="button" class="button small" aria-disabled=live(move || test.busy()) on:click=act(begin_test)>
                    {texts.test}
                </button>
                <button
                    type="button" class="button small danger" aria-label=(texts.remove_one)(&url)
                    aria-disabled=live(move || remove.busy()) on:click=act(begin_remove)
                >
                    {texts.remove}
                </button>
            </div>
            <div class="full">
                <ErrorNote code=Signal::derive(refusal)/>
                <details hidden=live(move || log.with(|log| log.deliveries.is_empty()))>
                    <summary>{texts.log}</summary>
                    <ul class="deliveries">{deliveries}</ul>
                </details>
            </div>
        </li>
    }
}

/// What was sent, how it went, and the answer's status or the reason that there is none.
fn delivery(delivery: &DeliveryView) -> AnyView {
    let texts = &texts().hooks;
    let at = delivery.finished_at.or(delivery.started_at).unwrap_or(delivery.queued_at);
    let at = memo(move || at);
    let what = match delivery.seq.0 {
        0 => texts.a_test.to_owned(),
        seq => format!("#{seq}"),
    };
    let state = match (delivery.state, delivery.attempts) {
        (DeliveryState::Delivered, _) => texts.delivered,
        (DeliveryState::Failed, _) => texts.failed,
        (DeliveryState::Queued, 1..) => texts.retrying,
        (DeliveryState::Queued | DeliveryState::Sending, _) => texts.waiting,
    };
    let answer = match (delivery.status, &delivery.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    };
    view! { <li><ClockTime at/><span>{what}</span><span>{state}</span><span>{answer}</span></li> }.into_any()
}
