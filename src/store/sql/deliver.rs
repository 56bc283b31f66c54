//! Statements of the dispatcher's turn, and those that end, rescue and judge deliveries.

/// The columns of a candidate, in the order in which `deliver.rs` reads them.
macro_rules! candidate {
    () => {
        "id, channel, host, mode, next_us, attempt, schedule, channel_name, ward, ward_name, priority, due_us,
        deadline_us, content, CAST(can_ask AS INTEGER), CAST(doubt AS INTEGER), latest_us"
    };
}

/// Delivery `d` is the first unfinished one of its channel, and none of that channel is being sent. The log's own index
/// by channel serves, because nothing unfinished is older than the oldest. Counts, because PostgreSQL would turn EXISTS
/// into a join over everything that is unfinished.
macro_rules! leads {
    () => {
        concat!("(SELECT count(*) FROM delivery AS e
            WHERE e.channel = d.channel AND e.unfinished AND ", stands_before!(), "
                AND e.due_us >= (SELECT min(due_us) FROM delivery WHERE unfinished)) = 0
        AND (SELECT count(*) FROM delivery AS s WHERE s.channel = d.channel AND s.state = 'sending') = 0")
    };
}

/// Ready deliveries of one priority and mode that lead their channels, after a given one. `$1` now, `$2` priority, `$3`
/// mode, `$4` full hosts as JSON, `$5` and `$6` instant and id of the last one seen, `$7` limit.
macro_rules! candidates {
    ($full:literal) => {
        concat!(
            "SELECT * FROM delivery AS d
            WHERE state = 'ready' AND priority = $2 AND mode = $3 AND next_us <= $1 AND (next_us, id) > ($5, $6)
                AND deadline_us > $1 AND host NOT IN (SELECT value FROM ", $full, ")
                AND ", leads!(), "
            ORDER BY next_us, id LIMIT $7"
        )
    };
}

/// One select for each priority and mode, most urgent first, what must not be sent twice first: `ready!(SELECT-LIST;
/// MORE CONDITIONS)` gives the first ready row of each.
macro_rules! ready {
    ($columns:expr; $more:expr) => {
        concat!(
            ready!("emergency", "at-most-once", $columns, $more),
            " UNION ALL ",
            ready!("emergency", "at-least-once", $columns, $more),
            " UNION ALL ",
            ready!("priority", "at-most-once", $columns, $more),
            " UNION ALL ",
            ready!("priority", "at-least-once", $columns, $more),
            " UNION ALL ",
            ready!("normal", "at-most-once", $columns, $more),
            " UNION ALL ",
            ready!("normal", "at-least-once", $columns, $more)
        )
    };
    ($priority:literal, $mode:literal, $columns:expr, $more:expr) => {
        concat!(
            "SELECT * FROM (SELECT ",
            $columns,
            " FROM delivery AS d WHERE state = 'ready' AND priority = '",
            $priority,
            "' AND mode = '",
            $mode,
            "' AND ",
            $more,
            " ORDER BY next_us, id LIMIT 1) AS head"
        )
    };
}

/// Ends attempts: see [`FINISH`].
macro_rules! finish {
    ($returning:literal) => {
        batch!(
            [delivery_id TEXT, number BIGINT, state TEXT, unfinished BOOLEAN, reason TEXT, detail TEXT, next_us BIGINT,
             doubt BOOLEAN, evidence TEXT, accepted_us BIGINT]
            concat!(
                "UPDATE delivery SET state = batch.state, unfinished = batch.unfinished, reason = batch.reason,
            detail = batch.detail, next_us = batch.next_us, doubt = batch.doubt, evidence = batch.evidence,
            accepted_us = batch.accepted_us, started_us = NULL, leased_by = NULL, leased_until_us = NULL, updated_us = $3
        FROM batch
        WHERE id = batch.delivery_id AND leased_by = $2 AND attempt = batch.number AND ", is_in_state!("sending"),
                $returning
            )
        )
    };
}

/// This node (`$2`) leaves the host alone, because it does not answer.
macro_rules! is_left_alone {
    () => {
        "EXISTS (SELECT 1 FROM health AS h WHERE h.host = delivery.host AND h.node = $2 AND h.until_us IS NOT NULL)"
    };
}

/// The deadline is the last instant at which the sound is still over in time.
macro_rules! is_bound {
    () => {
        "(over_us IS NOT NULL AND deadline_us >= over_us - COALESCE(length_us, 0))"
    };
}

