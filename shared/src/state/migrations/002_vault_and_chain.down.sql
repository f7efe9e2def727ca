-- Back to schema 1 without losing what only schema 2 has a place for: the next way up takes it from here.
CREATE TABLE kept_002 (
    kind          TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    seq           INTEGER NOT NULL,
    salt          BLOB,
    kdf           TEXT,
    key_id        TEXT,
    default_store TEXT,
    name_key      TEXT,
    key_version   INTEGER,
    hash          BLOB,
    pruned_ms     INTEGER,
    PRIMARY KEY (kind, id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO kept_002 (kind, id, seq, salt, kdf, key_id, default_store)
SELECT 'tenant', id, 0, salt, kdf, key_id, default_store FROM tenants;
INSERT INTO kept_002 (kind, id, seq, name_key)
SELECT 'store', id, 0, name_key FROM stores;
INSERT INTO kept_002 (kind, id, seq, key_version)
SELECT 'audit', tenant_id, seq, key_version FROM audit WHERE key_version IS NOT NULL;
INSERT INTO kept_002 (kind, id, seq, hash, pruned_ms)
SELECT 'anchor', tenant_id, through_seq, hash, pruned_ms FROM audit_anchors;

DROP TABLE audit_anchors;
ALTER TABLE audit DROP COLUMN key_version;
DROP INDEX stores_by_name_key;
ALTER TABLE stores DROP COLUMN name_key;
DROP INDEX tenants_by_key;
ALTER TABLE tenants DROP COLUMN default_store;
ALTER TABLE tenants DROP COLUMN key_id;
ALTER TABLE tenants DROP COLUMN kdf;
ALTER TABLE tenants DROP COLUMN salt;
