-- The beginning: what is planned, what goes out, what happened.
--
-- The other database's folder holds a file of this name with the same tables, columns, nullability and unique keys; a test
-- compares them. Never edit a migration after a release.
--
-- Instants are whole microseconds since 1970-01-01T00:00:00Z (suffix _us). Enumerations are TEXT with a CHECK; reasons and
-- journal events have none, because their lists grow, and are checked when they are read.

-- What the database says of itself: key `world` (real or simulated, written once), key `revision` (in force since at_us).
CREATE TABLE meta (
    key    TEXT NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL,
    at_us  INTEGER NOT NULL
) STRICT;

-- Daemons that work on this database, and when each was last alive.
CREATE TABLE node (
    id        TEXT NOT NULL PRIMARY KEY,
    revision  TEXT NOT NULL,
    alive_us  INTEGER NOT NULL
) STRICT;

-- Intervals that were planned: [from_us, until_us) under a revision.
CREATE TABLE plan_run (
    revision  TEXT NOT NULL,
    from_us   INTEGER NOT NULL,
    until_us  INTEGER NOT NULL,
    at_us     INTEGER NOT NULL,
    PRIMARY KEY (revision, from_us)
) STRICT;

-- Frozen words, once each, addressed by the hash of their canonical JSON.
CREATE TABLE content (
    hash   TEXT NOT NULL PRIMARY KEY,
    json   TEXT NOT NULL,
    at_us  INTEGER NOT NULL
) STRICT;

-- One schedule at one instant on one channel, or one part of it. Its id is a hash of that, so it is there once. The attempt under way stands here (state sending, attempt, started_us,
-- leased_by, leased_until_us) and is committed before any socket opens.
CREATE TABLE delivery (
    id               TEXT NOT NULL PRIMARY KEY,
    schedule         TEXT NOT NULL,
    bulletin         TEXT,
    ward             TEXT NOT NULL,
    ward_name        TEXT NOT NULL,
    channel          TEXT NOT NULL,
    channel_name     TEXT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('loudspeaker', 'website', 'chat', 'sign')),
    format           TEXT NOT NULL CHECK (format IN ('script', 'article', 'message', 'sign')),
    mode             TEXT NOT NULL CHECK (mode IN ('at-most-once', 'at-least-once')),
    priority         TEXT NOT NULL CHECK (priority IN ('normal', 'priority', 'emergency')),
    topic            TEXT,
    -- the instant that the schedule names, and which part of a session it is; due_us may lie elsewhere
    scheduled_us     INTEGER NOT NULL,
    part             INTEGER NOT NULL DEFAULT 0,
    due_us           INTEGER NOT NULL,
    deadline_us      INTEGER NOT NULL,
    -- what is heard: how long it lasts (estimated, then measured), when it has to be over, and what wants that
    length_us        INTEGER,
    over_us          INTEGER,
    over_reason      TEXT,
    over_detail      TEXT,
    late             INTEGER NOT NULL CHECK (late IN (0, 1)),
    revision         TEXT NOT NULL,
    state            TEXT NOT NULL,
    -- The state's coarse half, for the index below: a change of state alone leaves that index untouched.
    unfinished       INTEGER NOT NULL CHECK (
        (unfinished AND state IN ('planned', 'ready', 'sending')) OR (NOT unfinished AND state IN
            ('accepted', 'confirmed', 'unheard', 'failed', 'unknown', 'skipped', 'cancelled'))),
    reason           TEXT,
    detail           TEXT,
    -- skipped by the plan itself: another plan may bring it back
    by_plan          INTEGER NOT NULL DEFAULT FALSE CHECK (by_plan IN (0, 1)),
    -- frozen: what is sent, and where to
    content          TEXT,
    host             TEXT,
    can_ask          INTEGER NOT NULL DEFAULT FALSE CHECK (can_ask IN (0, 1)),
    -- attempts begun, and when the next one may begin
    attempt          INTEGER NOT NULL DEFAULT 0,
    next_us          INTEGER,
    started_us       INTEGER,
    leased_by        TEXT,
    leased_until_us  INTEGER,
    doubt            INTEGER NOT NULL DEFAULT FALSE CHECK (doubt IN (0, 1)),
    -- what came of it
    accepted_us      INTEGER,
    evidence         TEXT NOT NULL DEFAULT 'none' CHECK (evidence IN ('none', 'accepted', 'device', 'staff')),
    closed_by        TEXT,
    updated_us       INTEGER NOT NULL
) STRICT;

-- The log, whole and by ward, channel and schedule, and what changed lately.
CREATE INDEX delivery_by_due ON delivery (due_us, id);
CREATE INDEX delivery_by_ward ON delivery (ward, due_us, id);
CREATE INDEX delivery_by_channel ON delivery (channel, due_us, id);
CREATE INDEX delivery_by_schedule ON delivery (schedule, due_us, id);
CREATE INDEX delivery_by_change ON delivery (updated_us, id);
-- Work in hand: these hold only rows that are not finished, and stay small however long the log grows.
CREATE INDEX delivery_unfinished ON delivery (due_us, deadline_us) WHERE unfinished;
CREATE INDEX delivery_planned ON delivery (due_us, id) WHERE state = 'planned';
-- By urgency and mode, because each has a budget of its own; the last two columns so that what waits for a full host is
-- passed over without a look at its row.
CREATE INDEX delivery_ready ON delivery (priority, mode, next_us, id, host, deadline_us) WHERE state = 'ready';
-- A channel does one thing at a time. Two nodes that claim at once cannot both win.
CREATE UNIQUE INDEX delivery_sending ON delivery (channel) WHERE state = 'sending';

-- Attempts that have ended. A belated one was reported by its node after another node had taken the delivery over (and
-- had recorded the same attempt as unknown); it is evidence and is not counted.
CREATE TABLE attempt (
    delivery     TEXT NOT NULL REFERENCES delivery (id),
    number       INTEGER NOT NULL,
    belated      INTEGER NOT NULL CHECK (belated IN (0, 1)),
    started_us   INTEGER NOT NULL,
    finished_us  INTEGER NOT NULL,
    outcome      TEXT NOT NULL CHECK (outcome IN ('accepted', 'retry', 'rejected', 'unknown')),
    reason       TEXT,
    detail       TEXT,
    status       INTEGER,
    answer       TEXT,
    receipt      TEXT,
    evidence     TEXT NOT NULL CHECK (evidence IN ('none', 'accepted', 'device', 'staff')),
    node         TEXT NOT NULL,
    PRIMARY KEY (delivery, number, belated)
) STRICT;

-- What happened besides attempts: why something was not sent, who decided, when daemons came and went.
CREATE TABLE journal (
    number    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us     INTEGER NOT NULL,
    event     TEXT NOT NULL,
    delivery  TEXT,
    actor     TEXT NOT NULL,
    detail    TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_delivery ON journal (delivery, number) WHERE delivery IS NOT NULL;

-- Both records are written once and never changed.
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'attempt is append-only'); END;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
