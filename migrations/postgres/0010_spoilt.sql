-- Since when calls with the tokens of an account have been refused, pair after pair, without one being taken in between: then no further
-- pair is asked for.
ALTER TABLE account ADD COLUMN spoilt_us BIGINT;

-- What a channel has of a bulletin is looked up also where the last note does not say what it is called.
DROP INDEX progress_by_bulletin;
CREATE INDEX progress_by_bulletin ON progress (channel, bulletin, at_us);
