-- Addresses are compared in one form: NFKC, lower case, the domain as DNS has it. What Wardroom wrote has that form already;
-- rows that came in another way are brought into it. What cannot be is said before anything is changed.
DO $$
DECLARE
  found text;
BEGIN
  SELECT string_agg(format('tenant %s: users %s', tenant_id, ids), '; ') INTO found
  FROM (
    SELECT tenant_id, string_agg(id::text, ', ' ORDER BY id) AS ids FROM users
    GROUP BY tenant_id, lower(normalize(email, NFKC)) HAVING count(*) > 1 ORDER BY tenant_id LIMIT 10
  ) same;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION 'users of one tenant have e-mail addresses that differ only in how they are written. Change or delete all but one of each: %', found;
  END IF;
  SELECT string_agg(id::text, ', ' ORDER BY id) INTO found
  FROM (SELECT id FROM users WHERE split_part(lower(normalize(email, NFKC)), '@', 2) ~ '[^\x01-\x7f]' ORDER BY id LIMIT 10) international;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION 'users have e-mail addresses whose domain is not in ASCII. Write the domain as DNS has it (xn--...): %', found;
  END IF;
END
$$;
UPDATE users SET email = lower(normalize(email, NFKC)) WHERE email <> lower(normalize(email, NFKC));

-- When an issuer vouched for the address; null: somebody typed it. Of users that are there, only those who never had a password
-- are known to come from an issuer. Whoever has both a link and a password may share the account with a stranger, and is
-- taken over at the next sign-in by the issuer.
ALTER TABLE users ADD COLUMN email_proven_at timestamptz(3);
UPDATE users u SET email_proven_at = l.created_at
FROM (SELECT user_id, min(created_at) AS created_at FROM user_links GROUP BY user_id) l
WHERE l.user_id = u.id AND u.password_hash IS NULL;
