/**
 * The one statement behind every effect in a room: it reads what it needs, whenever its plan was
 * made, and erases what was deleted.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migratedDatabase } from '../support/node-process.js';

const [tenant, user, session, room, other] = Array.from({ length: 5 }, () => randomUUID());
let client: pg.Client;

/**
 * A connection of its own keeps its plans, as a node's do: the first call makes them, while the
 * tables are as good as empty.
 */
beforeAll(async () => {
  const url = await migratedDatabase();
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, 't', 't')`, [tenant]);
  await client.query(
    `INSERT INTO sessions (id, tenant_id, user_id, user_version, idle_seconds, expires_at, refresh_family, refresh_hash)
     VALUES ($1, $2, $3, 1, 60, now() + interval '1 hour', '', '')`,
    [session, tenant, user],
  );
  for (const id of [room, other]) {
    await client.query(
      `INSERT INTO rooms (id, tenant_id, name, visibility, created_by) VALUES ($1, $2, 'r', 'private', $3)`,
      [id, tenant, user],
    );
  }
});
afterAll(() => client?.end());

interface Input {
  type: string;
  room?: string | undefined;
  message_id?: string;
  body?: string;
  emoji?: string;
  on?: boolean;
}

async function apply(...inputs: Input[]) {
  const common = {
    room,
    sender: user,
    session,
    user_version: 1,
    epoch: 0,
    fingerprint: 'ab',
    kind: 'text',
  };
  const batch = inputs.map((input, i) => ({
    i,
    ...common,
    message_id: randomUUID(),
    op_id: randomUUID(),
    ...input,
  }));
  const { rows } = await client.query({
    name: 'apply',
    text: 'SELECT outcome, message_id, seq FROM apply_room_events($1::json)',
    values: [JSON.stringify(batch)],
  });
  return rows.map((row) => ({ ...row, seq: Number(row.seq) })) as {
    outcome: string;
    message_id: string;
    seq: number;
  }[];
}

const rowsOf = async (messageId: string) =>
  (
    await client.query(
      'SELECT type, body, deleted_at IS NOT NULL AS deleted FROM room_events WHERE message_id = $1 ORDER BY seq',
      [messageId],
    )
  ).rows;

test('reads a handful of rows per event, though its plan was made when there was nothing to read', async () => {
  const [first] = await apply({ type: 'message', body: '"first"' });
  await client.query(
    `INSERT INTO room_events (room_id, seq, type, message_id, sender, op_id, body, epoch)
     SELECT $1, n, CASE WHEN n % 2 = 0 THEN 'message' ELSE 'message_edited' END, gen_random_uuid(), $2, n::text, '"x"', 0 FROM generate_series(2, 5000) n`,
    [room, user],
  );
  await client.query('UPDATE rooms SET last_seq = 5000 WHERE id = $1', [room]);
  await client.query('BEGIN');
  const target = { message_id: first!.message_id };
  const outcomes = [
    ...(await apply(
      { type: 'message', body: '"second"' },
      { type: 'message_edited', body: '"edited"', ...target },
    )),
    ...(await apply({ type: 'reaction', emoji: '!', on: true, ...target })),
    ...(await apply({ type: 'message_deleted', ...target })),
  ];
  expect(outcomes.map(({ outcome, seq }) => [outcome, seq])).toEqual(
    [5001, 5002, 5003, 5004].map((seq) => ['new', seq]),
  );
  const { rows } = await client.query(
    `SELECT coalesce(seq_tup_read, 0) + idx_tup_fetch AS read FROM pg_stat_xact_user_tables WHERE relname = 'room_events'`,
  );
  expect(Number(rows[0]!.read)).toBeLessThan(30);
  await client.query('ROLLBACK');
});

describe('one batch', () => {
  test('numbers each room by itself, in the order of the batch', async () => {
    const rooms = [other, room, other, room];
    const before = await client.query<{ last_seq: string }>(
      'SELECT last_seq FROM rooms WHERE id = $1',
      [room],
    );
    const head = Number(before.rows[0]!.last_seq);
    const rows = await apply(...rooms.map((each) => ({ type: 'message', room: each, body: '1' })));
    expect(rows.map(({ seq }) => seq)).toEqual([1, head + 1, 2, head + 2]);
    const { rows: heads } = await client.query(
      'SELECT last_seq::integer FROM rooms WHERE id = ANY($1) ORDER BY last_seq',
      [[room, other]],
    );
    expect(heads.map(({ last_seq }) => last_seq)).toEqual([2, head + 2]);
  });

  test('changes the messages it is about and no other', async () => {
    const [edited, deleted, kept] = await apply(
      ...Array.from({ length: 3 }, () => ({ type: 'message', body: '"v1"' })),
    );
    await apply({ type: 'message_edited', message_id: deleted!.message_id, body: '"v2"' });
    const outcomes = await apply(
      { type: 'message_edited', message_id: edited!.message_id, body: '"v2"' },
      { type: 'message_deleted', message_id: deleted!.message_id },
      { type: 'message_edited', message_id: randomUUID(), body: '"v2"' },
      { type: 'message_edited', room: other, message_id: kept!.message_id, body: '"v2"' },
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['new', 'new', 'gone', 'gone']);
    expect((await rowsOf(edited!.message_id))[0]).toEqual({
      type: 'message',
      body: '"v2"',
      deleted: false,
    });
    expect(
      (await rowsOf(deleted!.message_id)).map(({ body, deleted: gone }) => [body, gone]),
    ).toEqual([
      [null, true],
      [null, false],
      [null, false],
    ]);
    expect(await rowsOf(kept!.message_id)).toEqual([
      { type: 'message', body: '"v1"', deleted: false },
    ]);
  });
});

describe('an op_id that comes again, while nodes of two versions run', () => {
  const again = (op_id: string, fingerprint: string, value_fingerprint?: string) => {
    const input = {
      type: 'message',
      op_id,
      body: '1',
      fingerprint,
      ...(value_fingerprint === undefined ? {} : { value_fingerprint }),
    };
    return apply(input as Input).then(([row]) => row!.outcome);
  };
  const [text, otherText, value] = ['aa', 'bb', 'cc'];

  test('through a new node and an old one is the same, whichever was first', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    expect([await again(first, text), await again(first, text, value)]).toEqual([
      'new',
      'duplicate',
    ]);
    expect([await again(second, text, value), await again(second, text)]).toEqual([
      'new',
      'duplicate',
    ]);
  });

  test('through new nodes is compared by value: written otherwise, and where one of them is the canonical text', async () => {
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    expect([await again(first, text, value), await again(first, otherText, value)]).toEqual([
      'new',
      'duplicate',
    ]);
    expect([await again(second, text, value), await again(second, value)]).toEqual([
      'new',
      'duplicate',
    ]);
    expect([await again(third, value), await again(third, text, value)]).toEqual([
      'new',
      'duplicate',
    ]);
  });

  test('with other content is a conflict', async () => {
    const first = randomUUID();
    expect([
      await again(first, text, value),
      await again(first, otherText, 'dd'),
      await again(first, otherText),
    ]).toEqual(['new', 'conflict', 'conflict']);
  });
});
