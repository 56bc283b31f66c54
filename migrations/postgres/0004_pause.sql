-- Pauses: what is not sent for a while, who said so and until when. Ended early by a person, or by its end.

CREATE TABLE pause (
    number          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope           TEXT NOT NULL CHECK (scope IN ('all', 'ward', 'channel', 'topic')),
    target          TEXT COLLATE "C" NOT NULL,
    emergency       BIGINT NOT NULL CHECK (emergency IN (0, 1)),
    from_us         BIGINT NOT NULL,
    until_us        BIGINT NOT NULL CHECK (until_us > from_us),
    person          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    resumed_us      BIGINT,
    resumed_by      TEXT,
    resumed_reason  TEXT
);
CREATE INDEX pause_by_end ON pause (until_us);
