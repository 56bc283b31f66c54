//! Statements about hosts that did not answer.

/// The node has not been heard of since `$3`, or nobody else can be there (`$2`).
macro_rules! is_gone {
    () => {
        "node <> $1 AND (CAST($2 AS BIGINT) = 1 OR NOT EXISTS
            (SELECT 1 FROM node AS n WHERE n.id = health.node AND n.alive_us >= $3))"
    };
}

statements! {
    /// Writes down how hosts are. `$2` node.
    HEALTH_SET = batch!(
        [host TEXT, since_us BIGINT, until_us BIGINT, rounds BIGINT, reason TEXT, detail TEXT]
        "INSERT INTO health (host, node, since_us, until_us, rounds, reason, detail)
        SELECT host, CAST($2 AS TEXT), since_us, until_us, rounds, reason, detail FROM batch WHERE TRUE
        ON CONFLICT (host, node) DO UPDATE SET since_us = excluded.since_us, until_us = excluded.until_us,
            rounds = excluded.rounds, reason = excluded.reason, detail = excluded.detail"
    );
    /// Takes over what nodes knew that are gone: where several did, the longest wait. `$1` node, `$2` alone, `$3` since.
    HEALTH_TAKE = one!(
        "INSERT INTO health (host, node, since_us, until_us, rounds, reason, detail)
        SELECT host, CAST($1 AS TEXT), since_us, until_us, rounds, reason, detail FROM (SELECT health.*,
            row_number() OVER (PARTITION BY host ORDER BY until_us IS NULL, until_us DESC, node) AS place FROM health
            WHERE ", is_gone!(), ") AS ranked
        WHERE place = 1 ON CONFLICT (host, node) DO NOTHING"
    );
    /// Forgets what they knew. The same parameters.
    HEALTH_DROP = one!("DELETE FROM health WHERE ", is_gone!());
    /// How hosts are, as nodes know it that have been heard of since `$1`.
    HEALTH = one!(
        "SELECT health.host, health.node, health.since_us, health.until_us, health.rounds, health.reason
        FROM health JOIN node ON node.id = health.node WHERE node.alive_us >= $1 ORDER BY health.host, health.node"
    );
    /// The same of one node alone, heard of or not. `$1` node.
    HEALTH_OF = one!(
        "SELECT host, node, since_us, until_us, rounds, reason FROM health WHERE node = $1 ORDER BY host"
    );
}
