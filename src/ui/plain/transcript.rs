//! A room's conversation as HTML files that need nothing but a browser: no script, no server.

use crate::domain::day_number;
use crate::i18n::Locale;
use crate::protocol::{Attached, Event, EventKind};
use crate::ui::components::{Prose, notice_words};
use leptos::prelude::*;

/// What every file of one export shares.
pub struct Transcript<'a> {
    pub locale: Locale,
    /// The room's name.
    pub room: &'a str,
    /// Who exported it, and when, in Unix milliseconds.
    pub by: &'a str,
    pub at: i64,
    /// The IANA time zone of its times.
    pub zone: &'a str,
    /// Minutes east of UTC of a moment there, in Unix milliseconds.
    pub offset_min: &'a (dyn Fn(i64) -> i32 + Sync),
}

/// Some of the room's events, in order.
pub struct Part<'a> {
    /// From 1.
    pub number: u32,
    pub is_last: bool,
    pub events: &'a [Event],
    /// Address of a file's bytes, from here; `None` where they are gone.
    pub file: &'a dyn Fn(&Attached) -> Option<String>,
}

/// What the table of contents tells of a part.
pub struct Listed {
    pub number: u32,
    pub entries: u32,
    /// Unix milliseconds of its first and last event.
    pub first_at: i64,
    pub last_at: i64,
}

/// Name of the file of a part.
pub fn part_name(number: u32) -> String {
    format!("page-{number:04}.html")
}

impl Transcript<'_> {
    /// The HTML document of a part.
    pub fn part(&self, part: &Part<'_>) -> String {
        let words = self.locale.transcript();
        let mut day = None;
        let mut rows = Vec::new();
        for event in part.events {
            let Some(row) = self.row(event, part.file) else { continue };
            let today = day_number(event.at, (self.offset_min)(event.at));
            if day.replace(today) != Some(today) {
                let name = self.locale.date(event.at, (self.offset_min)(event.at), self.at);
                rows.push(view! { <h2>{name}</h2> }.into_any());
            }
            rows.push(row);
        }
        let earlier = (part.number > 1).then(|| self.leading_to(part.number - 1, words.earlier));
        let later = (!part.is_last).then(|| self.leading_to(part.number + 1, words.later));
        let title = (words.part)(part.number);
        let body = view! {
            <nav>{earlier}<a href="index.html">{words.contents}</a>{later}</nav>
            <main>{rows}</main>
        };
        self.document(&title, body.into_any())
    }

    /// The HTML document that leads to all parts.
    pub fn contents(&self, parts: &[Listed]) -> String {
        let words = self.locale.transcript();
        let date = |at: i64| self.locale.date(at, (self.offset_min)(at), self.at);
        let line = |part: &Listed| {
            let (first, last) = (date(part.first_at), date(part.last_at));
            let span = if first == last { first } else { format!("{first} – {last}") };
            view! {
                <li><a href=part_name(part.number)>{span}</a>" "<small>{(words.entries)(part.entries)}</small></li>
            }
        };
        let when = self.locale.moment(self.at, (self.offset_min)(self.at));
        let body = view! {
            <main>
                <p>{(words.exported)(self.by, &when)}" "{(words.clock)(self.zone)}</p>
                <ol>{parts.iter().map(line).collect_view()}</ol>
            </main>
        };
        self.document(words.contents, body.into_any())
    }

    fn leading_to(&self, number: u32, words: &'static str) -> AnyView {
        view! { <a href=part_name(number)>{words}</a> }.into_any()
    }

    fn document(&self, title: &str, body: AnyView) -> String {
        let room = self.room.to_owned();
        let html = Owner::new().with(|| {
            view! {
                <html lang=self.locale.tag()>
                    <head>
                        <meta charset="utf-8"/>
                        <meta name="viewport" content="width=device-width, initial-scale=1"/>
                        <title>{format!("{room} · {title}")}</title>
                        <link rel="stylesheet" href="style.css"/>
                    </head>
                    <body><h1>{room}</h1>{body}</body>
                </html>
            }
            .to_html()
        });
        format!("<!DOCTYPE html>{html}\n")
    }

    fn row(&self, event: &Event, file: &dyn Fn(&Attached) -> Option<String>) -> Option<AnyView> {
        let offset_min = (self.offset_min)(event.at);
        let time = view! { <time datetime=Locale::datetime(event.at)>{self.locale.time(event.at, offset_min)}</time> };
        let id = format!("m{}", event.seq.0);
        let texts = self.locale.texts();
        if let EventKind::Posted { author, body, rev, files, .. } = &event.kind {
            let edited = rev.is_some_and(|rev| rev != event.seq).then_some(texts.talk.edited);
            let said = match body {
                Some(body) => view! { <Prose source=body.clone()/> }.into_any(),
                None => view! { <p class="erased">{texts.talk.erased}</p> }.into_any(),
            };
            let files = files.iter().map(|attached| self.file(attached, file(attached))).collect_view();
            let row = view! {
                <article id=id><header><b>{author.name.clone()}</b>" "{time}" "<small>{edited}</small></header>{said}{files}</article>
            };
            return Some(row.into_any());
        }
        let words = match &event.kind {
            EventKind::Task { task, by, .. } => {
                format!("{} · {}", (texts.tasks.kind)(task), (texts.tasks.started_by)(&by.name))
            }
            kind => notice_words(&texts.talk, kind)?,
        };
        Some(view! { <p class="notice" id=id>{words}" "{time}</p> }.into_any())
    }

    fn file(&self, file: &Attached, address: Option<String>) -> AnyView {
        let name = file.name.clone();
        let Some(address) = address else {
            return view! { <p class="file">{name}" "<small>{self.locale.transcript().not_kept}</small></p> }
                .into_any();
        };
        let shown = address.clone();
        match file.width.zip(file.height) {
            Some((width, height)) => view! {
                <p class="file"><a href=address>
                    <img src=shown alt=name width=width height=height loading="lazy"/>
                </a></p>
            }
            .into_any(),
            None => view! { <p class="file"><a href=address download>{name}</a></p> }.into_any(),
        }
    }
}
