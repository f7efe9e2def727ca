-- Schema 2: what sealing, finding and rotating keys needs, and the audit chain's key versions and anchors.
-- Additive: a program of schema 1 goes on with this file, so compatible_from stays, and every new column has a default.

-- Filled by the way down; empty on a file that has never been here.
CREATE TABLE IF NOT EXISTS kept_002 (
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

-- salt: 32 random bytes, no secret. kdf: how a passphrase becomes the master key; NULL where the key is random.
-- key_id: what tells a process which tenant its master key holds. default_store: what `store use` chose.
ALTER TABLE tenants ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
ALTER TABLE tenants ADD COLUMN kdf TEXT;
ALTER TABLE tenants ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN default_store TEXT;
UPDATE tenants
   SET salt = k.salt, kdf = k.kdf, key_id = k.key_id, default_store = k.default_store
  FROM kept_002 AS k WHERE k.kind = 'tenant' AND k.id = tenants.id;
CREATE UNIQUE INDEX tenants_by_key ON tenants (key_id) WHERE key_id <> '';

-- The name as it is compared: trimmed, lower case. Rows of older programs get it where no other row has it; lower()
-- knows ASCII only, and a row without one is still found by its id.
ALTER TABLE stores ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE stores SET name_key = k.name_key FROM kept_002 AS k WHERE k.kind = 'store' AND k.id = stores.id;
UPDATE stores SET name_key = lower(trim(name))
 WHERE name_key = '' AND NOT EXISTS (
    SELECT 1 FROM stores AS other
     WHERE other.tenant_id = stores.tenant_id AND other.id <> stores.id
       AND (other.name_key = lower(trim(stores.name))
            OR (other.name_key = '' AND other.id < stores.id AND lower(trim(other.name)) = lower(trim(stores.name)))));
CREATE UNIQUE INDEX stores_by_name_key ON stores (tenant_id, name_key) WHERE name_key <> '';

-- Which of the tenant's keys signed the row; NULL in chains that nobody signs.
ALTER TABLE audit ADD COLUMN key_version INTEGER;
DROP TRIGGER audit_is_never_updated;
UPDATE audit SET key_version = k.key_version
  FROM kept_002 AS k WHERE k.kind = 'audit' AND k.id = audit.tenant_id AND k.seq = audit.seq;
CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never updated');
END;

-- Where a chain begins once its oldest rows were pruned: the last pruned row's number and hash.
CREATE TABLE audit_anchors (
    tenant_id        TEXT    NOT NULL PRIMARY KEY,
    through_seq      INTEGER NOT NULL CHECK (through_seq > 0),
    hash             BLOB    NOT NULL,
    pruned_ms        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO audit_anchors (tenant_id, through_seq, hash, pruned_ms)
SELECT id, seq, hash, pruned_ms FROM kept_002 WHERE kind = 'anchor';

DROP TABLE kept_002;
