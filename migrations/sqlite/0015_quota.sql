-- What remained of accounts' quotas when they were last asked for, by the name under which that was asked. What was never asked for has
-- no row.

CREATE TABLE quota (
    account    TEXT NOT NULL,
    product    TEXT NOT NULL,
    remain     INTEGER NOT NULL CHECK (remain >= 0),
    -- of so many, and the last day on which it holds (YYYY-MM-DD); NULL where nobody said
    total      INTEGER,
    until_day  TEXT,
    read_us    INTEGER NOT NULL,
    PRIMARY KEY (account, product)
) STRICT;
