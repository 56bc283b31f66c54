//! Statements that read, and those of liveness and the journal.

/// A delivery's columns, in the order in which `row.rs` reads them. The last is the instant of its last change: of one that
/// is being sent, when that began, for which `updated_us` and its index are not touched.
macro_rules! delivery {
    () => {
        "id, schedule, bulletin, ward, ward_name, channel, channel_name, kind, format, mode, priority, due_us,
        deadline_us, state, reason, detail, attempt, next_us, started_us, accepted_us, evidence, content, closed_by,
        topic, scheduled_us, part, length_us, over_us, over_reason, over_detail, COALESCE(started_us, updated_us)"
    };
}

/// The condition of a filter: `$1` ward, `$2` channel, `$3` schedule, `$4` state, `$5` since, `$6` until. The filter that
/// leads to an index is written as a plain comparison; the others hold when they are NULL.
macro_rules! filter {
    (any) => {
        filter!(
            "(CAST($1 AS TEXT) IS NULL OR ward = $1)",
            "(CAST($2 AS TEXT) IS NULL OR channel = $2)",
            "(CAST($3 AS TEXT) IS NULL OR schedule = $3)"
        )
    };
    (ward) => {
        filter!(
            "ward = $1",
            "(CAST($2 AS TEXT) IS NULL OR channel = $2)",
            "(CAST($3 AS TEXT) IS NULL OR schedule = $3)"
        )
    };
    (channel) => {
        filter!(
            "(CAST($1 AS TEXT) IS NULL OR ward = $1)",
            "channel = $2",
            "(CAST($3 AS TEXT) IS NULL OR schedule = $3)"
        )
    };
    (schedule) => {
        filter!(
            "(CAST($1 AS TEXT) IS NULL OR ward = $1)",
            "(CAST($2 AS TEXT) IS NULL OR channel = $2)",
            "schedule = $3"
        )
    };
    ($ward:literal, $channel:literal, $schedule:literal) => {
        concat!(
            $ward,
            " AND ",
            $channel,
            " AND ",
            $schedule,
            " AND (CAST($4 AS TEXT) IS NULL OR state = $4) AND due_us >= $5 AND due_us < $6"
        )
    };
}

/// A page of the log. `$7` and `$8` instant and id of the last row seen, `$9` limit.
macro_rules! log {
    ($lead:ident, $after:literal, $order:literal) => {
        one!(
            "SELECT ",
            delivery!(),
            " FROM delivery WHERE ",
            filter!($lead),
            " AND (due_us, id) ",
            $after,
            " ($7, $8) ORDER BY due_us ",
            $order,
            ", id ",
            $order,
            " LIMIT $9"
        )
    };
}

/// Both sides of the accounting equation, each counted on its own, at one moment.
macro_rules! account {
    ($lead:ident) => {
        one!(
            "SELECT 'occurrences' AS state, count(*) FROM delivery WHERE ",
            filter!($lead),
            " UNION ALL SELECT CASE WHEN state = 'accepted' AND reason = 'offered' THEN reason ELSE state END, count(*)
            FROM delivery WHERE ",
            filter!($lead),
            " GROUP BY 1"
        )
    };
}

/// Rows that contradict themselves, each with its first contradiction. `$7` limit.
macro_rules! contradictions {
    ($lead:ident) => {
        one!(
            "SELECT id, contradiction FROM (SELECT id, due_us, CASE
                WHEN state = 'sending'
                    AND (leased_by IS NULL OR leased_until_us IS NULL OR started_us IS NULL OR attempt = 0)
                    THEN 'sending-without-lease'
                WHEN state = 'ready' AND next_us IS NULL
                    THEN 'ready-without-instant'
                WHEN state IN ('failed', 'unknown', 'skipped', 'cancelled', 'unheard') AND reason IS NULL
                    THEN 'ended-without-reason'
                WHEN state IN ('accepted', 'confirmed') AND closed_by IS NULL AND NOT EXISTS
                    (SELECT 1 FROM attempt AS a WHERE a.delivery = delivery.id AND a.outcome = 'accepted')
                    AND NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.delivery = delivery.id AND j.event = 'played')
                    THEN 'accepted-without-attempt'
                WHEN state = 'failed' AND attempt = 0
                    AND reason IN ('refused', 'no-address', 'no-connection', 'tls', 'timeout', 'reset', 'cut', 'crashed',
                        'unreadable', 'status', 'busy', 'unexpected', 'redirect', 'too-large', 'unanswered')
                    THEN 'failed-without-attempt'
                WHEN attempt <> CASE WHEN state = 'sending' THEN 1 ELSE 0 END
                    + (SELECT count(*) FROM attempt AS a WHERE a.delivery = delivery.id AND NOT a.belated)
                    THEN 'attempts-differ'
                WHEN (state IN ('ready', 'sending', 'accepted') OR attempt > 0) AND NOT EXISTS
                    (SELECT 1 FROM content AS c WHERE c.hash = delivery.content)
                    THEN 'content-missing'
                END AS contradiction
            FROM delivery WHERE ", filter!($lead), ") AS judged
            WHERE contradiction IS NOT NULL ORDER BY due_us, id LIMIT $7"
        )
    };
}

