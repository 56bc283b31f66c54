//! Statements about the notes that adapters put on record between their calls.

statements! {
    /// Puts a note on record, while the delivery is this node's. `$1` delivery, `$2` node, `$3` attempt, `$4` note, `$5` what the
    /// channel has of the bulletin, `$6` now, `$7` whether that is (1) what the note before said.
    PROGRESS_SET = one!(
        "INSERT INTO progress (delivery, channel, bulletin, text, holds, attempt, at_us)
        SELECT id, channel, bulletin, CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($3 AS BIGINT), CAST($6 AS BIGINT) FROM delivery
        WHERE id = $1 AND leased_by = $2 AND attempt = $3 AND bulletin IS NOT NULL AND ", is_in_state!("sending"), "
        ON CONFLICT (delivery) DO UPDATE SET text = excluded.text, attempt = excluded.attempt, at_us = excluded.at_us,
            holds = CASE WHEN CAST($7 AS BIGINT) = 1 THEN progress.holds ELSE excluded.holds END"
    );
    /// The last note of a delivery, and how the attempt ended that wrote it.
    PROGRESS_OF = one!(
        "SELECT p.text, p.at_us, a.outcome FROM progress AS p
            LEFT JOIN attempt AS a ON a.delivery = p.delivery AND a.number = p.attempt AND NOT a.belated
        WHERE p.delivery = $1"
    );
    /// What a channel has of a bulletin, as the last other delivery left it; the note itself where that is not known and its call may
    /// have gone through. `$1` delivery.
    PROGRESS_HELD = one!(
        "SELECT COALESCE(p.holds, p.text) FROM delivery AS d JOIN progress AS p
            ON p.channel = d.channel AND p.bulletin = d.bulletin AND p.delivery <> d.id
            LEFT JOIN attempt AS a ON a.delivery = p.delivery AND a.number = p.attempt AND NOT a.belated
        WHERE d.id = $1 AND (p.holds IS NOT NULL OR a.outcome IS NULL OR a.outcome NOT IN ('retry', 'rejected'))
        ORDER BY p.at_us DESC, p.delivery DESC LIMIT 1"
    );
    /// What others have on record, the newest of them: other channels, and this one of other bulletins. `$1` delivery.
    PROGRESS_OTHERS = one!(
        "SELECT p.holds FROM delivery AS d JOIN progress AS p ON p.channel <> d.channel OR p.bulletin <> d.bulletin
        WHERE d.id = $1 AND p.holds IS NOT NULL
        ORDER BY p.at_us DESC, p.delivery DESC LIMIT 500"
    );
}
