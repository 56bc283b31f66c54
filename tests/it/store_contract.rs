//! The store's contract, held by both databases: each test runs on SQLite and on PostgreSQL.

mod account;
mod again;
mod approving;
mod cut_off;
mod delivering;
mod ending;
mod freezing;
mod ground;
mod guards;
mod health;
mod model;
mod pausing;
mod pictures;
mod planning;
mod progress;
mod racing;
mod reading;
mod schema;
mod silence;
mod urgent;

/// Runs every test on both databases.
macro_rules! contract {
    ($($module:ident: $($name:ident),+;)+) => {
        mod sqlite {
            $($(
                #[tokio::test]
                async fn $name() {
                    super::$module::$name(super::ground::Ground::sqlite().await).await;
                }
            )+)+
        }
        mod postgres {
            $($(
                #[tokio::test]
                async fn $name() {
                    // `None` only when somebody has asked for tests without PostgreSQL; otherwise this fails.
                    if let Some(ground) = super::ground::Ground::postgres().await {
                        super::$module::$name(ground).await;
                    }
                }
            )+)+
        }
    };
}

contract! {
    account:
        a_pair_is_followed_by_the_next_and_by_no_other,
        one_node_asks_at_a_time,
        trouble_stays_until_there_are_tokens,
        that_pairs_are_refused_is_known_until_a_call_is_taken,
        what_remains_of_a_quota_is_what_was_read_last;
    progress:
        a_note_is_of_the_attempt_that_is_under_way,
        what_a_channel_has_of_a_bulletin_is_known_to_the_next_delivery,
        a_note_tells_the_next_delivery_what_may_have_happened,
        a_report_confirms_what_was_taken_once;
    planning:
        planning_twice_changes_nothing,
        ten_thousand_in_one_call,
        an_edit_changes_what_has_not_begun,
        what_has_begun_is_left_alone,
        without_a_bulletin_it_is_skipped_and_comes_back_with_one,
        superseded_and_undone,
        superseding_spares_sends_by_hand_and_other_times,
        plan_runs_are_joined,
        ending_what_has_not_begun;
    freezing:
        another_revision_freezes_again,
        revisions,
        freezing,
        a_sound_that_is_longer_than_expected_leaves_less_time_to_begin,
        freezing_under_another_revision,
        an_edit_does_not_undo_what_a_send_has_settled,
        what_the_plan_wants_sooner_stays_so;
    urgent:
        an_emergency_overtakes_what_is_not_being_sent,
        a_correction_waits_behind_its_own_bulletin_only,
        what_may_be_playing;
    delivering:
        a_delivery_from_plan_to_accepted,
        order_of_claims,
        one_thing_at_a_time_on_a_channel,
        an_earlier_delivery_blocks_later_ones,
        full_hosts_and_choice,
        a_full_host_hides_nobody,
        two_budgets,
        choice_sees_beyond_what_is_refused,
        no_claim_after_the_deadline,
        retry_waits,
        finishing_is_fenced,
        both_attempts_of_a_slow_node_in_one_turn,
        handing_in_twice_writes_once,
        strange_texts_survive,
        next_ready_is_the_least_of_those_that_lead;
    ending:
        rescue_by_mode,
        rescue_when_alone,
        expiry_by_history,
        what_was_refused_until_its_hours_end_says_both,
        missed_is_judged,
        reconciling,
        a_stream_that_ended_before_its_sound_is_for_a_person,
        every_end_is_in_the_journal;
    pausing:
        a_pause_silences_its_scope_and_nothing_else,
        what_is_on_its_way_goes_on_and_is_not_tried_again,
        an_emergency_breaks_a_pause_unless_it_is_meant_too,
        a_pause_that_somebody_ended_silences_nothing_more,
        what_fell_due_in_a_pause_is_not_sent_after_it;
    pictures:
        a_picture_is_kept_and_is_open_once_it_was_frozen;
    racing:
        two_nodes_share_the_work,
        planning_on_two_nodes_at_once,
        two_people_decide_at_once;
    reading:
        log_pages_in_both_orders,
        log_filters,
        following_changes,
        the_account_balances,
        airtime_is_added_up,
        contradictions_are_named,
        liveness,
        the_journal,
        known_and_contents,
        the_pulse_beats;
    again:
        what_has_no_time_left_gets_another_place,
        what_waits_for_another_place_does_not_expire,
        what_has_no_other_place_is_tried_once_more_before_its_deadline;
    cut_off:
        a_stream_whose_node_died_is_for_a_person_and_what_was_over_is_not,
        what_was_cut_off_says_so_and_stays_what_it_is,
        what_was_cut_off_is_no_airtime;
    guards:
        worlds_are_kept_apart,
        what_is_on_record_stays,
        rows_that_mean_nothing,
        words_are_checked,
        opening_again_changes_nothing,
        addresses,
        records,
        locks;
    approving:
        a_decision_is_on_record_with_its_version,
        nothing_of_it_can_be_changed,
        only_what_is_approved_is_frozen,
        a_return_stops_what_was_frozen_and_what_is_tried_again,
        what_was_skipped_for_want_of_it_is_taken_up_again,
        a_schedule_stands_for_itself,
        the_sample_is_approved_in_simulation_only,
        a_retraction_calls_off_and_corrects,
        a_return_and_a_freeze_at_once,
        approvals_from_two_nodes_at_once;
    silence:
        what_was_due_is_found_by_id_and_by_instant,
        a_silence_is_noticed_once,
        what_a_wrong_clock_noticed_is_noticed_again,
        one_node_tells_and_another_takes_over_from_a_dead_one,
        it_is_over_when_the_channel_takes_something_later,
        what_ends_while_it_is_told_is_told_too,
        old_news_is_none,
        what_was_not_published_is_noticed_in_the_same_moment;
    health:
        the_last_news_of_a_host_stays_and_each_is_in_the_journal,
        what_nodes_that_are_gone_knew_is_inherited,
        when_a_screen_was_seen_last_stays,
        what_waits_for_a_host_that_every_node_leaves_alone_says_so,
        what_waits_for_another_of_its_channel_says_so,
        what_waits_goes_where_its_channel_is_now,
        what_ends_at_a_host_that_is_left_alone_was_unreachable;
    schema:
        every_statement_prepares;
    model:
        random_sequences;
}