/// What goes out, or did: what has begun, and what the revision `$4` is about to send. Tests and corrections say something else. States
/// that also count stand first, each with a comma.
macro_rules! goes_out {
    ($also:literal) => {
        concat!(
            "substr(schedule, 1, 10) <> 'send.test.' AND substr(schedule, 1, 16) <> 'send.correction.'
            AND (state IN (",
            $also,
            "'sending', 'accepted', 'confirmed', 'unknown')
                OR (state IN ('planned', 'ready') AND (attempt > 0 OR revision = $4)))"
        )
    };
}

/// What a loudspeaker took, due from `$1` to `$2`.
macro_rules! aired {
    ($table:literal) => {
        concat!(
            $table,
            ".due_us >= $1 AND ",
            $table,
            ".due_us < $2 AND ",
            $table,
            ".length_us IS NOT NULL AND ",
            $table,
            ".topic IS NOT NULL AND ",
            $table,
            ".state IN ('accepted', 'confirmed')"
        )
    };
}

/// See [`LOST_STREAMS`].
macro_rules! lost_streams {
    () => {
        "SELECT d.id, CASE WHEN n.alive_us > d.accepted_us THEN n.alive_us - d.accepted_us ELSE 0 END
        FROM list JOIN delivery AS d ON d.channel = list.item
        JOIN attempt AS a ON a.delivery = d.id AND a.number = d.attempt AND NOT a.belated
        JOIN dead ON dead.item = a.node JOIN node AS n ON n.id = dead.item
        WHERE d.due_us >= $3 AND d.state IN ('accepted', 'confirmed') AND d.closed_by IS NULL
            AND d.accepted_us + d.length_us > n.alive_us
            AND NOT EXISTS (SELECT 1 FROM journal AS j WHERE j.delivery = d.id AND j.event = 'broken-off')
        ORDER BY d.id"
    };
}

statements! {
    /// What carried a bulletin, or may have: also what came to nothing in the end and left something at its channel. `$1` bulletin, `$2`
    /// changed at or after.
    CARRIED = one!("SELECT ", delivery!(), " FROM delivery
        WHERE bulletin = $1 AND updated_us >= $2 AND attempt > 0 AND substr(schedule, 1, 10) <> 'send.test.'
            AND (state IN ('sending', 'accepted', 'confirmed', 'unheard', 'unknown')
                OR EXISTS (SELECT 1 FROM progress AS p WHERE p.delivery = delivery.id AND p.holds IS NOT NULL))
        ORDER BY due_us, id");
    /// One delivery. `$1` id.
    DELIVERY = one!("SELECT ", delivery!(), " FROM delivery WHERE id = $1");
    /// What is held until a contact is verified again, oldest first.
    HELD = one!("SELECT ", delivery!(), " FROM delivery WHERE unfinished AND reason = 'contact' ORDER BY due_us, id");
    /// Its attempts. `$1` id.
    ATTEMPTS = one!(
        "SELECT number, belated, started_us, finished_us, outcome, reason, detail, status, answer, receipt, evidence, node
        FROM attempt WHERE delivery = $1 ORDER BY number, belated"
    );
    /// The log, oldest first.
    LOG_OLDEST = log!(any, ">", "ASC");
    /// The log of a ward, oldest first.
    LOG_OLDEST_WARD = log!(ward, ">", "ASC");
    /// The log of a channel, oldest first.
    LOG_OLDEST_CHANNEL = log!(channel, ">", "ASC");
    /// The log of a schedule, oldest first.
    LOG_OLDEST_SCHEDULE = log!(schedule, ">", "ASC");
    /// The log, newest first.
    LOG_NEWEST = log!(any, "<", "DESC");
    /// The log of a ward, newest first.
    LOG_NEWEST_WARD = log!(ward, "<", "DESC");
    /// The log of a channel, newest first.
    LOG_NEWEST_CHANNEL = log!(channel, "<", "DESC");
    /// The log of a schedule, newest first.
    LOG_NEWEST_SCHEDULE = log!(schedule, "<", "DESC");
    /// What changed. `$1` since, `$2` the last id seen of that instant, `$3` limit.
    CHANGED_SINCE = one!(
        "SELECT ", delivery!(), " AS changed_us FROM delivery WHERE (updated_us, id) > ($1, $2) AND state <> 'sending'
        UNION ALL
        SELECT ", delivery!(), " FROM delivery WHERE state = 'sending' AND (started_us, id) > ($1, $2)
        ORDER BY changed_us, id LIMIT $3"
    );
    /// See [`account!`].
    ACCOUNT = account!(any);
    /// See [`account!`].
    ACCOUNT_WARD = account!(ward);
    /// See [`account!`].
    ACCOUNT_CHANNEL = account!(channel);
    /// See [`account!`].
    ACCOUNT_SCHEDULE = account!(schedule);
    /// See [`contradictions!`].
    CONTRADICTIONS = contradictions!(any);
    /// See [`contradictions!`].
    CONTRADICTIONS_WARD = contradictions!(ward);
    /// See [`contradictions!`].
    CONTRADICTIONS_CHANNEL = contradictions!(channel);
    /// See [`contradictions!`].
    CONTRADICTIONS_SCHEDULE = contradictions!(schedule);
    /// How long is heard of each topic on each channel, and what became of it. `$1` due at or after, `$2` before.
    AIRTIME = one!("SELECT channel, topic, state, COALESCE(reason, ''), CAST(sum(length_us) AS BIGINT), priority FROM delivery
        WHERE due_us >= $1 AND due_us < $2 AND length_us IS NOT NULL AND topic IS NOT NULL
            AND substr(schedule, 1, 10) <> 'send.test.' AND substr(schedule, 1, 16) <> 'send.correction.'
            AND NOT (state = 'skipped' AND (by_plan OR reason = 'superseded'))
        GROUP BY channel, topic, state, COALESCE(reason, ''), priority ORDER BY channel, topic, state, 4, priority");
    /// Accepted broadcasts that were not heard to their end, each with how long it had been on air when that is known to have happened:
    /// when its stream ended, when its loudspeaker said that it stopped for an emergency, or when that loudspeaker was given one. `$1`
    /// due at or after, `$2` before.
    CUT_SHORT = one!("SELECT d.id, d.channel, d.topic, d.state, COALESCE(d.reason, ''), d.priority, d.length_us, j.at_us - d.accepted_us,
            j.event, j.detail
        FROM delivery AS d JOIN journal AS j ON j.delivery = d.id
        WHERE ", aired!("d"), " AND j.at_us >= d.accepted_us
            AND (j.event = 'broken-off' OR (j.event = 'interrupted' AND substr(j.detail, 1, 3) = 'by '))
        UNION ALL
        SELECT d.id, d.channel, d.topic, d.state, COALESCE(d.reason, ''), d.priority, d.length_us, e.started_us - d.accepted_us,
            'emergency', ''
        FROM delivery AS e JOIN delivery AS d ON d.channel = e.channel
        WHERE ", aired!("d"), " AND d.priority <> 'emergency' AND e.priority = 'emergency' AND e.state IN ('accepted', 'confirmed')
            AND e.due_us >= $1 AND e.started_us >= d.accepted_us AND e.started_us < d.accepted_us + d.length_us
        ORDER BY 1, 8");
    /// When channels say these bulletins, or said them. `$1` bulletins, `$2` from, `$3` until, `$4` revision.
    HEARD = list!(concat!("SELECT channel, bulletin, due_us FROM list JOIN delivery ON bulletin = list.item
        WHERE due_us >= $2 AND due_us < $3 AND length_us IS NOT NULL AND ", goes_out!("")));
    /// When something was or will be sent on these channels; that nobody heard it does not give it back. `$1` channels, `$2` from,
    /// `$3` until then, `$4` revision.
    SENT_ON = list!(concat!("SELECT channel, id, due_us FROM list JOIN delivery ON channel = list.item
        WHERE due_us >= $2 AND due_us <= $3 AND ", goes_out!("'unheard', ")));
    /// Which of these ids there are.
    KNOWN = list!("SELECT id FROM list JOIN delivery ON id = list.item");

    /// A node's stamp. `$1` node, `$2` revision, `$3` now.
    BEAT = one!(
        "INSERT INTO node (id, revision, alive_us) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, alive_us = excluded.alive_us"
    );
    /// The newest stamp.
    LAST_ALIVE = one!("SELECT max(alive_us) FROM node");
    /// Nodes that died: they were last alive before `$2`, or (`$3` being 1) they are not at work because this one begins, and did not
    /// say that they ended. `$1` the node that asks; itself, where it begins, before its first stamp.
    DEAD = one!(
        "SELECT id FROM node
        WHERE revision <> '' AND ((id <> $1 AND alive_us < $2) OR (id = $1 AND CAST($3 AS BIGINT) = 1))"
    );
    /// What dead nodes had on air, by their streams, when they were last alive, and how much of it had been heard by then for
    /// certain. A stream that ended before its sound has its line in the journal. `$1` channels of streams, `$2` dead nodes, `$3` due
    /// since.
    LOST_STREAMS = (
        concat!("WITH list AS (SELECT value AS item FROM json_each($1)), dead AS (SELECT value AS item FROM json_each($2)) ", lost_streams!()),
        concat!(
            "WITH list AS (SELECT value AS item FROM json_array_elements_text(CAST($1 AS JSON))),
            dead AS (SELECT value AS item FROM json_array_elements_text(CAST($2 AS JSON))) ",
            lost_streams!()
        ),
    );
    /// Says of dead nodes that all that they had in hand is seen to. `$1` nodes.
    BURY = list!("UPDATE node SET revision = '' FROM list WHERE id = list.item");
    /// Other nodes. `$1` node, `$2` since.
    OTHERS_ALIVE = one!("SELECT id, revision FROM node WHERE id <> $1 AND alive_us >= $2 ORDER BY alive_us DESC, id");
    /// The newest instant of stamps, changes (which follow attempts), the journal and the revision.
    LAST_INSTANT = one!(
        "SELECT max(at_us) FROM (
            SELECT max(alive_us) AS at_us FROM node
            UNION ALL SELECT max(updated_us) FROM delivery
            UNION ALL SELECT max(started_us) FROM delivery WHERE state = 'sending'
            UNION ALL SELECT * FROM (SELECT at_us FROM journal ORDER BY number DESC LIMIT 1) AS line
            UNION ALL SELECT at_us FROM meta WHERE key = 'revision') AS instants"
    );

    /// `$1` now, `$2` event, `$3` delivery, `$4` actor, `$5` detail.
    JOURNAL_INSERT = one!("INSERT INTO journal (at_us, event, delivery, actor, detail) VALUES ($1, $2, $3, $4, $5)");
    /// `$1` limit.
    JOURNAL_ROWS = one!(
        "SELECT number, at_us, event, delivery, actor, detail FROM journal ORDER BY number DESC LIMIT $1"
    );
    /// `$1` limit, `$2` delivery.
    JOURNAL_ROWS_OF = one!(
        "SELECT number, at_us, event, delivery, actor, detail FROM journal
        WHERE delivery = $2 ORDER BY number DESC LIMIT $1"
    );
    /// `$1` limit, `$2` event.
    JOURNAL_ROWS_LIKE = one!(
        "SELECT number, at_us, event, delivery, actor, detail FROM journal
        WHERE event = $2 ORDER BY number DESC LIMIT $1"
    );
    /// Whether the database answers.
    PING = one!("SELECT CAST(1 AS BIGINT)");
}
