-- Of what is heard: when it may begin at the latest, whatever is in its way. Its deadline comes before that where something else is heard
-- soon or hours end; where no other place is left, or none is looked for, there is nothing here.
ALTER TABLE delivery ADD COLUMN latest_us BIGINT;
