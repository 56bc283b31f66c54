//! Statements about versions, decisions, and the deliveries that depend on them.

statements! {
    /// Keeps a version, once. `$1` hash, `$2` kind, `$3` subject, `$4` approvals needed, `$5` JSON, `$6` now.
    VERSION_INSERT = one!(
        "INSERT INTO version (hash, kind, subject, needed, json, at_us) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (hash) DO NOTHING"
    );
    /// Versions by hash.
    VERSIONS = list!("SELECT hash, json FROM list JOIN version ON hash = list.item");
    /// Those of these hashes under which a version is kept.
    KNOWN_VERSIONS = list!("SELECT hash FROM list JOIN version ON hash = list.item");
    /// The newest versions of a subject. `$1` kind, `$2` subject, `$3` how many.
    VERSIONS_OF = one!(
        "SELECT hash, json FROM version WHERE kind = $1 AND subject = $2 ORDER BY at_us DESC, hash LIMIT $3"
    );
    /// Puts a decision on record. `$1` now, `$2` kind, `$3` subject, `$4` version, `$5` decision, `$6` person, `$7` role, `$8` remark.
    APPROVAL_INSERT = one!(
        "INSERT INTO approval (at_us, kind, subject, version, decision, person, role, remark)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    );
    /// The decisions on subjects with these ids, of either kind, in their order.
    APPROVALS_OF = list!(
        "SELECT a.number, a.at_us, a.kind, a.subject, a.version, v.needed, a.decision, a.person, a.role, a.remark
        FROM list JOIN approval AS a ON a.subject = list.item JOIN version AS v ON v.hash = a.version
        ORDER BY a.number"
    );
    /// Keeps whoever freezes waiting until a decision is on record, and the other way round. See `plan::REVISION_HELD`.
    DECISION_LOCK = (
        "SELECT value FROM meta WHERE key = 'revision'",
        "SELECT value FROM meta WHERE key = 'revision' FOR UPDATE",
    );
    /// What was skipped only for want of approval and is still to come. `$1` bulletin or NULL, `$2` schedule or NULL, `$3` now.
    REVIVE = one!(
        "UPDATE delivery SET state = 'planned', unfinished = TRUE, reason = NULL, detail = NULL, updated_us = $3
        WHERE due_us > $3 AND state = 'skipped' AND reason = 'unapproved' AND attempt = 0
            AND (bulletin = CAST($1 AS TEXT) OR schedule = CAST($2 AS TEXT))
        RETURNING id"
    );
    /// What was frozen and has not begun is judged and frozen again. `$1` bulletin or NULL, `$2` schedule or NULL, `$3` now.
    UNFREEZE = one!(
        "UPDATE delivery SET state = 'planned', content = NULL, host = NULL, can_ask = FALSE, next_us = NULL, updated_us = $3
        WHERE unfinished AND state = 'ready' AND attempt = 0
            AND (bulletin = CAST($1 AS TEXT) OR schedule = CAST($2 AS TEXT))
            AND substr(schedule, 1, 16) <> 'send.correction.'"
    );
    /// What has begun and waits for another try ends. `$1` bulletin or NULL, `$2` schedule or NULL, `$3` now, `$4` detail.
    STOP_TRYING = one!(
        "UPDATE delivery SET state = CASE WHEN doubt THEN 'unknown' ELSE 'failed' END, unfinished = FALSE,
            reason = 'unapproved', detail = CAST($4 AS TEXT), next_us = NULL, updated_us = $3
        WHERE unfinished AND state = 'ready' AND attempt > 0
            AND (bulletin = CAST($1 AS TEXT) OR schedule = CAST($2 AS TEXT))
            AND substr(schedule, 1, 16) <> 'send.correction.'
        RETURNING id, state"
    );
    /// What is on its way cannot be called back, and gets no other try. `$1` bulletin or NULL, `$2` schedule or NULL, `$3` now.
    STOP_SENDING = one!(
        "UPDATE delivery SET deadline_us = CASE WHEN deadline_us > $3 THEN $3 ELSE deadline_us END, latest_us = NULL
        WHERE unfinished AND state = 'sending' AND (deadline_us > $3 OR latest_us > $3) AND due_us <= $3
            AND (bulletin = CAST($1 AS TEXT) OR schedule = CAST($2 AS TEXT))
            AND substr(schedule, 1, 16) <> 'send.correction.'"
    );
    /// The channels that wait for the correction of a bulletin. `$1` bulletin.
    BEING_CORRECTED = one!(
        "SELECT channel FROM delivery WHERE unfinished AND bulletin = $1 AND substr(schedule, 1, 16) = 'send.correction.'"
    );
    /// Calls off everything of a bulletin that is not on its way. `$1` bulletin, `$2` by whom, `$3` detail, `$4` now.
    CALL_OFF = one!(
        "UPDATE delivery SET state = CASE WHEN doubt THEN 'unknown' ELSE 'cancelled' END, unfinished = FALSE,
            reason = 'by-hand', detail = $3, closed_by = $2, next_us = NULL, updated_us = $4
        WHERE unfinished AND state <> 'sending' AND bulletin = $1
        RETURNING id, state"
    );
}
