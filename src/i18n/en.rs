//! English.

use super::catalogue::*;
use crate::domain::{Password, RoomName, Slug, UserName, Weekday};
use crate::protocol::{ErrorCode, MOST_UNREAD};

pub static EN: Catalogue = Catalogue {
    common: Common {
        skip_to_content: "Skip to content",
        close: "Close",
        cancel: "Cancel",
        save: "Save",
        copy: "Copy",
        copied: "Copied",
        try_again: "Try again",
        loading: "Loading",
        to_rooms: "Go to your rooms",
        owner: "Owner",
        member: "Member",
        you: "you",
        language: "Language",
        not_found_title: "There is nothing here",
        not_found_text: "The address may have changed, or it is a place you cannot see.",
        failed_title: "This cannot be opened right now",
        link_for: |what| format!("{what} link"),
    },
    plain: Plain {
        name: "Name",
        name_hint: "Everyone sees this name. You sign in with it too.",
        password: "Password",
        new_password: "New password",
        sign_in: "Sign in",
        sign_in_forgot: "Forgot your password? Ask an owner for a reset link.",
        set_up_title: "Set up PickMate",
        set_up_intro: "Make your community and its first room. The account you make now becomes the owner.",
        community: "Community name",
        first_room: "First room",
        set_up: "Start",
        join: "Join",
        reset_title: "Choose a new password",
        reset: "Change password",
        expired_title: "This link does not work",
        expired_text: "It has expired or was used already. Ask the person who sent it for a new one.",
        not_set_up_title: "Not open yet",
        not_set_up_text: "The terminal where the server was started shows a set-up link. Open it to make your community.",
        refused_title: "Your message was not sent",
        refused_text: "Your text is still here, below.",
        back_to_room: "Back to the room",
        password_hint: |chars| format!("At least {chars} characters."),
        join_title: |community| format!("Join {community}"),
        join_intro: |inviter| format!("{inviter} invited you. Choose a name and a password to use here."),
        reset_intro: |name| format!("This sets a new password for {name} and signs out all other devices."),
    },
    rooms: Rooms {
        title: "Rooms",
        joined: "Your rooms",
        others: "Open rooms",
        new: "New room",
        name: "Room name",
        access: "Who can see it",
        open: "Open",
        open_hint: "Everyone can read it; posting joins.",
        closed: "Closed",
        closed_hint: "Only people who were added can see it.",
        create: "Create room",
        choose_title: "Choose a room",
        choose_text: "Open a room from the list and its conversation appears here.",
        none_title: "No rooms yet",
        none_text: "A room is a place to talk together. Make the first one.",
        show_list: "Show rooms",
        about: "About this room",
        members: "Members",
        here: "Here",
        actions: "Manage room",
        rename: "Rename",
        make_open: "Make open",
        make_open_text: "Everyone will be able to read this room, past messages included.",
        make_closed: "Make closed",
        make_closed_text: "People who are not members will no longer see this room.",
        leave: "Leave room",
        leave_open_text: "You can join again at any time.",
        leave_closed_text: "To come back, a member has to add you.",
        add: "Add people",
        add_text: "People you add can read all past messages.",
        add_action: "Add",
        add_none: "Everyone is in this room already.",
        join: "Join",
        not_member: "You are not a member yet. Posting joins the room.",
        revoked_title: "You can no longer see this room",
        revoked_text: "It was closed, or you were taken out of it. Your other rooms are as they were.",
        access_and_here: |access, count| format!("{access} · {count} here"),
        unread: |count| plural(count, "unread message"),
        add_person: |name| format!("Add {name}"),
        added: |name| format!("{name} was added."),
    },
    talk: Talk {
        empty_title: "The conversation starts here",
        empty_text: "Write the first message below.",
        older_more: "Show earlier messages",
        older_failed: "Earlier messages could not be loaded.",
        missing: "Messages are missing here.",
        missing_load: "Load them",
        pending: "Sending",
        waiting: "Will be sent when connected",
        undecided: "This could not be sent for over a week. Send it now?",
        resend: "Send again",
        rewrite: "Edit",
        discard: "Discard",
        leave_as_is: "Leave as it is",
        not_kept: "This browser keeps nothing. What is not sent is gone when you close the page.",
        erased: "This message was erased",
        edited: "edited",
        tools: "Actions for your message",
        edit: "Edit message",
        erase: "Erase message",
        erase_title: "Erase this message?",
        erase_text: "It goes for everybody and cannot be brought back.",
        editing: "You are editing a message",
        editing_gone: "The message you were editing was erased. Sending makes a new one.",
        to_latest: "Jump to latest",
        placeholder: "Write a message",
        send: "Send",
        type_many: "Several people are typing…",
        types: |name| format!("{name} is typing…"),
        type_both: |one, other| format!("{one} and {other} are typing…"),
        log: |room| format!("Conversation in {room}"),
        beginning: |room| format!("This is where {room} begins."),
        write_to: |room| format!("Write to {room}"),
        new_messages: |count| plural(count, "new message"),
        room_left: |chars| format!("About {} left.", characters(chars)),
        too_long: |chars| format!("A little too long. Take out about {} to send it.", characters(chars)),
        not_sent: |why| format!("Not sent. {why}"),
        not_edited: |why| format!("Not changed. {why}"),
        not_erased: |why| format!("Not erased. {why}"),
        held: |seconds| format!("Sending in {seconds} s"),
        unsent: |count| plural(count, "unsent message"),
        joined: |name| format!("{name} joined"),
        left: |name| format!("{name} left"),
        renamed: |by, name| format!("{by} renamed the room to {name}"),
        opened: |by| format!("{by} made the room open"),
        closed: |by| format!("{by} made the room closed"),
    },
    people: People {
        title: "People",
        make_owner: "Make owner",
        make_member: "Make member",
        reset_link: "Reset password",
        reset_once: "This link works once and is shown only now. Copy it and send it to them.",
        invite_title: "Invite people",
        invite_text: "Whoever has the link chooses a name and a password and comes right in.",
        days: "Valid for",
        uses: "Good for",
        make_link: "Create invite link",
        invite_once: "The link is shown only now. Copy it and send it.",
        invites_title: "Invite links",
        invites_none: "No links yet.",
        revoke: "Revoke",
        revoked: "Revoked",
        expired: "Expired",
        used_up: "Used up",
        alone: "It is just you so far. Create an invite link to bring people in.",
        count: |count| if count == 1 { "1 person".to_owned() } else { format!("{count} people") },
        since: |day| format!("Since {day}"),
        day_count: |days| plural(days, "day"),
        use_count: |people| if people == 1 { "1 person".to_owned() } else { format!("{people} people") },
        used: |used, of| format!("{used} of {of} joined"),
        until: |day| format!("Until {day}"),
        more_for: |name| format!("Actions for {name}"),
        me: |name| format!("{name} (you)"),
        role_since: |role, since| format!("{role} · {since}"),
        state_and_maker: |state, maker| format!("{state} · By {maker}"),
    },
    settings: Settings {
        title: "Settings",
        follow_browser: "Same as the browser",
        language_text: "The page reloads when you change it.",
        password_title: "Change password",
        password_text: "All your other devices will be signed out.",
        current_password: "Current password",
        change_password: "Change password",
        password_changed: "Your password was changed.",
        sign_out: "Sign out",
        sign_out_text: "Only in this browser.",
        wrong_password: "The current password is not right.",
        signed_in_as: |name| format!("Signed in as {name}"),
        unsent_stay: |count| {
            let what = plural(count, "message");
            format!("Not sent yet: {what}. This browser keeps what is not sent, and sends it when you sign in again.")
        },
    },
    link: LinkWords {
        live: "Live",
        reconnecting: "Reconnecting",
        offline: "You are offline. What you write is sent when you are back.",
        stopped: "This page cannot connect any more.",
        reload: "Reload",
        signed_out: "Signed out",
        crowded: |seconds| format!("Too many windows are open. Trying again in about {seconds} s."),
    },
    dates: Dates {
        today: "Today",
        yesterday: "Yesterday",
        time: |at| {
            let half = if at.hour < 12 { "AM" } else { "PM" };
            format!("{}:{:02} {half}", (at.hour + 11) % 12 + 1, at.minute)
        },
        day: |at| format!("{}, {} {}", weekday_name(at.weekday), month_name(at.month), at.day),
        day_of_year: |at| format!("{}, {} {}, {}", weekday_name(at.weekday), month_name(at.month), at.day, at.year),
    },
    error,
};

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Sunday => "Sunday",
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
    }
}

fn month_name(month: u32) -> &'static str {
    match month {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

/// More than can be counted is only "many".
fn plural(count: u32, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        0..=MOST_UNREAD => format!("{count} {what}s"),
        _ => format!("{MOST_UNREAD}+ {what}s"),
    }
}

fn characters(count: u32) -> String {
    format!("{count} character{}", if count == 1 { "" } else { "s" })
}

fn error(code: ErrorCode) -> String {
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
        LastMember => "The last member cannot leave. Add somebody else first.",
        LastOwner => "There has to be an owner. Make somebody else one first.",
        TooLarge => "That is too large to send.",
        Unavailable => "The server could not be reached. Nothing you wrote is lost; please try again in a moment.",
        Internal | Unknown => {
            "Something went wrong on the server. What was saved is safe; please try again in a moment."
        }
    };
    text.to_owned()
}
