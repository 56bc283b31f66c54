-- Sounds: what is known of each, and which delivery was frozen with which. The bytes are files in the cache's folder, under
-- the same address.

-- Loudness and true peak in hundredths of LUFS and dBTP; lengths in microseconds. `spoken_us` leaves the chime out.
CREATE TABLE audio (
    hash            TEXT NOT NULL PRIMARY KEY,
    format          TEXT NOT NULL CHECK (format IN ('wav', 'mp3', 'opus')),
    length_us       INTEGER NOT NULL,
    spoken_us       INTEGER NOT NULL,
    loudness_centi  INTEGER NOT NULL,
    peak_centi      INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    at_us           INTEGER NOT NULL
) STRICT;

-- The sound that a delivery is sent with. Written just before it becomes ready, and again when it is frozen again.
CREATE TABLE delivery_audio (
    delivery  TEXT NOT NULL PRIMARY KEY REFERENCES delivery (id),
    audio     TEXT NOT NULL REFERENCES audio (hash)
) STRICT;
