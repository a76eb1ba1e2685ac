//! The page of webhooks: made, tried and removed without scripts, by owners who can see the room.

use crate::app::TestApp;
use crate::visitor::Visitor;
use pickmate::domain::Access;
use reqwest::StatusCode;

const PAGE: &str = "/rooms/general/webhooks";

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[tokio::test]
async fn an_owner_makes_tries_and_removes_one() {
    let app = TestApp::spawn().await;
    let owner = Visitor::new(&app);
    owner.set_up(&app).await;
    let key = between(&owner.get(PAGE).await.text, "name=\"key\" value=\"", "\"").expect("a key").to_owned();
    let form = [("deed", "add"), ("key", &key), ("url", "https://receiver.example/a?b&c")];
    let made = owner.post(PAGE, &form).await;
    assert!(made.is_page(StatusCode::OK), "{}", made.text);
    let secret = between(&made.text, "value=\"pmwh_", "\"").expect("the secret").to_owned();
    let page = owner.get(PAGE).await;
    assert!(page.text.contains("https://receiver.example/a?b&amp;c"), "{}", page.text);
    assert!(!page.text.contains(&secret), "the secret is shown once");
    let again = owner.post(PAGE, &form).await;
    assert!(again.is_page(StatusCode::OK) && again.text.contains(&secret), "a double click: {}", again.text);
    assert_eq!(owner.get(PAGE).await.text.matches("name=\"id\"").count(), 1);
    let id = between(&page.text, "name=\"id\" value=\"", "\"").expect("its id").to_owned();
    assert!(owner.post(PAGE, &[("deed", "test"), ("id", &id)]).await.leads_to(PAGE));
    assert!(owner.get(PAGE).await.text.contains("class=\"deliveries\""));
    assert!(owner.post(PAGE, &[("deed", "remove"), ("id", &id)]).await.leads_to(PAGE));
    assert!(!owner.get(PAGE).await.text.contains("receiver.example"));
    let again = owner.post(PAGE, &form).await;
    assert!(again.is_page(StatusCode::OK) && !again.text.contains("pmwh_"), "{}", again.text);
    assert!(again.text.contains("role=\"status\"") && !again.text.contains("name=\"id\""), "{}", again.text);
}

#[tokio::test]
async fn what_is_refused_says_why_and_keeps_what_was_typed() {
    let app = TestApp::spawn().await;
    let owner = Visitor::new(&app);
    owner.set_up(&app).await;
    for (deed, url, status) in [
        ("add", "http://127.0.0.1/", StatusCode::UNPROCESSABLE_ENTITY),
        ("add", "no address", StatusCode::UNPROCESSABLE_ENTITY),
        ("test", "", StatusCode::NOT_FOUND),
        ("remove", "", StatusCode::NOT_FOUND),
        ("dig", "https://receiver.example", StatusCode::BAD_REQUEST),
    ] {
        // As the page's forms send them.
        let form = match deed {
            "add" => vec![("deed", deed), ("key", "k"), ("url", url)],
            _ => vec![("deed", deed), ("id", "7"), ("url", url)],
        };
        let answer = owner.post(PAGE, &form).await;
        assert!(answer.is_page(status), "{deed} {url}: {}", answer.status);
        assert!(answer.text.contains(&format!("value=\"{url}\"")), "{deed} {url}: {}", answer.text);
        assert!(answer.text.contains("role=\"alert\""));
        let key = between(&answer.text, "name=\"key\" value=\"", "\"").expect("a key");
        assert_eq!((key == "k", key.is_empty()), (deed == "add", false), "{deed}: the next one can be added");
    }
    let without_a_key = owner.post(PAGE, &[("deed", "add"), ("url", "https://receiver.example")]).await;
    assert!(without_a_key.is_page(StatusCode::UNPROCESSABLE_ENTITY), "{}", without_a_key.status);
}

#[tokio::test]
async fn only_owners_who_can_see_the_room_are_shown_it() {
    let app = TestApp::spawn().await;
    let stranger = Visitor::new(&app);
    let (mina, jun) = (app.owner("mina").await, app.member("jun").await);
    app.room("general", Access::Open, &mina).await;
    app.room("den", Access::Closed, &jun).await;
    assert!(stranger.get(PAGE).await.leads_to(&format!("/sign-in?next={PAGE}")));
    let status = async |person: &crate::app::Person, path: &str| {
        app.browser().get(app.url(path)).header("cookie", &person.cookie).send().await.unwrap().status()
    };
    assert_eq!(status(&mina, PAGE).await, StatusCode::OK);
    assert_eq!(status(&jun, PAGE).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&jun, "/rooms/den/webhooks").await, StatusCode::FORBIDDEN);
    for out_of_sight in ["/rooms/den/webhooks", "/rooms/nowhere/webhooks"] {
        assert_eq!(status(&mina, out_of_sight).await, StatusCode::NOT_FOUND);
    }
}