/// Another place is looked for: it is heard, may be tried again, and may begin later than `$1`.
macro_rules! may_be_placed {
    () => {
        "(state = 'ready' AND attempt > 0 AND length_us IS NOT NULL AND COALESCE(latest_us, 0) > $1
            AND COALESCE(reason, '') NOT IN ('contact', 'unauthorised'))"
    };
}

/// What may be tried again has no time left for that where it stands.
macro_rules! is_stranded {
    () => {
        "(deadline_us <= $1 OR (state = 'ready' AND attempt > 0 AND next_us >= deadline_us AND length_us IS NOT NULL
            AND COALESCE(reason, '') NOT IN ('contact', 'unauthorised')))"
    };
}

statements! {
    /// What is heard, may be tried again and has no time left for that where it stands. `$1` now.
    STRANDED = one!("SELECT id, due_us, latest_us, over_detail FROM delivery
        WHERE unfinished AND ", may_be_placed!(), " AND ", is_stranded!(), " ORDER BY id");
    /// Ends attempts, fenced: only while this node still holds the delivery at that attempt. `$2` node, `$3` now.
    FINISH = finish!("");
    /// The same, and says which. The driver takes rows one by one from the thread that runs SQLite, which costs more than
    /// to change them; so this is only asked for where [`FINISH`] has found fewer than there should be.
    FINISH_HELD = finish!(" RETURNING id, attempt");
    /// [`FINISH`] for the ordinary end, that the channel took it: by delivery, when it ended. `$4` the attempt's number.
    FINISH_ACCEPTED = pairs!(concat!(
        "UPDATE delivery SET state = 'accepted', unfinished = FALSE, reason = NULL, detail = NULL, next_us = NULL,
            doubt = FALSE, evidence = 'accepted', accepted_us = pairs.number, started_us = NULL, leased_by = NULL,
            leased_until_us = NULL, updated_us = $3
        FROM pairs
        WHERE id = pairs.item AND leased_by = $2 AND attempt = $4 AND ", is_in_state!("sending")
    ));
    /// [`ATTEMPT_INSERT`] for the same. `$2` node.
    ATTEMPT_ACCEPTED = batch!(
        [delivery_id TEXT, number BIGINT, finished_us BIGINT, started_us BIGINT, status BIGINT, answer TEXT, receipt TEXT]
        "INSERT INTO attempt (delivery, number, belated, started_us, finished_us, outcome, status, answer, receipt, evidence,
            node)
        SELECT delivery_id, number, FALSE, started_us, finished_us, 'accepted', status, answer, receipt, 'accepted',
            CAST($2 AS TEXT)
        FROM batch"
    );
    /// Puts attempts on record. `$2` node.
    ATTEMPT_INSERT = batch!(
        [delivery_id TEXT, number BIGINT, started_us BIGINT, finished_us BIGINT, outcome TEXT, reason TEXT, detail TEXT,
         status BIGINT, answer TEXT, receipt TEXT, evidence TEXT]
        "INSERT INTO attempt (delivery, number, belated, started_us, finished_us, outcome, reason, detail, status,
            answer, receipt, evidence, node)
        SELECT delivery_id, number, FALSE, started_us, finished_us, outcome, reason, detail, status,
            answer, receipt, evidence, CAST($2 AS TEXT)
        FROM batch"
    );
    /// Puts attempts on record whose delivery another node has taken over. What this node wrote before and could not
    /// know of, because the connection broke at the commit, is not written twice. `$2` node.
    ATTEMPT_BELATED = batch!(
        [delivery_id TEXT, number BIGINT, started_us BIGINT, finished_us BIGINT, outcome TEXT, reason TEXT, detail TEXT,
         status BIGINT, answer TEXT, receipt TEXT, evidence TEXT]
        "INSERT INTO attempt (delivery, number, belated, started_us, finished_us, outcome, reason, detail, status,
            answer, receipt, evidence, node)
        SELECT delivery_id, number, TRUE, started_us, finished_us, outcome, reason, detail, status,
            answer, receipt, evidence, CAST($2 AS TEXT)
        FROM batch
        WHERE EXISTS (SELECT 1 FROM delivery AS d WHERE d.id = batch.delivery_id)
            AND NOT EXISTS (SELECT 1 FROM attempt AS a WHERE a.delivery = batch.delivery_id AND a.number = batch.number
                AND a.node = $2 AND a.finished_us = batch.finished_us AND a.outcome = batch.outcome)
        ON CONFLICT (delivery, number, belated) DO NOTHING"
    );
    /// See [`candidates!`]. All of them as one JSON text, in any order: a row of so many cells costs the driver more than
    /// finding it costs the database. On PostgreSQL they are locked until the turn ends; what another node has locked is
    /// passed by.
    CANDIDATES = (
        concat!(
            "SELECT json_group_array(json_array(", candidate!(), ")) AS page FROM (",
            candidates!("json_each($4)"), ") AS chosen"
        ),
        concat!(
            "WITH chosen AS MATERIALIZED (", candidates!("json_array_elements_text(CAST($4 AS JSON))"),
            " FOR UPDATE OF d SKIP LOCKED)
            SELECT CAST(COALESCE(json_agg(json_build_array(", candidate!(), ")), '[]') AS TEXT) AS page FROM chosen"
        ),
    );
    /// What may still be playing where these deliveries go, taken and not yet over, and gives way to them: everything else to an
    /// emergency, and what it corrects to a correction. Nothing that fell due more than a day ago plays. `$2` the oldest
    /// instant to look at, `$3` now.
    PLAYING = list!(
        "SELECT d.id, d.channel, (SELECT a.receipt FROM attempt AS a WHERE a.delivery = d.id AND a.receipt IS NOT NULL
            ORDER BY a.number DESC LIMIT 1)
        FROM list JOIN delivery AS c ON c.id = list.item JOIN delivery AS d ON d.channel = c.channel
        WHERE d.due_us >= $2 AND d.accepted_us + d.length_us > $3
            AND ((c.priority = 'emergency' AND d.priority <> 'emergency')
                OR (substr(c.schedule, 1, 16) = 'send.correction.' AND d.bulletin = c.bulletin
                    AND substr(d.schedule, 1, 16) <> 'send.correction.'))
        ORDER BY d.accepted_us, d.id"
    );
    /// Begins attempts. `$2` node, `$3` now, `$4` end of the lease. `updated_us` stays: to move every delivery through the
    /// index of changes twice would be a sixth of what SQLite does for it, and `started_us` says when this change was.
    CLAIM = list!(concat!(
        "UPDATE delivery SET state = 'sending', attempt = attempt + 1, started_us = $3, leased_by = $2,
            leased_until_us = $4, next_us = NULL
        FROM list WHERE id = list.item AND ", is_in_state!("ready")
    ));
    /// Lengthens leases that this node still holds. `$2` node, `$3` end of the lease.
    RENEW = list!(concat!(
        "UPDATE delivery SET leased_until_us = $3
        FROM list WHERE id = list.item AND ", is_in_state!("sending"), " AND leased_by = $2
        RETURNING id"
    ));
    /// Marks where a claim can be given up without the outcomes that were written before it.
    CLAIM_BEGIN = one!("SAVEPOINT claim");
    /// Gives a claim up.
    CLAIM_UNDO = one!("ROLLBACK TO SAVEPOINT claim");
    /// The priorities and modes of which something is ready, and nothing while another revision than `$2` is in force.
    /// `$1` now.
    READY_KINDS = one!("SELECT priority, mode FROM (", ready!("priority, mode"; "next_us <= $1"), ") AS heads
        WHERE CAST($2 AS TEXT) IS NULL OR (SELECT value FROM meta WHERE key = 'revision') = $2");
    /// The least instant of a ready delivery that leads its channel.
    NEXT_READY = one!("SELECT min(next_us) FROM (", ready!("next_us"; leads!()), ") AS heads");
    /// The least instant of a ready delivery after a given one. `$1` the given one.
    NEXT_AFTER = one!("SELECT min(next_us) FROM (", ready!("next_us"; "next_us > $1"), ") AS heads");
    /// How many ready deliveries are due. `$1` now.
    DUE = one!("SELECT count(*) FROM delivery WHERE state = 'ready' AND next_us <= $1");
    /// Contents by address.
    CONTENTS = list!("SELECT hash, json FROM list JOIN content ON hash = list.item");

    /// Holds deliveries whose node is lost, and says what it was doing. `$1` now, `$2` alone, `$3` node.
    RESCUE_HOLD = one!(
        "UPDATE delivery SET leased_until_us = leased_until_us
        WHERE state = 'sending' AND (leased_until_us < $1 OR (CAST($2 AS BIGINT) = 1 AND leased_by <> $3))
        RETURNING id, attempt, started_us, leased_by"
    );
    /// Takes them back. `$2` now.
    RESCUE = list!(concat!(
        "UPDATE delivery SET
            state = CASE WHEN mode = 'at-least-once' OR can_ask THEN 'ready' ELSE 'unknown' END,
            unfinished = (mode = 'at-least-once' OR can_ask),
            next_us = CASE WHEN mode = 'at-least-once' OR can_ask THEN CAST($2 AS BIGINT) END,
            reason = 'crashed', detail = NULL, doubt = TRUE, started_us = NULL, leased_by = NULL,
            leased_until_us = NULL, updated_us = $2
        FROM list WHERE id = list.item AND ", is_in_state!("sending"), "
        RETURNING id, state"
    ));
    /// Says of deliveries that failed because no time was left for another attempt what had to be over by then. What the
    /// channel answered stays as their reason, and with the attempt.
    CUT_OFF = list!(concat!(
        "UPDATE delivery SET detail = COALESCE(over_detail, detail) FROM list
        WHERE id = list.item AND ", is_in_state!("failed"), " AND ", is_bound!()
    ));
    /// Confirms what a receiver reports to have reached somebody, once. `$1` channel, `$2` the receipt, `$3` due since, `$4` now.
    REPORTED = one!(
        "UPDATE delivery SET state = 'confirmed', evidence = 'device', updated_us = $4
        WHERE channel = $1 AND due_us >= $3 AND ", is_in_state!("accepted"), "
            AND EXISTS (SELECT 1 FROM attempt AS a WHERE a.delivery = delivery.id AND a.receipt = $2 AND a.outcome = 'accepted')
        RETURNING id"
    );
    /// How much is on its way to a channel. `$1` channel.
    ON_ITS_WAY = one!("SELECT count(*) FROM delivery WHERE channel = $1 AND unfinished AND state = 'sending'");
    /// A device's own report of what it took or may have taken, once, unless a person has spoken, or it was stopped for something else. `$1` id, `$2` channel, `$3` state,
    /// `$4` reason, `$5` now.
    TOLD = one!(
        "UPDATE delivery SET state = $3, reason = $4, detail = NULL, evidence = 'device', updated_us = $5
        WHERE id = $1 AND channel = $2 AND closed_by IS NULL AND state IN ('accepted', 'unknown')
            AND reason IS DISTINCT FROM 'interrupted'"
    );
    /// Whether what was offered was published, unless a person has spoken. `$1` id, `$2` channel, `$3` state, `$4` reason, `$5` detail,
    /// `$6` evidence, `$7` now.
    PUBLISHED = one!(
        "UPDATE delivery SET state = $3, reason = $4, detail = $5, evidence = $6, updated_us = $7
        WHERE id = $1 AND channel = $2 AND closed_by IS NULL AND state = 'accepted'"
    );
    /// Lets what is held just before its call for a reason be looked at. `$1` now, `$2` the reason.
    RELEASE = one!(
        "UPDATE delivery SET next_us = $1 WHERE state = 'ready' AND reason = $2 AND attempt > 0 AND next_us > $1"
    );
    /// Ends what can no longer begin: because its schedule says so, because it would not be over when it has to be, or
    /// because a contact was not verified again, which is no longer waited for then, or because its host does not answer and it
    /// was never tried. Not what another place is looked for ([`STRANDED`]). A deadline is never before its instant. `$1` now, `$2` node.
    EXPIRE = one!(
        "UPDATE delivery SET
            state = CASE WHEN attempt = 0 AND reason IS DISTINCT FROM 'contact' THEN 'skipped' WHEN doubt THEN 'unknown'
                ELSE 'failed' END,
            reason = CASE WHEN reason = 'contact' AND NOT doubt THEN reason
                WHEN attempt = 0 THEN CASE WHEN ", is_left_alone!(), " THEN 'unreachable' WHEN ", is_bound!(), " THEN over_reason
                    ELSE 'expired' END
                WHEN doubt THEN 'deadline' ELSE COALESCE(reason, 'deadline') END,
            detail = CASE WHEN reason = 'contact' AND NOT doubt AND substr(detail, 1, 5) IN ('held-', 'kept-') THEN substr(detail, 6)
                WHEN reason = 'contact' AND NOT doubt THEN detail
                WHEN attempt = 0 AND ", is_left_alone!(), "
                    THEN (SELECT h.detail FROM health AS h WHERE h.host = delivery.host AND h.node = $2)
                WHEN attempt = 0 AND ", is_bound!(), " THEN over_detail
                WHEN NOT doubt AND ", is_bound!(), " THEN COALESCE(over_detail, detail) ELSE detail END,
            unfinished = FALSE, next_us = NULL, updated_us = $1
        WHERE unfinished AND state <> 'sending' AND due_us <= $1 AND ", is_stranded!(), " AND NOT ", may_be_placed!(), "
        RETURNING id, state, reason"
    );
    /// Skips what fell due while nobody was running and may not be late, or not as late as that; what a rule ended meanwhile is
    /// for [`EXPIRE`]. `$1` from, `$2` until, `$3` detail, `$4` now.
    JUDGE_MISSED = one!(
        "UPDATE delivery SET state = 'skipped', unfinished = FALSE, reason = 'expired', detail = $3, next_us = NULL,
            updated_us = $4
        WHERE unfinished AND state <> 'sending' AND due_us >= $1 AND due_us < $2 AND attempt = 0
            AND (NOT late OR (deadline_us <= $4 AND NOT ", is_bound!(), "))
        RETURNING id"
    );
    /// Brings back what was ended as expired before its time. Nothing that is due later than now can have expired, and
    /// nothing can have changed later than now, unless the clock was wrong. `$1` now, `$2` the oldest instant to look at.
    REOPEN = one!(
        "UPDATE delivery SET state = 'planned', unfinished = TRUE, reason = NULL, detail = NULL, content = NULL, host = NULL,
            can_ask = FALSE, next_us = NULL, updated_us = $1
        WHERE due_us > $2 AND state = 'skipped' AND NOT by_plan AND attempt = 0 AND bulletin IS NOT NULL
            AND (reason IN ('expired', 'unreachable') OR reason = over_reason)
            AND deadline_us > $1 AND (due_us > $1 OR updated_us > $1)
        RETURNING id"
    );
    /// Whether other nodes are in the middle of something. `$1` node.
    HELD_ELSEWHERE = one!("SELECT count(*) FROM delivery WHERE state = 'sending' AND leased_by <> $1");
    /// A person's word, also on what was not published in time and may have been since. `$1` id, `$2` state, `$3` by whom, `$4` now.
    RECONCILE = one!(
        "UPDATE delivery SET state = $2, reason = 'by-hand', evidence = 'staff', closed_by = $3, updated_us = $4
        WHERE id = $1 AND (state IN ('accepted', 'unknown')
            OR (state IN ('confirmed', 'unheard') AND closed_by IS NOT NULL)
            OR (state = 'unheard' AND reason IN ('not-published', 'overwritten')))"
    );
    /// Whether a node has a delivery in hand. `$1` id, `$2` node.
    IN_HAND = one!("SELECT id FROM delivery WHERE id = $1 AND state = 'sending' AND leased_by = $2");
    /// What a channel took, and was not heard to its end: nobody knows what of it was heard, unless a person has said so. `$1` id,
    /// `$2` detail, `$3` now.
    BROKEN_OFF = one!(
        "UPDATE delivery SET state = 'unknown', reason = 'cut', detail = $2, evidence = 'none', updated_us = $3
        WHERE id = $1 AND state IN ('accepted', 'confirmed') AND closed_by IS NULL"
    );
    /// What a channel took and was cut off: it stays what it is, and says so. `$1` id, `$2` detail, `$3` now, `$4` whether what it says
    /// already gives way, unless that is the same of an earlier stop.
    INTERRUPTED = one!(
        "UPDATE delivery SET reason = 'interrupted', detail = $2, updated_us = $3
        WHERE id = $1 AND state IN ('accepted', 'confirmed') AND closed_by IS NULL
            AND (reason IS NULL OR (CAST($4 AS BIGINT) = 1 AND substr(COALESCE(detail, ''), 1, 11) <> 'interrupted'))"
    );
    /// Since when a channel has had a delivery. `$1` id.
    TAKEN_SINCE = one!("SELECT accepted_us FROM delivery WHERE id = $1");
    /// Appends journal lines. `$2` actor, `$3` now.
    JOURNAL_BATCH = batch!(
        [delivery_id TEXT, event TEXT, detail TEXT]
        "INSERT INTO journal (at_us, event, delivery, actor, detail)
        SELECT CAST($3 AS BIGINT), event, delivery_id, CAST($2 AS TEXT), detail FROM batch"
    );
}
