-- failures: attempts that did not arrive since failing_since. disabled_code: why it gets no events, if it gets none. key:
-- of the form that made it, so that one that is sent twice makes one webhook.
ALTER TABLE webhooks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN disabled_code TEXT;
ALTER TABLE webhooks ADD COLUMN key TEXT;
UPDATE webhooks SET disabled_code = 'failing_too_long' WHERE enabled = 0 AND ended_at IS NULL;
CREATE UNIQUE INDEX webhooks_by_key ON webhooks (room_id, maker_id, key) WHERE key IS NOT NULL;
