-- Silences: what should have been heard and was not. Noticed once, whoever notices it, and told once.

CREATE TABLE silence (
    delivery      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    schedule      TEXT COLLATE "C" NOT NULL,
    ward          TEXT COLLATE "C" NOT NULL,
    ward_name     TEXT NOT NULL,
    channel       TEXT COLLATE "C" NOT NULL,
    channel_name  TEXT NOT NULL,
    due_us        BIGINT NOT NULL,
    -- what it was instead when that was noticed: a delivery's state, or `unplanned`; and the reason beside that state
    state         TEXT NOT NULL,
    reason        TEXT,
    noticed_us    BIGINT NOT NULL,
    node          TEXT NOT NULL,
    -- since when something is heard there again
    over_us       BIGINT,
    told_us       BIGINT,
    -- since when there is something that the operator has not been told; and, in the time of leases, the try under way
    news_us       BIGINT,
    trying_us     BIGINT
);
CREATE INDEX silence_open ON silence (due_us) WHERE over_us IS NULL;
CREATE INDEX silence_news ON silence (news_us) WHERE news_us IS NOT NULL;
