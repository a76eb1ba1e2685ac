use super::*;
use crate::protocol::ErrorCode;

fn context(locale: Locale) -> PlainContext {
    PlainContext {
        locale,
        utc_offset_min: 540,
        community: Some("한빛 & 친구들".into()),
        address: "/sign-in?next=/a".into(),
        stylesheet: "/pkg/pickmate.abc.css".into(),
        nonce: "n0nce".into(),
    }
}

fn sign_in(error: Option<ErrorBody>) -> String {
    let page = PlainPage::SignIn { name: "민\"아".into(), next: Some("/rooms/a?b&c".into()), error };
    document(&context(Locale::Ko), page)
}

#[test]
fn the_page_speaks_the_language_of_its_reader() {
    assert!(sign_in(None).starts_with("<!DOCTYPE html><html lang=\"ko\">"));
    let page = document(&context(Locale::En), PlainPage::LinkExpired);
    assert!(page.contains("name=\"next\" value=\"/sign-in?next=/a\""), "the choice comes back to the page");
    assert!(page.contains("This link does not work"));
}

#[test]
fn what_was_typed_comes_back_and_can_break_nothing() {
    let page = sign_in(None);
    assert!(page.contains("value=\"민&quot;아\""), "{page}");
    assert!(page.contains("name=\"next\" value=\"/rooms/a?b&amp;c\""), "{page}");
    assert!(page.contains("한빛 &amp; 친구들"));
    assert!(!page.contains("role=\"alert\""));
}

#[test]
fn a_refusal_is_said_aloud_and_tied_to_the_fields() {
    let page = sign_in(Some(ErrorCode::WrongCredentials.into()));
    assert!(page.contains("role=\"alert\" class=\"note error\">이름이나 비밀번호가 맞지 않아요."), "{page}");
    assert!(page.contains("aria-describedby=\"refusal"));
}

#[test]
fn the_only_script_carries_the_nonce() {
    let page = sign_in(None);
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("<script nonce=\"n0nce\">document.cookie=`tz_offset="), "{page}");
}

#[test]
fn a_refused_post_keeps_its_key_and_its_text() {
    let page = PlainPage::PostRefused {
        room: "general".into(),
        key: "k1".into(),
        body: "첫 줄\n</textarea><b> &amp;".into(),
        error: ErrorCode::BodyTooLong.into(),
    };
    let page = document(&context(Locale::Ko), page);
    assert!(page.contains("action=\"/rooms/general\""));
    assert!(page.contains("name=\"key\" value=\"k1\""));
    assert!(page.contains(">\n첫 줄\n&lt;/textarea&gt;&lt;b&gt; &amp;amp;</textarea>"), "{page}");
}

#[test]
fn addresses_of_webhooks_can_break_nothing_and_times_are_the_readers() {
    let webhook = crate::protocol::WebhookView {
        id: 7,
        url: "https://a.example/\"><b>".into(),
        kinds: vec![],
        enabled: true,
        disabled_code: None,
        created_at: 0,
        failing_since: None,
    };
    let delivery = crate::protocol::DeliveryView {
        id: 1,
        seq: crate::domain::Seq(42),
        state: crate::protocol::DeliveryState::Queued,
        attempts: 1,
        status: Some(500),
        error: Some("status".into()),
        queued_at: 1_763_800_000_000,
        started_at: None,
        finished_at: None,
        due_at: None,
    };
    let hooks = vec![crate::protocol::WebhookLog { webhook, deliveries: vec![delivery] }];
    let page = WebhooksPage {
        room: ("general".into(), "General".into()),
        hooks,
        secret: Some("pmwh_s".into()),
        made_before: false,
        url: String::new(),
        key: "k7".into(),
        error: None,
    };
    assert!(!format!("{page:?}").contains("pmwh_s"));
    let page = document(&context(Locale::En), PlainPage::Webhooks(page));
    assert!(!page.contains("<b>") && page.contains("value=\"pmwh_s\""), "{page}");
    for part in ["#42", "Is tried again", "500", "5:26", "name=\"id\" value=\"7\"", "href=\"/rooms/general\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
