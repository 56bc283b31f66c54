-- Hosts that did not answer, as each node found them. A host that never failed so has no row.

CREATE TABLE health (
    host      TEXT COLLATE "C" NOT NULL,
    node      TEXT COLLATE "C" NOT NULL,
    -- since when it is as it is
    since_us  BIGINT NOT NULL,
    -- while it is left alone: when the next call may try it; NULL where it answers again
    until_us  BIGINT,
    rounds    BIGINT NOT NULL,
    -- why the last call got no answer, and what is said of deliveries that end meanwhile
    reason    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    PRIMARY KEY (host, node)
);
