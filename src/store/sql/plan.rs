//! Statements that plan, prepare and take back what has not begun; and what the database says of itself.

/// Whether what is sent by hand wants it to be over sooner than the plan does.
macro_rules! is_sooner {
    () => {
        "(batch.over_us IS NOT NULL AND (delivery.over_us IS NULL OR batch.over_us < delivery.over_us))"
    };
}

statements! {
    /// Claims the database for a world, once. `$1` world.
    WORLD_SET = one!(
        "INSERT INTO meta (key, value, at_us) VALUES ('world', $1, 0) ON CONFLICT (key) DO NOTHING"
    );
    /// The world that the database belongs to.
    WORLD = one!("SELECT value FROM meta WHERE key = 'world'");
    /// Whether our tables are there. Each database has a list of its own for that.
    HAS_TABLES = (
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta')",
        "SELECT to_regclass('meta') IS NOT NULL"
    );

    /// New deliveries. `$2` revision, `$3` now.
    PLAN_INSERT = batch!(
        [delivery_id TEXT, schedule TEXT, bulletin TEXT, topic TEXT, ward TEXT, ward_name TEXT, channel TEXT,
         channel_name TEXT, kind TEXT, format TEXT, mode TEXT, priority TEXT, scheduled_us BIGINT, part BIGINT,
         due_us BIGINT, deadline_us BIGINT, latest_us BIGINT, late BOOLEAN, length_us BIGINT, over_us BIGINT, over_reason TEXT,
         over_detail TEXT, skip TEXT, skip_detail TEXT]
        "INSERT INTO delivery (id, schedule, bulletin, topic, ward, ward_name, channel, channel_name, kind, format, mode,
            priority, scheduled_us, part, due_us, deadline_us, latest_us, late, length_us, over_us, over_reason, over_detail, revision,
            state, unfinished, reason, detail, by_plan, updated_us)
        SELECT delivery_id, schedule, bulletin, topic, ward, ward_name, channel, channel_name, kind, format, mode,
            priority, scheduled_us, part, due_us, deadline_us, latest_us, late, length_us, over_us, over_reason, over_detail,
            CAST($2 AS TEXT), CASE WHEN skip IS NULL THEN 'planned' ELSE 'skipped' END, skip IS NULL, skip, skip_detail,
            skip IS NOT NULL, CAST($3 AS BIGINT)
        FROM batch WHERE TRUE
        ON CONFLICT (id) DO NOTHING"
    );
    /// Deliveries that an edit changed before they began, and those that it brings back: superseded ones, ones that the
    /// plan itself had skipped and now skips for another reason or not at all, and, under another revision, ones whose words
    /// were not approved or whose sound was too long (to be judged again). That freezing drew a deadline nearer, because the
    /// sound is longer than was expected, is no change. `$2` revision, `$3` now.
    PLAN_CHANGE = batch!(
        [delivery_id TEXT, bulletin TEXT, topic TEXT, ward TEXT, ward_name TEXT, channel_name TEXT,
         kind TEXT, format TEXT, mode TEXT, priority TEXT, due_us BIGINT, deadline_us BIGINT, latest_us BIGINT, late BOOLEAN,
         length_us BIGINT, over_us BIGINT, over_reason TEXT, over_detail TEXT, skip TEXT, skip_detail TEXT]
        "UPDATE delivery SET bulletin = batch.bulletin, topic = batch.topic, ward = batch.ward, ward_name = batch.ward_name,
            channel_name = batch.channel_name, kind = batch.kind, format = batch.format, mode = batch.mode,
            priority = batch.priority, due_us = batch.due_us, deadline_us = batch.deadline_us,
            latest_us = batch.latest_us, late = batch.late,
            length_us = batch.length_us, over_us = batch.over_us, over_reason = batch.over_reason,
            over_detail = batch.over_detail, revision = $2,
            state = CASE WHEN batch.skip IS NULL THEN 'planned' ELSE 'skipped' END,
            unfinished = batch.skip IS NULL, reason = batch.skip, detail = batch.skip_detail,
            by_plan = batch.skip IS NOT NULL,
            content = NULL, host = NULL, can_ask = FALSE, next_us = NULL, updated_us = $3
        FROM batch
        WHERE id = batch.delivery_id AND attempt = 0 AND (
            (state IN ('planned', 'ready') AND
                (delivery.bulletin, delivery.ward, delivery.ward_name, delivery.channel_name, delivery.kind,
                 delivery.format, delivery.mode, delivery.priority, delivery.due_us,
                 CASE WHEN state = 'ready' AND delivery.deadline_us = delivery.over_us - delivery.length_us
                     AND delivery.deadline_us < batch.deadline_us THEN batch.deadline_us ELSE delivery.deadline_us END,
                 delivery.late, delivery.over_us, NULL)
                IS DISTINCT FROM
                (batch.bulletin, batch.ward, batch.ward_name, batch.channel_name, batch.kind,
                 batch.format, batch.mode, batch.priority, batch.due_us, batch.deadline_us, batch.late,
                 batch.over_us, batch.skip))
            OR (state = 'skipped' AND batch.due_us > $3 AND (reason = 'superseded'
                OR (by_plan AND (delivery.bulletin, reason, detail, delivery.due_us)
                    IS DISTINCT FROM (batch.bulletin, batch.skip, batch.skip_detail, batch.due_us))
                OR (NOT by_plan AND reason IN ('unapproved', 'policy', 'collision') AND delivery.revision <> $2))))"
    );
    /// Deliveries that a new revision leaves as they are: their words may have changed all the same, so they are frozen
    /// again. `$2` revision, `$3` now.
    PLAN_REVISION = batch!(
        [delivery_id TEXT, topic TEXT, length_us BIGINT, latest_us BIGINT]
        "UPDATE delivery SET revision = $2, state = 'planned', topic = batch.topic, length_us = batch.length_us,
            latest_us = batch.latest_us, content = NULL, host = NULL, can_ask = FALSE,
            next_us = NULL, updated_us = CASE WHEN state = 'ready' THEN $3 ELSE updated_us END
        FROM batch
        WHERE id = batch.delivery_id AND attempt = 0 AND state IN ('planned', 'ready') AND revision <> $2"
    );
    /// A journal line for each delivery of the batch that the plan just skipped. `$2` actor, `$3` now.
    PLAN_JOURNAL = batch!(
        [delivery_id TEXT]
        "INSERT INTO journal (at_us, event, delivery, actor, detail)
        SELECT d.updated_us, 'skipped', d.id, CAST($2 AS TEXT), d.reason || COALESCE(': ' || d.detail, '')
        FROM batch JOIN delivery AS d ON d.id = batch.delivery_id
        WHERE d.state = 'skipped' AND d.by_plan AND d.updated_us = $3
            AND NOT EXISTS (SELECT 1 FROM journal AS j
                WHERE j.delivery = d.id AND j.event = 'skipped' AND j.at_us = d.updated_us)"
    );
    /// Deliveries that a plan no longer holds. `$1` from, `$2` until, `$3` revision, `$4` now.
    SUPERSEDE = one!(
        "UPDATE delivery SET state = 'skipped', unfinished = FALSE, reason = 'superseded', detail = NULL, next_us = NULL,
            updated_us = $4
        WHERE unfinished AND state <> 'sending' AND attempt = 0 AND due_us >= $1 AND due_us < $2 AND revision <> $3
            AND substr(schedule, 1, 5) <> 'send.'
        RETURNING id"
    );
    /// Runs that overlap or touch a new one are taken out, to be joined with it. `$1` revision, `$2` from, `$3` until.
    PLAN_RUN_TAKE = one!(
        "DELETE FROM plan_run WHERE revision = $1 AND from_us <= $3 AND until_us >= $2 RETURNING from_us, until_us"
    );
    /// `$1` revision, `$2` from, `$3` until, `$4` now.
    PLAN_RUN_INSERT = one!(
        "INSERT INTO plan_run (revision, from_us, until_us, at_us) VALUES ($1, $2, $3, $4)
        ON CONFLICT (revision, from_us) DO UPDATE SET at_us = excluded.at_us,
            until_us = CASE WHEN excluded.until_us > plan_run.until_us THEN excluded.until_us ELSE plan_run.until_us END"
    );
    /// `$1` revision.
    PLAN_RUNS = one!("SELECT from_us, until_us FROM plan_run WHERE revision = $1 ORDER BY from_us");
    /// The revision in force, and since when.
    REVISION = one!("SELECT value, at_us FROM meta WHERE key = 'revision'");
    /// The revision in force, held until the transaction ends.
    REVISION_HELD = (
        "SELECT value, at_us FROM meta WHERE key = 'revision'",
        "SELECT value, at_us FROM meta WHERE key = 'revision' FOR SHARE",
    );
    /// `$1` revision, `$2` now.
    REVISION_SET = one!(
        "INSERT INTO meta (key, value, at_us) VALUES ('revision', $1, $2)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, at_us = excluded.at_us WHERE meta.value <> excluded.value"
    );

    /// Deliveries to freeze. `$1` due before, `$2` limit.
    UNPREPARED = one!(
        "SELECT id, bulletin, ward, channel, format, schedule, scheduled_us, due_us, over_us, over_reason, over_detail, priority,
            part, deadline_us
        FROM delivery
        WHERE state = 'planned' AND due_us < $1 ORDER BY due_us, id LIMIT $2"
    );
    /// The least instant of a delivery that is not frozen.
    NEXT_UNPREPARED = one!("SELECT due_us FROM delivery WHERE state = 'planned' ORDER BY due_us, id LIMIT 1");
    /// Contents, once each. `$2` now.
    CONTENT_INSERT = batch!(
        [hash TEXT, json TEXT]
        "INSERT INTO content (hash, json, at_us) SELECT hash, json, CAST($2 AS BIGINT) FROM batch WHERE TRUE
        ON CONFLICT (hash) DO NOTHING"
    );
    /// Makes deliveries ready, as urgent as the approved words are, and to be over as the plan and what was sent by hand want it.
    /// `$2` now.
    FREEZE = batch!(
        [delivery_id TEXT, hash TEXT, host TEXT, can_ask BOOLEAN, priority TEXT, length_us BIGINT, over_us BIGINT,
         over_reason TEXT, over_detail TEXT]
        concat!("UPDATE delivery SET state = 'ready', content = batch.hash, host = batch.host, can_ask = batch.can_ask,
            priority = COALESCE(batch.priority, delivery.priority),
            length_us = COALESCE(batch.length_us, delivery.length_us),
            over_us = CASE WHEN ", is_sooner!(), " THEN batch.over_us ELSE delivery.over_us END,
            over_reason = CASE WHEN ", is_sooner!(), " THEN batch.over_reason ELSE delivery.over_reason END,
            over_detail = CASE WHEN ", is_sooner!(), " THEN batch.over_detail ELSE delivery.over_detail END,
            deadline_us = CASE
                WHEN ", is_sooner!(), " AND batch.over_us - batch.length_us < deadline_us THEN CASE
                    WHEN batch.over_us - batch.length_us < due_us THEN due_us ELSE batch.over_us - batch.length_us END
                WHEN delivery.over_us - batch.length_us < deadline_us THEN delivery.over_us - batch.length_us
                ELSE deadline_us END,
            reason = NULL, detail = NULL, next_us = due_us, updated_us = $2
        FROM batch WHERE id = batch.delivery_id AND attempt = 0 AND ", is_in_state!("planned"))
    );
    /// A journal line for what was just frozen although a rule would refuse it, once. `$2` actor, `$3` now.
    FREEZE_JOURNAL = batch!(
        [delivery_id TEXT, detail TEXT]
        "INSERT INTO journal (at_us, event, delivery, actor, detail)
        SELECT d.updated_us, 'outside-hours', d.id, CAST($2 AS TEXT), batch.detail
        FROM batch JOIN delivery AS d ON d.id = batch.delivery_id
        WHERE d.state = 'ready' AND d.updated_us = $3
            AND NOT EXISTS (SELECT 1 FROM journal AS j
                WHERE j.delivery = d.id AND j.event = 'outside-hours' AND j.detail = batch.detail)"
    );
    /// Says of deliveries that wait for a contact that they do, and why; those of which that is said already stay as they
    /// are. `$2` now.
    HOLD = batch!(
        [delivery_id TEXT, why TEXT]
        concat!("UPDATE delivery SET reason = 'contact', detail = batch.why, updated_us = $2
        FROM batch WHERE id = batch.delivery_id AND attempt = 0 AND ", is_in_state!("planned"), "
            AND (reason IS DISTINCT FROM 'contact' OR detail IS DISTINCT FROM batch.why)
        RETURNING id")
    );
    /// Ends what has not begun. `$2` state, `$3` reason, `$4` detail, `$5` now.
    END_UNBEGUN = list!(
        "UPDATE delivery SET state = $2, unfinished = FALSE, reason = $3, detail = NULLIF($4, ''), next_us = NULL, updated_us = $5
        FROM list WHERE id = list.item AND state IN ('planned', 'ready') AND attempt = 0
        RETURNING id"
    );
}
