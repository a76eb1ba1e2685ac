//! Texts of the page of webhooks. Beside the catalogue, so that browsers, who never render it, do not load them.

use super::Locale;
use super::group::group;

group! {
    /// Webhooks of a room.
    Hooks {
        /// What they are.
        text,
        url,
        add,
        secret,
        /// The secret is shown once.
        once,
        /// It is not shown to whoever sends the form again much later.
        made_before,
        none,
        /// How one fares.
        on,
        failing,
        off,
        /// Too much waits for it.
        off_full,
        test,
        remove,
        log,
        /// A delivery that is no event.
        a_test,
        /// How a delivery stands.
        waiting,
        retrying,
        delivered,
        failed,
        /// Deliveries move on while one reads.
        reload,
    } {
        /// The address.
        remove_one(&str),
        /// The room's name.
        title(&str),
    }
}

impl Locale {
    pub fn hooks(self) -> &'static Hooks {
        match self {
            Locale::Ko => &KO,
            Locale::En => &EN,
        }
    }
}

static EN: Hooks = Hooks {
    text: "Each event of the room is sent to these addresses, signed with their secret.",
    url: "Address",
    add: "Add",
    secret: "Secret",
    once: "The secret is shown only now. The receiver needs it to tell that a request is ours.",
    made_before: "This webhook was made before, so its secret is not shown. If you have not seen it, remove the webhook and make another.",
    none: "Nobody is told yet.",
    on: "In use",
    failing: "Failing, is tried again",
    off: "Off after too many failures. A test that arrives turns it on.",
    off_full: "Off: the receiver is too slow, too many events waited for it. A test that arrives turns it on.",
    test: "Send test",
    remove: "Remove",
    log: "What was sent lately",
    a_test: "Test",
    waiting: "Waiting",
    retrying: "Is tried again",
    delivered: "Delivered",
    failed: "Failed",
    reload: "Look again",
    remove_one: |url| format!("Remove {url}"),
    title: |room| format!("Webhooks of {room}"),
};

static KO: Hooks = Hooks {
    text: "이 방에서 일어난 일을 아래 주소로 하나씩 보내요. 비밀 키로 서명해요.",
    url: "주소",
    add: "추가",
    secret: "비밀 키",
    once: "비밀 키는 지금만 보여요. 받는 쪽에서 우리가 보낸 요청인지 확인할 때 필요해요.",
    made_before: "이 웹훅은 전에 만들어서 비밀 키를 다시 보여 주지 않아요. 비밀 키를 못 봤다면 삭제하고 새로 만들어 주세요.",
    none: "아직 받는 곳이 없어요.",
    on: "사용 중",
    failing: "실패해서 다시 보내는 중",
    off: "오래 실패해서 껐어요. 테스트가 도착하면 다시 켜져요.",
    off_full: "받는 쪽이 너무 느려 보낼 것이 많이 밀려서 껐어요. 테스트가 도착하면 다시 켜져요.",
    test: "테스트 보내기",
    remove: "삭제",
    log: "최근에 보낸 내역",
    a_test: "테스트",
    waiting: "대기 중",
    retrying: "다시 보낼 예정",
    delivered: "도착",
    failed: "실패",
    reload: "새로 보기",
    remove_one: |url| format!("{url} 삭제"),
    title: |room| format!("{room} 웹훅"),
};
