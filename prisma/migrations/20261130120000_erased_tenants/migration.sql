-- A deleted tenant (contract section 10). Its rows go in batches; its own row stays, disabled and nameless, until the last
-- token of its sessions is long dead, because a node that starts meanwhile reads from it that they are not accepted.
ALTER TABLE tenants
  ADD COLUMN erased_at timestamptz(3),
  ADD CONSTRAINT tenants_erased_are_disabled CHECK (erased_at IS NULL OR state = 'disabled');
CREATE INDEX tenants_erased ON tenants (erased_at) WHERE erased_at IS NOT NULL;
