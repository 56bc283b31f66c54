-- Accounts that permit us to act, by tokens that are renewed. Both tokens are secrets: whoever reads this table can act as the
-- account. A pair is written here before it is used.

CREATE TABLE account (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- grows with every pair; whoever writes a pair names the one that it comes after
    pair             BIGINT NOT NULL,
    access           TEXT NOT NULL,
    refresh          TEXT NOT NULL,
    issued_us        BIGINT NOT NULL,
    expires_us       BIGINT NOT NULL,
    -- the person who authorised it last
    person           TEXT NOT NULL,
    authorised_us    BIGINT NOT NULL,
    -- who is asking for the next pair, in the time of leases; and since when the refresh token may have been spent without an answer
    leased_by        TEXT COLLATE "C",
    leased_until_us  BIGINT,
    spent_us         BIGINT,
    -- why there is no next pair, since when, whether only a person can change that, and when it is tried again
    trouble          TEXT,
    trouble_us       BIGINT,
    refused          BIGINT NOT NULL DEFAULT 0 CHECK (refused IN (0, 1)),
    next_us          BIGINT
);
