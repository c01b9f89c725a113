/**
 * Sessions of 90 days: three of four have ended, as after a while on every installation. Tenants,
 * devices and addresses are skewed: one of each has half of the rows, some have a few, and one old
 * tenant has only sessions of the first day, so that no filter is lucky to meet its rows early.
 */
const USERS = 200_000;
const DAYS = 90;
const OLD_TENANT = '01900000-0000-7009-8000-000000000001';
const BIG_TENANT = '01900000-0000-7009-8000-000000000002';
const FEW = 20;

/** @returns the values that the filters ask for */
export async function fillSessions(client, count, operator) {
  await client.query('BEGIN');
  // The caller of the calls: the fence around the tenant of operators is not what is measured.
  await client.query(
    `INSERT INTO tenants (id, slug, name) VALUES ('${OLD_TENANT}', 'old', 'Old'), ('${BIG_TENANT}', 'big', 'Big')
     ON CONFLICT DO NOTHING`,
  );
  await client.query(`UPDATE tenants SET slug = 'bench-system' WHERE slug = 'system'`);
  await client.query(`UPDATE tenants SET slug = 'system' WHERE slug = 'bench'`);
  await client.query(`UPDATE users SET role = 'operator' WHERE id = $1`, [operator]);
  await client.query(
    `INSERT INTO users (id, tenant_id, email, name)
     SELECT ${userOf('i')}, CASE WHEN i % 100 = 0 THEN '${OLD_TENANT}' ELSE '${BIG_TENANT}' END::uuid,
       CASE WHEN i < $1 THEN 'rare' ELSE 'person' END || i || '@example.com', 'Person ' || i FROM generate_series(0, $2 - 1) i`,
    [FEW, USERS],
  );
  await client.query('COMMIT');
  const piece = 100_000;
  for (let from = 0; from < count; from += piece)
    await client.query(insert, [from, Math.min(from + piece, count) - 1, count]);
  await client.query('VACUUM ANALYZE sessions, users, tenants');
  const { rows } = await client.query(
    `SELECT id FROM sessions WHERE ended_at IS NOT NULL AND ip IS NOT NULL ORDER BY id OFFSET ${Math.floor(count / 3)} LIMIT 1`,
  );
  return {
    middle: rows[0].id,
    user: `${(await client.query(`SELECT ${userOf('5')} AS id`)).rows[0].id}`,
  };
}

const userOf = (i) => `('01900000-0000-7008-8000-' || lpad(to_hex(${i}), 12, '0'))::uuid`;

const insert = `
  INSERT INTO sessions (id, tenant_id, user_id, device, ip, user_agent, user_version, idle_seconds, created_at, last_active_at, expires_at,
    ended_at, end_reason, end_detail, refresh_family, refresh_hash)
  SELECT (substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
    CASE WHEN i < $3 / 90 THEN '${OLD_TENANT}' ELSE '${BIG_TENANT}' END::uuid, ${userOf('abs(hashint8(i)) % 200000')},
    CASE WHEN i % 2 = 0 THEN 'phone' WHEN i < ${FEW} THEN 'rare device' ELSE 'device ' || i % 1000 END,
    CASE WHEN i % 2 = 1 THEN '192.0.2.1' WHEN i < ${FEW} THEN '192.0.2.2' ELSE '10.' || i % 200 || '.' || i % 250 || '.7' END,
    'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 1, 604800, at, at + interval '1 hour', now() + interval '30 days',
    CASE WHEN i % 4 > 0 THEN at + interval '2 hours' END, CASE WHEN i % 4 > 0 THEN 'session_revoked' END, CASE WHEN i % 4 > 0 THEN 'logout' END,
    sha256(i::text::bytea), sha256(i::text::bytea)
  FROM (SELECT i, at, lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS hex
    FROM (SELECT i, now() - interval '${DAYS} days' + i * interval '${DAYS} days' / $3 AS at FROM generate_series($1::bigint, $2::bigint) i) dated) named`;

const agoDays = (days) => new Date(Date.now() - days * 86_400_000).toISOString();

export const filters = ({ middle, user }) => ({
  'first page': '',
  'first page, 200 rows': 'limit=200',
  ended: 'state=ended',
  all: 'state=all',
  'a page in the middle': `state=all&cursor=${middle}`,
  user: `state=all&user=${user}`,
  'a big tenant': 'state=all&tenant=big',
  'an old tenant': 'tenant=old',
  'the device of half': 'state=all&device=phone',
  'a rare device': 'state=all&device=rare%20device',
  'no such device': 'state=all&device=none',
  'the address of half': 'state=all&ip=192.0.2.1',
  'a rare address': 'state=all&ip=192.0.2.2',
  'a time in the middle': `state=all&before=${agoDays(45)}`,
  'a day long ago': `state=all&after=${agoDays(80)}&before=${agoDays(79)}`,
  'q: few people': 'state=all&q=rare',
  'q: everybody': 'state=all&q=person',
  'q: a name': 'state=all&q=Person%2012345',
  'q: nobody': 'state=all&q=zzz',
  'q: an id': `state=all&q=${middle}`,
  'halves that do not meet': 'state=all&device=phone&ip=192.0.2.1',
  'everybody on the rare device': 'state=all&q=person&device=rare%20device',
  'everybody of an old tenant': 'tenant=old&q=person',
  'all filters': `state=all&tenant=big&user=${user}&device=phone&ip=10.0.0.7&q=person&after=${agoDays(80)}&before=${agoDays(1)}`,
});
