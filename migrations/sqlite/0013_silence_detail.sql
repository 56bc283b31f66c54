-- What the reason beside a silence leaves out: what the channel said, or how its host is left alone. NULL where nothing is.

ALTER TABLE silence ADD COLUMN detail TEXT;
