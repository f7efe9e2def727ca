-- What later steps kept on their way down goes with what it belongs to.
DROP TABLE IF EXISTS kept_002;
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
