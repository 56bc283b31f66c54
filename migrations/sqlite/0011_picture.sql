-- Pictures of articles, by the address of their bytes. They are kept here and not in a folder, so that every node that shares the database
-- has what an approval covers, also when the file has changed since.
CREATE TABLE picture (
    hash       TEXT NOT NULL PRIMARY KEY,
    format     TEXT NOT NULL CHECK (format IN ('jpg', 'png')),
    data       BLOB NOT NULL,
    at_us      INTEGER NOT NULL,
    -- Since when it belongs to an article that was frozen; before that nobody outside sees it.
    frozen_us  INTEGER
) STRICT;
