//! Statements about pauses.

/// The columns of a pause, in the order in which `pause.rs` reads them.
macro_rules! pause {
    () => {
        "number, scope, target, emergency, from_us, until_us, person, reason, resumed_us, resumed_by,
        resumed_reason"
    };
}

statements! {
    /// A new pause. `$1` scope, `$2` target, `$3` whether emergencies too, 0 or 1, `$4` from, `$5` until, `$6` who, `$7` why.
    PAUSE_INSERT = one!(concat!(
        "INSERT INTO pause (scope, target, emergency, from_us, until_us, person, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ", pause!()
    ));
    /// Ends a pause that is in force. `$1` number, `$2` now, `$3` who, `$4` why.
    RESUME = one!(concat!(
        "UPDATE pause SET resumed_us = $2, resumed_by = $3, resumed_reason = $4
        WHERE number = $1 AND resumed_us IS NULL AND until_us > $2 AND from_us <= $2 RETURNING ", pause!()
    ));
    /// Pauses that end after `$1`, oldest first.
    PAUSES = one!(concat!(
        "SELECT ", pause!(), " FROM pause WHERE until_us > $1 AND (resumed_us IS NULL OR resumed_us > $1) ORDER BY number"
    ));
    /// Ends what fell due in a pause, and what is still waiting while one is in force (`is_on`). Without an attempt it is
    /// skipped; with one that may have arrived, unknown; else failed. `$2` now.
    END_PAUSED = batch!(
        [scope TEXT, target TEXT, emergency BOOLEAN, is_on BOOLEAN, from_us BIGINT, end_us BIGINT, why TEXT]
        "UPDATE delivery SET
            state = CASE WHEN attempt = 0 THEN 'skipped' WHEN doubt THEN 'unknown' ELSE 'failed' END,
            unfinished = FALSE, reason = 'paused', detail = batch.why, next_us = NULL, updated_us = $2
        FROM batch
        WHERE unfinished AND state <> 'sending' AND due_us <= $2
            AND (batch.is_on OR (due_us >= batch.from_us AND due_us < batch.end_us))
            AND (batch.emergency OR priority <> 'emergency')
            AND CASE batch.scope WHEN 'all' THEN TRUE WHEN 'ward' THEN ward = batch.target
                WHEN 'channel' THEN channel = batch.target ELSE bulletin = batch.target END
        RETURNING id, state"
    );
}
