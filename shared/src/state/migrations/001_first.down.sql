-- What later steps kept on their way down goes with what it belongs to.
DROP TABLE IF EXISTS kept_002;
DROP TABLE IF EXISTS kept_003_epochs;
DROP TABLE IF EXISTS kept_003_turns;
DROP TABLE IF EXISTS kept_003_turn_seq;
DROP TABLE IF EXISTS kept_003_open_writes;
DROP TABLE epochs;
DROP TABLE quota;
DROP TABLE audit;
DROP TABLE metric_seq;
DROP TABLE metric_retired;
DROP TABLE metric_live;
DROP TABLE sessions;
DROP TABLE stores;
DROP TABLE tenants;
DROP TABLE meta;
PRAGMA application_id = 0;
