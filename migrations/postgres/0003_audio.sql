-- Sounds: what is known of each, and which delivery was frozen with which. The bytes are files in the cache's folder, under
-- the same address.

-- Loudness and true peak in hundredths of LUFS and dBTP; lengths in microseconds. `spoken_us` leaves the chime out.
CREATE TABLE audio (
    hash            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    format          TEXT NOT NULL CHECK (format IN ('wav', 'mp3', 'opus')),
    length_us       BIGINT NOT NULL,
    spoken_us       BIGINT NOT NULL,
    loudness_centi  BIGINT NOT NULL,
    peak_centi      BIGINT NOT NULL,
    bytes           BIGINT NOT NULL,
    at_us           BIGINT NOT NULL
);

-- The sound that a delivery is sent with. Written just before it becomes ready, and again when it is frozen again.
CREATE TABLE delivery_audio (
    delivery  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES delivery (id),
    audio     TEXT COLLATE "C" NOT NULL REFERENCES audio (hash)
);
