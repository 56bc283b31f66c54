-- How far deliveries came whose adapters make several calls with effects: a note before each of them, written while the delivery is
-- being sent. And what a channel calls what it has of a bulletin, so that a later delivery or a correction finds it.

CREATE TABLE progress (
    delivery  TEXT NOT NULL PRIMARY KEY REFERENCES delivery (id),
    channel   TEXT NOT NULL,
    bulletin  TEXT NOT NULL,
    text      TEXT NOT NULL,
    holds     TEXT,
    attempt   INTEGER NOT NULL,
    at_us     INTEGER NOT NULL
) STRICT;
CREATE INDEX progress_by_bulletin ON progress (channel, bulletin, at_us) WHERE holds IS NOT NULL;
