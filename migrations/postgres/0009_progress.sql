-- How far deliveries came whose adapters make several calls with effects: a note before each of them, written while the delivery is
-- being sent. And what a channel calls what it has of a bulletin, so that a later delivery or a correction finds it.

CREATE TABLE progress (
    delivery  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES delivery (id),
    channel   TEXT COLLATE "C" NOT NULL,
    bulletin  TEXT COLLATE "C" NOT NULL,
    text      TEXT NOT NULL,
    holds     TEXT,
    attempt   BIGINT NOT NULL,
    at_us     BIGINT NOT NULL
);
CREATE INDEX progress_by_bulletin ON progress (channel, bulletin, at_us) WHERE holds IS NOT NULL;
