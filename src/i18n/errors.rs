//! What went wrong and what to do, for people: every code in both languages.

use crate::domain::{Password, RoomName, Slug, UserName};
use crate::protocol::ErrorCode;

pub(super) fn in_english(code: ErrorCode) -> String {
    use ErrorCode::*;
    let text = match code {
        Unauthenticated => "Your session has ended. Please sign in again.",
        WrongCredentials => "The name or the password is not right.",
        WrongOrigin => "The request came from another site and was not taken. Please open this page again.",
        Forbidden => "You cannot do this. An owner may be able to help.",
        RateLimited => "That was very quick. Please try again in a moment.",
        TooManyConnections => "Too many windows are open. Please close some.",
        NotFound => "Not found. The address may have changed, or it is a place you cannot see.",
        Gap => "A lot was said meanwhile. Please open the page again.",
        LinkExpired => "The link has expired or was used already.",
        BadRequest | UnknownType => "The request was not understood. Please open the page again and retry.",
        Erased => "This message has been erased.",
        BadKey | KeyReused => "This was sent before with different content. Copy your text and send it anew.",
        BodyEmpty => "Write something to send.",
        BodyTooLong => "The message is too long. Send it in parts.",
        ControlCharacter => "There is an invisible control character in it. Take it out and send again.",
        NameEmpty => "Please write a name.",
        NameTooLong => {
            return format!(
                "The name is too long. People have up to {} characters, rooms up to {}.",
                UserName::MAX_CHARS,
                RoomName::MAX_CHARS
            );
        }
        NameInvisible => "The name has a character that cannot be seen. Take it out and try again.",
        NameTaken => "Somebody has this name already. Please choose another.",
        BadSlug => {
            return format!("A room's address is letters, digits and hyphens, up to {} of them.", Slug::MAX_CHARS);
        }
        SlugTaken => "There is a room with this address already. Please choose another name.",
        PasswordTooShort => return format!("The password needs at least {} characters.", Password::MIN_CHARS),
        PasswordTooLong => return format!("The password is too long. It may have {} bytes.", Password::MAX_BYTES),
        TooManyRooms => "Too many rooms are open at once.",
        TooManyWebhooks => "The room has as many webhooks as it can have.",
        BadUrl => "Nothing may be sent to this address.",
        BadTime => "That time is over, or too far away. Please choose another.",
        TooManyScheduled => "Too many messages are scheduled already. Cancel one first.",
        TooManyExports => "Exports are under way already. Please wait until one is done.",
        LastMember => "The last member cannot leave. Add somebody else first.",
        LastOwner => "There has to be an owner. Make somebody else one first.",
        TooLarge => "That is too large to send.",
        TooManyFiles => "Those are too many files for one message.",
        NoSuchFile => "The uploaded file is gone. Please attach it again.",
        FileNotReady => "The image is still being prepared.",
        BrokenImage => "This image cannot be opened. The file seems to be damaged.",
        TooManyPixels => "The image has too many pixels. Make it smaller and try again.",
        ImageTooComplex => "This image is too complex to be processed.",
        ImageFailed => "The image could not be prepared. Please attach it anew.",
        DiskFull => "The server is short of space. Please try again later.",
        Unavailable => "The server could not be reached. Nothing you wrote is lost; please try again in a moment.",
        Internal | Unknown => {
            "Something went wrong on the server. What was saved is safe; please try again in a moment."
        }
    };
    text.to_owned()
}

