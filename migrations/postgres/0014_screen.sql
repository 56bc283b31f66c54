-- When counter screens last said what they show. One that never did has no row.

CREATE TABLE screen (
    channel  TEXT NOT NULL PRIMARY KEY,
    seen_us  BIGINT NOT NULL
);
