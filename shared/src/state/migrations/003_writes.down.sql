-- Back to schema 2 without losing what only schema 3 has a place for: the next way up takes it from here.
CREATE TABLE kept_003_epochs (
    store_key        TEXT    NOT NULL PRIMARY KEY,
    busy_until_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO kept_003_epochs SELECT store_key, busy_until_ms FROM epochs;
ALTER TABLE epochs DROP COLUMN busy_until_ms;

DROP INDEX turns_by_ticket;
ALTER TABLE turns RENAME TO kept_003_turns;
ALTER TABLE turn_seq RENAME TO kept_003_turn_seq;
ALTER TABLE open_writes RENAME TO kept_003_open_writes;
