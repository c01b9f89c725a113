-- A tenant's own access token life, shorter than ACCESS_TTL_SECONDS (contract section 10). Null: that of the node.
ALTER TABLE tenants ADD COLUMN access_ttl_seconds integer CHECK (access_ttl_seconds BETWEEN 5 AND 900);
