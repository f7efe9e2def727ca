-- Schema 1: everything the first release knows. Append-only from its release on: a later change is a later file.
-- Times end in _ms (milliseconds since 1970, UTC) or _us. Ids are random hex; nothing here is an auto-increment.

-- The file belongs to this product: "ODMC".
PRAGMA application_id = 1329876291;

-- Facts about the file itself. compatible_from: the oldest schema number whose programs may still use this file;
-- additive migrations leave it alone.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('compatible_from', 1);

-- A tenant is the holder of one master key; its data key is stored wrapped under that.
CREATE TABLE tenants (
    id               TEXT    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL,
    wrapped_key      BLOB    NOT NULL,
    wrap_nonce       BLOB    NOT NULL,
    key_version      INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A shop: an Order Desk store id and its API key, sealed. Nothing here opens the seal.
CREATE TABLE stores (
    id               TEXT    NOT NULL PRIMARY KEY,
    tenant_id        TEXT    NOT NULL REFERENCES tenants (id),
    name             TEXT    NOT NULL,
    base_url         TEXT    NOT NULL,
    store_id         TEXT    NOT NULL,
    sealed_key       BLOB    NOT NULL,
    seal_nonce       BLOB    NOT NULL,
    key_version      INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, base_url, store_id)
) STRICT, WITHOUT ROWID;

-- One life of one process. Whether it lives is told by its run file's lock, never by a row.
CREATE TABLE sessions (
    id               TEXT    NOT NULL PRIMARY KEY,
    kind             TEXT    NOT NULL CHECK (kind IN ('mcp-stdio', 'ops-sidecar')),
    pid              INTEGER NOT NULL,
    version          TEXT    NOT NULL,
    started_ms       INTEGER NOT NULL,
    heartbeat_ms     INTEGER NOT NULL,
    client_name      TEXT,
    client_version   TEXT,
    protocol_version TEXT,
    tenant_id        TEXT,
    state_changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Metrics of living sessions: each writes its own cumulative values, so that a repeated flush changes nothing.
-- No foreign key to sessions: the fold deletes both in one transaction, and a flush writes many rows.
CREATE TABLE metric_live (
    session_id       TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    labels           TEXT    NOT NULL,
    bounds           TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    value            REAL    NOT NULL,
    counts           BLOB,
    seq              INTEGER NOT NULL,
    PRIMARY KEY (session_id, name, labels, bounds)
) STRICT, WITHOUT ROWID;

-- What sessions that are no more have counted.
CREATE TABLE metric_retired (
    name             TEXT    NOT NULL,
    labels           TEXT    NOT NULL,
    bounds           TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    value            REAL    NOT NULL,
    counts           BLOB,
    PRIMARY KEY (name, labels, bounds)
) STRICT, WITHOUT ROWID;

-- Orders "most recent" gauges without trusting anybody's clock.
CREATE TABLE metric_seq (
    one              INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq              INTEGER NOT NULL
) STRICT;
INSERT INTO metric_seq (one, seq) VALUES (1, 0);

-- Who did what: a dense, chained sequence per tenant, and one named 'system'. Rows are never updated.
CREATE TABLE audit (
    tenant_id        TEXT    NOT NULL,
    seq              INTEGER NOT NULL CHECK (seq > 0),
    at_ms            INTEGER NOT NULL,
    session_id       TEXT    NOT NULL,
    client_name      TEXT,
    action           TEXT    NOT NULL,
    target           TEXT,
    args_shape       TEXT,
    outcome          TEXT    NOT NULL,
    intent_seq       INTEGER,
    prev_hash        BLOB    NOT NULL,
    hash             BLOB    NOT NULL,
    mac              BLOB,
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never updated');
END;

-- One token bucket per shop for all processes. tat_us: when the bucket will be full again.
CREATE TABLE quota (
    store_key        TEXT    NOT NULL PRIMARY KEY,
    tat_us           INTEGER NOT NULL,
    updated_us       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Bumped by every write to a shop: what was cached under an older epoch is stale in all processes.
CREATE TABLE epochs (
    store_key        TEXT    NOT NULL PRIMARY KEY,
    epoch            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
