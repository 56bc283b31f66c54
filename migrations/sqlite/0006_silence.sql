-- Silences: what should have been heard and was not. Noticed once, whoever notices it, and told once.

CREATE TABLE silence (
    delivery      TEXT NOT NULL PRIMARY KEY,
    schedule      TEXT NOT NULL,
    ward          TEXT NOT NULL,
    ward_name     TEXT NOT NULL,
    channel       TEXT NOT NULL,
    channel_name  TEXT NOT NULL,
    due_us        INTEGER NOT NULL,
    -- what it was instead when that was noticed: a delivery's state, or `unplanned`; and the reason beside that state
    state         TEXT NOT NULL,
    reason        TEXT,
    noticed_us    INTEGER NOT NULL,
    node          TEXT NOT NULL,
    -- since when something is heard there again
    over_us       INTEGER,
    told_us       INTEGER,
    -- since when there is something that the operator has not been told; and, in the time of leases, the try under way
    news_us       INTEGER,
    trying_us     INTEGER
) STRICT;
CREATE INDEX silence_open ON silence (due_us) WHERE over_us IS NULL;
CREATE INDEX silence_news ON silence (news_us) WHERE news_us IS NOT NULL;
