-- Days for which messages are kept; NULL: for ever.
ALTER TABLE rooms ADD COLUMN keep_days BIGINT;
