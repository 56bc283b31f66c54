//! Statements about hosts that did not answer, and about screens, which come by themselves.

/// The node has not been heard of since `$3`, or nobody else can be there (`$2`).
macro_rules! is_gone {
    () => {
        "node <> $1 AND (CAST($2 AS BIGINT) = 1 OR NOT EXISTS
            (SELECT 1 FROM node AS n WHERE n.id = health.node AND n.alive_us >= $3))"
    };
}

/// A node that is at work, going by the newest stamp; `$2` how long one lasts.
macro_rules! is_at_work {
    ($node:literal) => {
        concat!(
            $node,
            ".alive_us >= (SELECT max(alive_us) FROM node) - CAST($2 AS BIGINT)"
        )
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
    /// Which of these deliveries wait for a host that every node at work leaves alone, and how, the earliest trial first. Emergencies go
    /// there all the same, and so does what is due only after the trial. `$1` ids, `$2` how long a node's stamp lasts.
    LEFT_ALONE = list!(concat!(
        "SELECT d.id, h.since_us, h.until_us, h.reason
        FROM list JOIN delivery AS d ON d.id = list.item JOIN health AS h ON h.host = d.host JOIN node AS n ON n.id = h.node
        WHERE d.state = 'ready' AND d.priority <> 'emergency' AND h.until_us IS NOT NULL AND d.next_us < h.until_us AND ",
        is_at_work!("n"), " AND NOT EXISTS (SELECT 1 FROM node AS o WHERE ", is_at_work!("o"), " AND NOT EXISTS
            (SELECT 1 FROM health AS k WHERE k.host = d.host AND k.node = o.id AND k.until_us IS NOT NULL))
        ORDER BY d.id, h.until_us"
    ));
    /// Which of these deliveries wait for another one of their channel though their time has come, as nodes at work know the time; what is
    /// being sent first, then what was due first. What [`super::deliver`] lets go first is what is waited for. `$1` ids.
    BEHIND = list!(concat!("SELECT d.id, e.id, e.due_us, e.state = 'sending' AS is_sending
        FROM list JOIN delivery AS d ON d.id = list.item JOIN delivery AS e ON e.channel = d.channel
        WHERE d.state = 'ready' AND d.next_us <= (SELECT max(alive_us) FROM node) AND e.unfinished AND e.id <> d.id
            AND e.due_us >= (SELECT min(due_us) FROM delivery WHERE unfinished)
            AND (e.state = 'sending' OR (", stands_before!(), "))
        ORDER BY d.id, is_sending DESC, e.due_us, e.id"));
    /// Lets what waits go where its channel is now.
    HOSTS_MOVE = batch!(
        [channel TEXT, host TEXT]
        "UPDATE delivery SET host = batch.host FROM batch
        WHERE delivery.channel = batch.channel AND delivery.unfinished AND delivery.state = 'ready'
            AND delivery.host IS DISTINCT FROM batch.host"
    );
    /// How hosts are as one node alone knows it, heard of or not. `$1` node.
    HEALTH_OF = one!(
        "SELECT host, node, since_us, until_us, rounds, reason FROM health WHERE node = $1 ORDER BY host"
    );
    /// Writes down when screens last said what they show; what another node heard later stays, unless it was by a clock that was wrong.
    /// `$2` now.
    SCREENS_SEEN = batch!(
        [channel TEXT, seen_us BIGINT]
        "INSERT INTO screen (channel, seen_us) SELECT channel, seen_us FROM batch WHERE TRUE
        ON CONFLICT (channel) DO UPDATE SET seen_us = excluded.seen_us
        WHERE excluded.seen_us > screen.seen_us OR screen.seen_us > $2"
    );
    /// When they did.
    SCREENS = one!("SELECT channel, seen_us FROM screen ORDER BY channel");
}
