//! Somebody with a browser that runs no scripts: keeps cookies, follows no redirect by itself.

use crate::app::TestApp;
use reqwest::header::{ACCEPT, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, StatusCode, redirect::Policy};

pub const PASSWORD: &str = "correct horse battery";

pub struct Visitor {
    client: Client,
    base: String,
    origin: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Whether it leads to `path`.
    pub fn leads_to(&self, path: &str) -> bool {
        self.status == StatusCode::SEE_OTHER && self.headers[LOCATION] == path
    }

    /// Whether it is a page with this status that no cache keeps.
    pub fn is_page(&self, status: StatusCode) -> bool {
        let kept_by_none = self.headers.get("cache-control").is_some_and(|value| value == "no-store");
        self.status == status && self.text.starts_with("<!") && kept_by_none
    }

    /// `Set-Cookie` of the cookie with this name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        lines.into_iter().find(|line| line.split('=').next() == Some(name))
    }
}

impl Visitor {
    pub fn new(app: &TestApp) -> Visitor {
        Visitor::from_origin(app, &app.url(""))
    }

    /// Reaches the node by another address, as through a proxy.
    pub fn from_origin(app: &TestApp, origin: &str) -> Visitor {
        let client = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Visitor { client, base: app.url(""), origin: origin.into() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        answer(self.client.post(format!("{}{path}", self.base)).header(ORIGIN, &self.origin).form(form)).await
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("name", name), ("password", password)]).await
    }

    /// Signed-in visitors are led on from there.
    pub async fn is_signed_in(&self) -> bool {
        self.get("/sign-in").await.leads_to("/")
    }

    /// Uses the set-up link as `mina`, into the room `general`.
    pub async fn set_up(&self, app: &TestApp) -> Answer {
        let link = app.set_up_link().unwrap();
        self.post(path_of(&link), &SET_UP).await
    }
}

pub const SET_UP: [(&str, &str); 4] =
    [("community", "점심 모임"), ("name", "mina"), ("password", PASSWORD), ("room", "General")];

/// A request with nothing but this `Cookie`.
pub async fn get_with_cookie(app: &TestApp, path: &str, cookie: &str) -> Answer {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    answer(client.request(Method::GET, app.url(path)).header(COOKIE, cookie)).await
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.header(ACCEPT, "text/html,*/*;q=0.8").send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// The path of a link.
pub fn path_of(link: &str) -> &str {
    let host_at = link.find("://").unwrap() + 3;
    &link[host_at + link[host_at..].find('/').unwrap()..]
}
