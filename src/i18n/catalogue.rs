//! What there is to say. A group for each place in the interface; texts with a value in them are functions.

use super::group::group;
use super::later::Later;
use crate::domain::CivilTime;
use crate::protocol::ErrorCode;

/// Everything the interface says, in one language.
pub struct Catalogue {
    pub common: Common,
    pub plain: Plain,
    pub rooms: Rooms,
    pub talk: Talk,
    pub people: People,
    pub settings: Settings,
    pub tasks: Tasks,
    pub slash: SlashWords,
    pub later: Later,
    pub link: LinkWords,
    pub dates: Dates,
    /// What happened and what to do, for people.
    pub error: fn(ErrorCode) -> String,
}

group! {
    /// Said in many places.
    Common {
        skip_to_content,
        close,
        cancel,
        save,
        copy,
        copied,
        try_again,
        loading,
        to_rooms,
        owner,
        member,
        /// After one's own name.
        you,
        language,
        not_found_title,
        not_found_text,
        failed_title,
    } {
        /// Label of the address that is shown once.
        link_for(&str),
    }
}

group! {
    /// Pages that work without scripts.
    Plain {
        name,
        name_hint,
        password,
        new_password,
        sign_in,
        sign_in_forgot,
        set_up_title,
        set_up_intro,
        community,
        first_room,
        set_up,
        join,
        reset_title,
        reset,
        expired_title,
        expired_text,
        not_set_up_title,
        not_set_up_text,
        refused_title,
        refused_text,
        back_to_room,
    } {
        /// How many characters it has at least.
        password_hint(u32),
        join_title(&str),
        join_intro(&str),
        reset_intro(&str),
    }
}

group! {
    /// The room list and what can be done with a room.
    Rooms {
        title,
        joined,
        others,
        new,
        name,
        access,
        open,
        open_hint,
        closed,
        closed_hint,
        create,
        choose_title,
        choose_text,
        none_title,
        none_text,
        show_list,
        about,
        members,
        /// Of a member who is present.
        here,
        actions,
        rename,
        make_open,
        make_open_text,
        make_closed,
        make_closed_text,
        webhooks,
        keep,
        keep_text,
        leave,
        leave_open_text,
        leave_closed_text,
        add,
        add_text,
        add_action,
        add_none,
        join,
        not_member,
        revoked_title,
        revoked_text,
    } {
        unread(u32),
        /// Who can see the room, and how many are present.
        access_and_here(&str, u32),
        /// For so many days; 0: for ever.
        kept(u32),
        /// Label of the button beside somebody.
        add_person(&str),
        added(&str),
    }
}

group! {
    /// The conversation and the composer.
    Talk {
        empty_title,
        empty_text,
        older_more,
        older_failed,
        /// Between two rows.
        missing,
        missing_load,
        pending,
        /// Kept until there is a connection.
        waiting,
        /// Too old to go without asking.
        undecided,
        resend,
        rewrite,
        discard,
        /// Of a change that was not sent.
        leave_as_is,
        /// The browser refuses to keep what is not sent.
        not_kept,
        erased,
        edited,
        /// Label of the way to what can be done with one's own message.
        tools,
        edit,
        erase,
        erase_title,
        erase_text,
        editing,
        editing_gone,
        to_latest,
        placeholder,
        send,
        attach,
        attachments,
        /// Files are not all there.
        uploading,
        /// An image that is made anew.
        preparing,
        file_ready,
        edit_takes_no_files,
        /// Over a conversation that a file is held over.
        drop_here,
        /// More than two are typing.
        type_many,
    } {
        types(&str),
        /// A file out of those for the message.
        detach(&str),
        /// What a file may have, in MB or so.
        file_too_large(&str),
        /// How many may go with a message.
        too_many_files(u32),
        type_both(&str, &str),
        log(&str),
        beginning(&str),
        write_to(&str),
        new_messages(u32),
        room_left(u32),
        too_long(u32),
        /// Why a message was not sent.
        not_sent(&str),
        not_edited(&str),
        not_erased(&str),
        /// In how many seconds it is sent again.
        held(u32),
        /// How many are not sent.
        unsent(u32),
        joined(&str),
        left(&str),
        /// Who, and the new name.
        renamed(&str, &str),
        opened(&str),
        closed(&str),
        /// Who, and for how many days messages are kept from here on; 0: for ever.
        retention_changed(&str, u32),
    }
}

group! {
    /// People of the community and the links that bring new ones.
    People {
        title,
        make_owner,
        make_member,
        reset_link,
        reset_once,
        invite_title,
        invite_text,
        days,
        uses,
        make_link,
        invite_once,
        invites_title,
        invites_none,
        revoke,
        revoked,
        expired,
        used_up,
        alone,
    } {
        count(u32),
        since(&str),
        day_count(u32),
        use_count(u32),
        /// How many came, and how many may.
        used(u32, u32),
        until(&str),
        more_for(&str),
        /// One's own name.
        me(&str),
        /// Role, and since when.
        role_since(&str, &str),
        /// State of a link, and by whom it was made.
        state_and_maker(&str, &str),
    }
}

group! {
    Settings {
        title,
        follow_browser,
        language_text,
        password_title,
        password_text,
        current_password,
        change_password,
        password_changed,
        sign_out,
        sign_out_text,
        /// Of somebody who is signed in: the name is right.
        wrong_password,
    } {
        signed_in_as(&str),
        /// How many messages are not sent yet.
        unsent_stay(u32),
    }
}

group! {
    /// Background work: its cards in rooms and the page of all of it.
    Tasks {
        title,
        queued,
        running,
        retrying,
        succeeded,
        failed,
        cancelled,
        /// Label of the bar.
        progress,
        cancel,
        again,
        download,
        /// Of the page.
        intro,
        lists,
        list_running,
        list_waiting,
        list_scheduled,
        list_failed,
        list_ended,
        lanes,
        lane_any,
        lane_io,
        lane_blocking,
        lane_cpu,
        none,
    } {
        /// How many are shown where there are more.
        shown(u32),
        /// Runs that have begun, and how many there may be.
        attempts(u32, u32),
        runs_at(&str),
        ended_at(&str),
        repeats(&str),
        /// Label of what can be done with one.
        actions_for(&str),
        started_by(&str),
        /// For how many seconds.
        lasted(u32),
        /// By the name of the kind; one that is not known is called by that.
        kind(&str),
        /// By its code; one that is not known is told by that.
        failure(&str),
    }
}

group! {
    /// Commands in the composer.
    SlashWords {
        /// Label of the list of them.
        commands,
        remind,
        export,
        demo,
        /// What to write behind the name.
        remind_usage,
        no_text,
        unknown,
        as_text,
    } {}
}

group! {
    /// The connection, in words.
    LinkWords {
        live,
        reconnecting,
        offline,
        /// The server refuses to go on with this page.
        stopped,
        reload,
        signed_out,
    } {
        /// Too many connections: in how many seconds it is tried again.
        crowded(u32),
    }
}

group! {
    Dates {
        today,
        yesterday,
    } {
        time(CivilTime),
        /// Without the year.
        day(CivilTime),
        day_of_year(CivilTime),
    }
}
