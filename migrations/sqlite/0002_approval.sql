-- Versions of what people edit, and who said yes or no to which. Both are written once and never changed.

-- Everything that an approval covers, as canonical JSON, addressed by its hash. Kept when somebody decides about it.
CREATE TABLE version (
    hash     TEXT NOT NULL PRIMARY KEY,
    kind     TEXT NOT NULL CHECK (kind IN ('bulletin', 'schedule')),
    subject  TEXT NOT NULL,
    needed   INTEGER NOT NULL,
    json     TEXT NOT NULL,
    at_us    INTEGER NOT NULL
) STRICT;

CREATE TABLE approval (
    number    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at_us     INTEGER NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('bulletin', 'schedule')),
    subject   TEXT NOT NULL,
    version   TEXT NOT NULL REFERENCES version (hash),
    decision  TEXT NOT NULL CHECK (decision IN ('approved', 'returned', 'rejected', 'retracted')),
    person    TEXT NOT NULL,
    role      TEXT NOT NULL,
    remark    TEXT NOT NULL
) STRICT;
CREATE INDEX approval_by_subject ON approval (subject, number);

CREATE TRIGGER version_no_update BEFORE UPDATE ON version BEGIN SELECT RAISE(ABORT, 'version is append-only'); END;
CREATE TRIGGER version_no_delete BEFORE DELETE ON version BEGIN SELECT RAISE(ABORT, 'version is append-only'); END;
CREATE TRIGGER approval_no_update BEFORE UPDATE ON approval BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
CREATE TRIGGER approval_no_delete BEFORE DELETE ON approval BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
