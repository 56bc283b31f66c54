-- Versions of what people edit, and who said yes or no to which. Both are written once and never changed.

-- Everything that an approval covers, as canonical JSON, addressed by its hash. Kept when somebody decides about it.
CREATE TABLE version (
    hash     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind     TEXT COLLATE "C" NOT NULL CHECK (kind IN ('bulletin', 'schedule')),
    subject  TEXT COLLATE "C" NOT NULL,
    needed   BIGINT NOT NULL,
    json     TEXT NOT NULL,
    at_us    BIGINT NOT NULL
);

CREATE TABLE approval (
    number    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_us     BIGINT NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL CHECK (kind IN ('bulletin', 'schedule')),
    subject   TEXT COLLATE "C" NOT NULL,
    version   TEXT COLLATE "C" NOT NULL REFERENCES version (hash),
    decision  TEXT COLLATE "C" NOT NULL CHECK (decision IN ('approved', 'returned', 'rejected', 'retracted')),
    person    TEXT NOT NULL,
    role      TEXT NOT NULL,
    remark    TEXT NOT NULL
);
CREATE INDEX approval_by_subject ON approval (subject, number);

CREATE TRIGGER version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