pub(super) fn in_korean(code: ErrorCode) -> String {
    use ErrorCode::*;
    let text = match code {
        Unauthenticated => "로그인이 풀렸어요. 다시 로그인해 주세요.",
        WrongCredentials => "이름이나 비밀번호가 맞지 않아요.",
        WrongOrigin => "다른 사이트에서 온 요청이라 받지 않았어요. 이 페이지를 새로 열어 주세요.",
        Forbidden => "이 일은 할 수 없어요. 운영자에게 물어봐 주세요.",
        RateLimited => "너무 빠르게 이어졌어요. 잠시 뒤에 다시 해 주세요.",
        TooManyConnections => "열린 창이 너무 많아요. 쓰지 않는 창을 닫아 주세요.",
        NotFound => "찾을 수 없어요. 주소가 바뀌었거나 볼 수 없는 곳일 수 있어요.",
        Gap => "그사이 대화가 많이 쌓였어요. 화면을 새로 열어 주세요.",
        LinkExpired => "기한이 지났거나 이미 쓴 링크예요.",
        BadRequest | UnknownType => "요청을 이해하지 못했어요. 화면을 새로 열고 다시 해 주세요.",
        Erased => "이미 지운 메시지예요.",
        BadKey | KeyReused => "같은 요청이 다른 내용으로 이미 왔어요. 글을 복사해 새로 보내 주세요.",
        BodyEmpty => "보낼 글을 써 주세요.",
        BodyTooLong => "메시지가 너무 길어요. 나누어 보내 주세요.",
        ControlCharacter => "보이지 않는 제어 문자가 들어 있어요. 지우고 다시 보내 주세요.",
        NameEmpty => "이름을 써 주세요.",
        NameTooLong => {
            return format!(
                "이름이 너무 길어요. 사람은 {}자, 방은 {}자까지예요.",
                UserName::MAX_CHARS,
                RoomName::MAX_CHARS
            );
        }
        NameInvisible => "이름에 보이지 않는 글자가 있어요. 지우고 다시 써 주세요.",
        NameTaken => "이미 쓰고 있는 이름이에요. 다른 이름을 정해 주세요.",
        BadSlug => return format!("방 주소는 글자와 숫자, 하이픈으로 {}자까지예요.", Slug::MAX_CHARS),
        SlugTaken => "같은 주소의 방이 이미 있어요. 다른 이름을 정해 주세요.",
        PasswordTooShort => return format!("비밀번호는 {}자 이상이어야 해요.", Password::MIN_CHARS),
        PasswordTooLong => return format!("비밀번호가 너무 길어요. {}바이트까지 쓸 수 있어요.", Password::MAX_BYTES),
        TooManyRooms => "한 번에 열어 둔 방이 너무 많아요.",
        TooManyWebhooks => "이 방에는 웹훅을 더 만들 수 없어요.",
        BadUrl => "이 주소로는 보낼 수 없어요.",
        BadTime => "이미 지났거나 너무 먼 시간이에요. 다른 시간을 골라 주세요.",
        TooManyScheduled => "예약한 메시지가 너무 많아요. 먼저 하나를 취소해 주세요.",
        TooManyExports => "내보내기가 이미 진행되고 있어요. 하나가 끝난 뒤에 다시 해 주세요.",
        LastMember => "마지막 멤버는 나갈 수 없어요. 먼저 다른 사람을 추가해 주세요.",
        LastOwner => "운영자가 한 명은 있어야 해요. 먼저 다른 사람을 운영자로 바꿔 주세요.",
        TooLarge => "보낸 내용이 너무 커요.",
        TooManyFiles => "한 번에 보내기에는 파일이 너무 많아요.",
        NoSuchFile => "올려 둔 파일을 찾을 수 없어요. 다시 첨부해 주세요.",
        FileNotReady => "이미지를 아직 준비하고 있어요.",
        BrokenImage => "이 이미지는 열 수 없어요. 파일이 손상된 것 같아요.",
        TooManyPixels => "이미지의 가로세로 크기가 너무 커요. 줄여서 다시 올려 주세요.",
        ImageTooComplex => "이 이미지는 처리하기에 너무 복잡해요.",
        ImageFailed => "이미지를 준비하지 못했어요. 새로 첨부해 주세요.",
        DiskFull => "서버의 저장 공간이 모자라요. 나중에 다시 해 주세요.",
        Unavailable => "서버에 닿지 못했어요. 쓴 글은 그대로 있으니 잠시 뒤에 다시 해 주세요.",
        Internal | Unknown => "서버에 문제가 생겼어요. 저장된 대화는 안전해요. 잠시 뒤에 다시 해 주세요.",
    };
    text.to_owned()
}
