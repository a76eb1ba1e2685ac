//! What every engine behind `Store` guarantees, as one suite. An engine is added with one line
//! at the end of this file.

mod accounts;
mod changing;
mod files;
mod history;
mod keys;
mod laws;
mod links;
mod nodes;
mod pages;
mod posting;
mod previews;
mod processes;
mod purging;
mod retention;
mod rooms;
mod tasks;
mod webhooks;
pub mod world;

use world::{Postgres, Sqlite, World};

macro_rules! suite {
    ($($module:ident: $($test:ident)*;)*) => {
        macro_rules! engine {
            ($name:ident, $engine:ty) => {
                mod $name {
                    use super::*;
                    $($(
                        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                        async fn $test() {
                            super::$module::$test(World::<$engine>::new().await).await;
                        }
                    )*)*
                }
            };
        }
    };
}

suite! {
    posting:
        a_thousand_parallel_posts_with_repeated_keys_are_dense
        a_repeat_gets_the_first_ack_after_leaving
        a_key_with_another_body_is_refused
        a_known_post_is_found_by_key_and_text
        a_key_is_free_in_another_room_and_for_another_author
        a_closed_room_is_as_absent_to_strangers
        posting_into_an_open_room_joins
        commands_of_one_caller_keep_their_order
        a_refused_command_leaves_nothing_behind
        the_observer_hears_of_a_post_before_its_author
        the_observer_hears_every_room_densely
        a_dropped_answer_does_not_take_the_post_back
        a_panicking_observer_does_not_stop_the_writer;
    keys:
        every_repeat_gets_the_first_ack_and_does_nothing
        a_refusal_does_not_use_its_key
        a_failure_after_the_commit_keeps_the_key
        a_key_is_not_good_for_anything_else
        a_repeat_is_answered_whatever_has_become_of_its_author
        what_was_not_committed_is_done_by_the_repeat
        a_lost_answer_is_given_again_also_after_a_restart
        the_same_at_once_happens_once
        a_room_is_found_by_its_key_under_another_address;
    changing:
        an_edit_is_served_everywhere
        a_deletion_is_served_everywhere_and_final
        the_body_that_is_there_makes_no_event
        only_the_author_changes_a_message_and_only_as_a_member
        a_deleted_message_is_not_unread_and_an_edited_one_not_again
        a_change_of_a_message_of_another_history_is_refused
        changes_by_another_process_are_honoured;
    rooms:
        creating_a_room_makes_its_creator_the_first_member
        the_operator_makes_rooms_and_adds_people
        a_taken_slug_is_refused
        members_bring_others_in_and_strangers_do_not
        adding_a_member_twice_changes_nothing
        the_last_member_of_a_closed_room_stays
        leaving_an_open_room_always_works
        only_creator_and_owners_rename
        closing_needs_membership
        the_room_list_is_what_the_reader_may_read
        unread_counts_posts_by_others_up_to_a_hundred
        a_new_member_has_nothing_unread
        mark_read_never_goes_back_or_beyond_the_head
        members_beyond_the_list_are_counted
        a_room_head_is_for_those_who_may_read_it
        readable_pairs_follow_memberships;
    pages:
        pages_neither_lose_nor_repeat_rows
        a_page_has_rows_only_and_tells_of_older_ones
        messages_are_pages_of_posts
        events_after_keeps_to_its_limit
        events_within_stop_where_their_bytes_are_spent
        a_tail_ends_at_the_head_and_begins_where_its_budget_is_spent
        an_unknown_room_reads_as_an_empty_log
        positions_beyond_everything_are_harmless
        heads_leave_unknown_rooms_out;
    previews:
        previews_are_an_event_and_part_of_their_message
        previews_of_one_body_come_once
        an_edit_leaves_no_previews_and_may_have_its_own
        a_deletion_leaves_no_previews
        what_is_pruned_has_no_previews_even_before_it_is_swept
        accounts_show_no_previews_of_their_own
        a_message_tells_what_is_to_be_shown
        what_a_page_said_is_known_until_it_expires;
    webhooks:
        every_event_of_the_room_has_its_delivery
        a_webhook_hears_of_the_kinds_it_names
        what_is_refused_or_repeated_is_not_told
        a_room_has_so_many_webhooks
        of_many_who_look_one_takes_the_webhook
        with_one_key_one_webhook_is_made
        of_many_who_try_one_makes_the_attempt
        an_attempt_whose_end_is_unknown_is_made_again
        a_webhook_that_fails_for_too_long_is_disabled_until_a_test_arrives
        what_waits_for_a_webhook_without_events_fails_but_for_what_is_being_sent
        what_ended_long_ago_is_dropped;
    accounts:
        names_are_one_account_regardless_of_case_and_form
        people_are_listed_by_name
        the_last_owner_stays_owner
        the_shared_secret_is_made_once
        a_session_ends_at_its_expiry
        a_session_is_prolonged_at_most_hourly
        ended_and_expired_sessions_do_not_stand
        a_new_password_ends_the_other_sessions
        tokens_and_languages_belong_to_their_account;
    links:
        an_invite_is_good_until_expiry_or_revocation
        a_usable_invite_is_listed_before_all_that_are_not
        parallel_accepts_never_exceed_the_uses
        a_taken_name_takes_no_use
        of_two_set_ups_one_wins
        set_up_ends_with_the_first_owner
        set_up_adopts_a_room_of_the_operator
        a_reset_works_once_and_ends_every_session
        a_new_reset_ends_the_earlier_one;
    processes:
        reopening_keeps_everything
        after_close_commands_are_refused
        close_commits_what_is_queued
        a_commit_of_another_process_is_noticed
        own_writes_are_not_foreign
        two_processes_write_one_dense_log
        many_processes_open_an_empty_directory;
    retention:
        what_is_pruned_is_one_event_and_nowhere_else
        only_what_is_old_enough_goes_and_a_log_keeps_its_last_event
        an_edit_of_what_is_pruned_is_served_without_its_message
        a_room_says_how_long_it_keeps;
    tasks:
        a_card_tells_each_state_and_stands_as_the_last_one
        a_task_and_what_caused_it_are_one_commit
        two_processes_never_have_the_same_task
        what_matters_most_is_claimed_first
        what_outlives_its_lease_is_another_run
        a_run_that_was_given_back_ends_no_later_one
        lists_are_by_state_and_time
        what_is_under_way_is_counted_whether_or_not_it_runs
        a_page_has_the_progress_of_its_running_cards
        progress_and_cancelling_are_seen_by_other_processes;
    files:
        a_file_is_there_once_for_each_key
        a_message_carries_its_files_wherever_it_is_served
        a_post_with_files_joins_and_reads_like_any_other
        only_ones_own_ready_files_of_the_room_are_carried
        a_file_is_carried_once
        a_known_post_with_files_gets_its_first_ack
        what_a_pruned_message_carried_is_out_of_reach_before_it_is_swept
        an_edit_leaves_the_files_and_a_deletion_takes_them
        what_became_of_a_file_is_decided_once
        a_file_is_refused_while_its_task_has_failed
        a_file_that_is_there_does_not_follow_its_task
        a_file_is_for_those_who_may_read_its_message
        a_shared_file_is_for_those_who_may_read_the_room_until_it_expires
        files_that_nothing_carries_go_in_the_end;
    history:
        pages_and_events_tell_the_same_story;
    laws:
        a_reader_ends_where_the_room_is_however_it_got_there;
}

engine!(sqlite, Sqlite);
engine!(postgres, Postgres);
