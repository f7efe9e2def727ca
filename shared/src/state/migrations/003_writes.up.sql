-- Schema 3: what writes to shops need to be lost never: turns, and writes whose outcome is not recorded yet.
-- Additive: older programs go on with this file, so compatible_from stays. They send no writes.

-- Filled by the way down; empty on a file that has never been here.
CREATE TABLE IF NOT EXISTS kept_003_epochs (
    store_key        TEXT    NOT NULL PRIMARY KEY,
    busy_until_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_003_turns (
    store_key        TEXT    NOT NULL,
    thing            TEXT    NOT NULL,
    ticket           INTEGER NOT NULL,
    session_id       TEXT    NOT NULL,
    since_ms         INTEGER NOT NULL,
    PRIMARY KEY (store_key, thing, ticket)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_003_turn_seq (
    one              INTEGER NOT NULL PRIMARY KEY,
    seq              INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS kept_003_open_writes (
    chain            TEXT    NOT NULL,
    seq              INTEGER NOT NULL,
    store_key        TEXT    NOT NULL,
    session_id       TEXT    NOT NULL,
    client           TEXT,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    check_hint       TEXT    NOT NULL,
    at_ms            INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;

-- Until then a write to the shop may be under way, and what is read from it may be stale at once.
ALTER TABLE epochs ADD COLUMN busy_until_ms INTEGER NOT NULL DEFAULT 0;
UPDATE epochs SET busy_until_ms = k.busy_until_ms FROM kept_003_epochs AS k WHERE k.store_key = epochs.store_key;

-- Who may write to an order or another thing of a shop next: whoever has the lowest ticket. One ticket may stand in
-- several queues. since_ms: when it was drawn or last used; old ones are lost.
CREATE TABLE turns (
    store_key        TEXT    NOT NULL,
    thing            TEXT    NOT NULL,
    ticket           INTEGER NOT NULL,
    session_id       TEXT    NOT NULL,
    since_ms         INTEGER NOT NULL,
    PRIMARY KEY (store_key, thing, ticket)
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_by_ticket ON turns (ticket);
INSERT INTO turns SELECT * FROM kept_003_turns;

-- The last ticket drawn. Numbers are never used again: a ticket that was lost must not come back as somebody else's.
CREATE TABLE turn_seq (
    one              INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq              INTEGER NOT NULL
) STRICT;
INSERT INTO turn_seq (one, seq) SELECT 1, coalesce(max(seq), 0) FROM kept_003_turn_seq;

-- Intents of the audit whose outcome is not recorded ('open') or could not be told ('unknown').
CREATE TABLE open_writes (
    chain            TEXT    NOT NULL,
    seq              INTEGER NOT NULL,
    store_key        TEXT    NOT NULL,
    session_id       TEXT    NOT NULL,
    client           TEXT,
    action           TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    check_hint       TEXT    NOT NULL,
    at_ms            INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('open', 'unknown')),
    PRIMARY KEY (chain, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO open_writes SELECT * FROM kept_003_open_writes;

DROP TABLE kept_003_epochs;
DROP TABLE kept_003_turns;
DROP TABLE kept_003_turn_seq;
DROP TABLE kept_003_open_writes;
