-- The beginning: what is planned, what goes out, what happened.
--
-- The other database's folder holds a file of this name with the same tables, columns, nullability and unique keys; a test
-- compares them. Never edit a migration after a release.
--
-- Instants are whole microseconds since 1970-01-01T00:00:00Z (suffix _us). Enumerations are TEXT with a CHECK; reasons and
-- journal events have none, because their lists grow, and are checked when they are read.

-- What the database says of itself: key `world` (real or simulated, written once), key `revision` (in force since at_us).
CREATE TABLE meta (
    key    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value  TEXT NOT NULL,
    at_us  BIGINT NOT NULL
);

-- Daemons that work on this database, and when each was last alive.
CREATE TABLE node (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision  TEXT NOT NULL,
    alive_us  BIGINT NOT NULL
);

-- Intervals that were planned: [from_us, until_us) under a revision.
CREATE TABLE plan_run (
    revision  TEXT COLLATE "C" NOT NULL,
    from_us   BIGINT NOT NULL,
    until_us  BIGINT NOT NULL,
    at_us     BIGINT NOT NULL,
    PRIMARY KEY (revision, from_us)
);

-- Frozen words, once each, addressed by the hash of their canonical JSON.
CREATE TABLE content (
    hash   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    json   TEXT NOT NULL,
    at_us  BIGINT NOT NULL
);

-- One schedule at one instant on one channel, or one part of it. Its id is a hash of that, so it is there once. The attempt under way stands here (state sending, attempt, started_us,
-- leased_by, leased_until_us) and is committed before any socket opens.
CREATE TABLE delivery (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    schedule         TEXT COLLATE "C" NOT NULL,
    bulletin         TEXT COLLATE "C",
    ward             TEXT COLLATE "C" NOT NULL,
    ward_name        TEXT NOT NULL,
    channel          TEXT COLLATE "C" NOT NULL,
    channel_name     TEXT NOT NULL,
    kind             TEXT COLLATE "C" NOT NULL CHECK (kind IN ('loudspeaker', 'website', 'chat', 'sign')),
    format           TEXT COLLATE "C" NOT NULL CHECK (format IN ('script', 'article', 'message', 'sign')),
    mode             TEXT COLLATE "C" NOT NULL CHECK (mode IN ('at-most-once', 'at-least-once')),
    priority         TEXT COLLATE "C" NOT NULL CHECK (priority IN ('normal', 'priority', 'emergency')),
    topic            TEXT COLLATE "C",
    -- the instant that the schedule names, and which part of a session it is; due_us may lie elsewhere
    scheduled_us     BIGINT NOT NULL,
    part             BIGINT NOT NULL DEFAULT 0,
    due_us           BIGINT NOT NULL,
    deadline_us      BIGINT NOT NULL,
    -- what is heard: how long it lasts (estimated, then measured), when it has to be over, and what wants that
    length_us        BIGINT,
    over_us          BIGINT,
    over_reason      TEXT COLLATE "C",
    over_detail      TEXT,
    late             BOOLEAN NOT NULL,
    revision         TEXT COLLATE "C" NOT NULL,
    state            TEXT COLLATE "C" NOT NULL,
    -- The state's coarse half, for the index below: a change of state alone leaves that index untouched.
    unfinished       BOOLEAN NOT NULL CHECK (
        (unfinished AND state IN ('planned', 'ready', 'sending')) OR (NOT unfinished AND state IN
            ('accepted', 'confirmed', 'unheard', 'failed', 'unknown', 'skipped', 'cancelled'))),
    reason           TEXT COLLATE "C",
    detail           TEXT,
    -- skipped by the plan itself: another plan may bring it back
    by_plan          BOOLEAN NOT NULL DEFAULT FALSE,
    -- frozen: what is sent, and where to
    content          TEXT COLLATE "C",
    host             TEXT COLLATE "C",
    can_ask          BOOLEAN NOT NULL DEFAULT FALSE,
    -- attempts begun, and when the next one may begin
    attempt          BIGINT NOT NULL DEFAULT 0,
    next_us          BIGINT,
    started_us       BIGINT,
    leased_by        TEXT COLLATE "C",
    leased_until_us  BIGINT,
    doubt            BOOLEAN NOT NULL DEFAULT FALSE,
    -- what came of it
    accepted_us      BIGINT,
    evidence         TEXT COLLATE "C" NOT NULL DEFAULT 'none' CHECK (evidence IN ('none', 'accepted', 'device', 'staff')),
    closed_by        TEXT,
    updated_us       BIGINT NOT NULL
);

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
    delivery     TEXT COLLATE "C" NOT NULL REFERENCES delivery (id),
    number       BIGINT NOT NULL,
    belated      BOOLEAN NOT NULL,
    started_us   BIGINT NOT NULL,
    finished_us  BIGINT NOT NULL,
    outcome      TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('accepted', 'retry', 'rejected', 'unknown')),
    reason       TEXT COLLATE "C",
    detail       TEXT,
    status       BIGINT,
    answer       TEXT,
    receipt      TEXT,
    evidence     TEXT COLLATE "C" NOT NULL CHECK (evidence IN ('none', 'accepted', 'device', 'staff')),
    node         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (delivery, number, belated)
);

-- What happened besides attempts: why something was not sent, who decided, when daemons came and went.
CREATE TABLE journal (
    number    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us     BIGINT NOT NULL,
    event     TEXT COLLATE "C" NOT NULL,
    delivery  TEXT COLLATE "C",
    actor     TEXT NOT NULL,
    detail    TEXT NOT NULL
);
CREATE INDEX journal_by_delivery ON journal (delivery, number) WHERE delivery IS NOT NULL;

-- Both records are written once and never changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER attempt_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attempt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
