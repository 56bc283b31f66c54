//! Statements about silences.

/// The columns of a silence, in the order in which `silence.rs` reads them.
macro_rules! silence {
    () => {
        "delivery, schedule, ward, ward_name, channel, channel_name, due_us, state, reason, over_us, told_us, detail"
    };
}

/// What the watchdog asks of a delivery, in the order in which `silence.rs` reads it.
macro_rules! was_due {
    () => {
        "SELECT delivery.id, delivery.schedule, delivery.ward, delivery.ward_name, delivery.channel, delivery.channel_name,
            delivery.due_us, delivery.state, delivery.reason, delivery.priority, delivery.topic, delivery.deadline_us,
            delivery.updated_us, delivery.by_plan, delivery.evidence, delivery.detail"
    };
}

statements! {
    /// Where deliveries stand: those of a list, and all that were due in an interval. `$1` ids, `$2` from, `$3` until.
    WAS_DUE = list!(concat!(
        was_due!(), " FROM list JOIN delivery ON delivery.id = list.item UNION ",
        was_due!(), " FROM delivery WHERE delivery.due_us >= $2 AND delivery.due_us < $3"
    ));
    /// Puts silences on record and gives back those that were not there. What was noticed after `$4` was noticed by a clock
    /// that was wrong. `$2` now, `$3` node.
    SILENCE_INSERT = batch!(
        [delivery_id TEXT, schedule TEXT, ward TEXT, ward_name TEXT, channel TEXT, channel_name TEXT, due_us BIGINT,
         state TEXT, reason TEXT, detail TEXT]
        concat!("INSERT INTO silence (delivery, schedule, ward, ward_name, channel, channel_name, due_us, state, reason, detail,
            noticed_us, node, news_us)
        SELECT delivery_id, schedule, ward, ward_name, channel, channel_name, due_us, state, reason, detail, CAST($2 AS BIGINT),
            CAST($3 AS TEXT), CAST($2 AS BIGINT) FROM batch WHERE TRUE
        ON CONFLICT (delivery) DO UPDATE SET due_us = excluded.due_us, state = excluded.state, reason = excluded.reason,
            detail = excluded.detail, noticed_us = excluded.noticed_us, node = excluded.node, over_us = NULL, told_us = NULL,
            news_us = excluded.news_us, trying_us = NULL
            WHERE silence.noticed_us > $4
        RETURNING ", silence!())
    );
    /// Ends silences on whose channel something was heard since, that same broadcast or a later one: a screen has taken without evidence
    /// what nobody has seen yet. `$1` now, `$2` silences
    /// due before this are given up.
    SILENCE_OVER = one!(concat!(
        "UPDATE silence SET over_us = $1, news_us = COALESCE(news_us, $1) WHERE over_us IS NULL AND due_us > $2 AND EXISTS
            (SELECT 1 FROM delivery AS d WHERE d.channel = silence.channel AND d.due_us >= silence.due_us
                AND (d.state = 'confirmed' OR d.state = 'accepted' AND d.evidence <> 'none') AND (d.due_us > silence.due_us OR d.id = silence.delivery))
        RETURNING ", silence!()
    ));
    /// How many channels are silent, and how many silences there are of which the operator was not told. `$1` silences due
    /// before this are given up, `$2` news from before this is none any more.
    SILENCE_COUNT = one!(
        "SELECT (SELECT count(DISTINCT channel) FROM silence WHERE over_us IS NULL AND due_us > $1),
            (SELECT count(*) FROM silence WHERE news_us IS NOT NULL AND news_us > $2)"
    );
    /// Takes what the operator was not told yet, for one try. `$1` now, `$2` tries that began before this are given up, `$3`
    /// news from before this is none any more, `$4` a try that began after this was dated by a clock that was wrong.
    SILENCE_TAKE = one!(concat!(
        "UPDATE silence SET trying_us = $1
        WHERE news_us IS NOT NULL AND news_us > $3 AND (trying_us IS NULL OR trying_us < $2 OR trying_us > $4)
        RETURNING ", silence!()
    ));
    /// Gives back what was taken and could not be told. `$1` deliveries.
    SILENCE_BACK = list!("UPDATE silence SET trying_us = NULL WHERE delivery IN (SELECT item FROM list)");
    /// Writes down that the operator was told, and until when things stood so. `$2` now.
    SILENCE_TOLD = batch!(
        [delivery_id TEXT, is_over BOOLEAN]
        "UPDATE silence SET told_us = COALESCE(told_us, $2), trying_us = NULL,
            news_us = CASE WHEN over_us IS NOT NULL AND NOT batch.is_over THEN over_us END
        FROM batch WHERE delivery = batch.delivery_id"
    );
    /// Until when it was looked whether everything was heard.
    WATCHED = one!("SELECT at_us FROM meta WHERE key = 'watched'");
    /// `$1` until when.
    WATCHED_SET = one!(
        "INSERT INTO meta (key, value, at_us) VALUES ('watched', '', $1)
        ON CONFLICT (key) DO UPDATE SET at_us = excluded.at_us"
    );
}
