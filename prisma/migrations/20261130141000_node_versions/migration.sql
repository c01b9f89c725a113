-- What a node runs, for operators; null for a node of an older version.
ALTER TABLE nodes ADD COLUMN version text, ADD COLUMN node_version text;
