//! Everything a person needs without scripts: set-up, sign-in, joining, reset, posting, language.

mod designed;
mod entering;
mod links;
mod posting;
mod webhooks;
