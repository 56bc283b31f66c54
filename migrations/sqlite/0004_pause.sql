-- Pauses: what is not sent for a while, who said so and until when. Ended early by a person, or by its end.

CREATE TABLE pause (
    number          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    scope           TEXT NOT NULL CHECK (scope IN ('all', 'ward', 'channel', 'topic')),
    target          TEXT NOT NULL,
    emergency       INTEGER NOT NULL CHECK (emergency IN (0, 1)),
    from_us         INTEGER NOT NULL,
    until_us        INTEGER NOT NULL CHECK (until_us > from_us),
    person          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    resumed_us      INTEGER,
    resumed_by      TEXT,
    resumed_reason  TEXT
) STRICT;
CREATE INDEX pause_by_end ON pause (until_us);
