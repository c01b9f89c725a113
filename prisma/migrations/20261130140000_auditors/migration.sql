-- Auditors: users of tenant `system` who read everything and change nothing.
ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('member', 'admin', 'operator', 'auditor'));
