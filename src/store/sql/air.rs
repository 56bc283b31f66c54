//! Statements about what is on air: what is heard on a day, whoever wanted it, and giving way to what is sent by hand.

statements! {
    /// Until when something that was sent by hand is heard.
    SENT_UNTIL = one!("SELECT at_us FROM meta WHERE key = 'sent-by-hand'");
    /// Moves that on, never back, and holds it until the transaction ends: two people who send at once find places one after
    /// the other. `$1` until.
    SENT_MARK = one!(
        "INSERT INTO meta (key, value, at_us) VALUES ('sent-by-hand', '', $1)
        ON CONFLICT (key) DO UPDATE SET
            at_us = CASE WHEN meta.at_us < excluded.at_us THEN excluded.at_us ELSE meta.at_us END"
    );
    /// What is heard in an interval, or may have been. `$1` from, `$2` until.
    ON_AIR = one!(
        "SELECT id, schedule, scheduled_us, part, bulletin, ward, channel, channel_name, priority, due_us, length_us,
            deadline_us, state, attempt, accepted_us, started_us, next_us
        FROM delivery
        WHERE due_us >= $1 AND due_us < $2 AND length_us IS NOT NULL AND kind = 'loudspeaker' AND format = 'script'
            AND state NOT IN ('skipped', 'cancelled', 'failed', 'unheard')
        ORDER BY due_us, id"
    );
    /// What was frozen and has not begun is judged and frozen again. `$2` now.
    GIVE_WAY = list!(
        "UPDATE delivery SET state = 'planned', content = NULL, host = NULL, can_ask = FALSE, next_us = NULL, updated_us = $2
        FROM list WHERE id = list.item AND state = 'ready' AND attempt = 0"
    );
    /// Says of what is not over when it has to be. A deadline is never before its instant. `$2` now.
    OVER_BY = batch!(
        [delivery_id TEXT, over_us BIGINT, over_reason TEXT, over_detail TEXT]
        "UPDATE delivery SET over_us = batch.over_us, over_reason = batch.over_reason, over_detail = batch.over_detail,
            deadline_us = CASE
                WHEN deadline_us <= batch.over_us - COALESCE(length_us, 0) THEN deadline_us
                WHEN due_us > batch.over_us - COALESCE(length_us, 0) THEN due_us
                ELSE batch.over_us - COALESCE(length_us, 0) END,
            updated_us = $2
        FROM batch
        WHERE id = batch.delivery_id AND unfinished AND (delivery.over_us IS NULL OR delivery.over_us > batch.over_us)"
    );
    /// What gave way to a send by hand under another revision, and is still to come. `$1` now, `$2` revision.
    MOVED = one!(
        "SELECT id, due_us, deadline_us, over_us, over_reason, over_detail
        FROM delivery
        WHERE unfinished AND state <> 'sending' AND attempt = 0 AND due_us >= $1 AND revision <> $2
            AND substr(schedule, 1, 5) <> 'send.'
            AND EXISTS (SELECT 1 FROM journal AS j WHERE j.delivery = delivery.id AND j.event = 'moved')"
    );
    /// Gives what has not begun another place; what was frozen is frozen again there. `$2` now.
    MOVE = batch!(
        [delivery_id TEXT, due_us BIGINT, deadline_us BIGINT, over_us BIGINT, over_reason TEXT, over_detail TEXT]
        "UPDATE delivery SET due_us = batch.due_us, deadline_us = batch.deadline_us, over_us = batch.over_us,
            latest_us = CASE WHEN latest_us < batch.deadline_us THEN batch.deadline_us ELSE latest_us END,
            over_reason = batch.over_reason, over_detail = batch.over_detail, state = 'planned', content = NULL, host = NULL,
            can_ask = FALSE, next_us = NULL, updated_us = $2
        FROM batch WHERE id = batch.delivery_id AND state IN ('planned', 'ready') AND attempt = 0"
    );
    /// Gives what is to be tried again another place. `$2` now.
    PLACE_AGAIN = batch!(
        [delivery_id TEXT, due_us BIGINT, deadline_us BIGINT, over_us BIGINT, over_reason TEXT, over_detail TEXT]
        concat!("UPDATE delivery SET due_us = batch.due_us, next_us = batch.due_us, deadline_us = batch.deadline_us,
            over_us = batch.over_us, over_reason = batch.over_reason, over_detail = batch.over_detail, updated_us = $2
        FROM batch WHERE id = batch.delivery_id AND attempt > 0 AND ", is_in_state!("ready"))
    );
    /// There is no other place for these: their deadline stands, and where it leaves time for that they are tried once more shortly
    /// before it. `$2` now.
    NO_PLACE = list!(concat!(
        "UPDATE delivery SET latest_us = NULL, updated_us = $2,
            next_us = CASE WHEN deadline_us - 40000000 > $2 AND next_us >= deadline_us THEN deadline_us - 30000000 ELSE next_us END
        FROM list WHERE id = list.item AND attempt > 0 AND ",
        is_in_state!("ready")
    ));
}
