/**
 * A million messages in SQL. Their words are as frequent as those of a language: the word of rank r
 * comes about 1/r times as often as the first.
 */
const WORDS = 20_000;
const WORDS_OF_A_MESSAGE = 8;
const BATCH = 100_000;

/** Message i is in room i mod the number of rooms. `w1` is the most frequent word. */
export async function fillMessages(client, { messages, rooms, roomId, userId, tenantId }) {
  for (let first = 0; first < messages; first += BATCH) {
    const last = Math.min(messages, first + BATCH);
    await client.query(
      `INSERT INTO room_events (room_id, seq, n, type, message_id, sender, body, epoch, at, words)
       SELECT room, i / $3::bigint + 1, i / $3::bigint + 1, 'message', id, sender, to_jsonb(text)::text, 0, at, message_words(text, $4::uuid, room)
       FROM (
         SELECT i, ($5::uuid[])[i % $3::bigint + 1] AS room, ($6::uuid[])[i % 100 + 1] AS sender,
           clock_timestamp() - make_interval(secs => ($7::bigint - i) * 10) AS at,
           ('02900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid AS id,
           (SELECT string_agg('w' || floor(exp(random() * ln($8::float8))), ' ') FROM generate_series(i, i + $9::bigint - 1)) AS text
         FROM generate_series($1::bigint, $2::bigint - 1) i) x`,
      [
        first,
        last,
        rooms,
        tenantId,
        Array.from({ length: rooms }, (_, i) => roomId(i)),
        Array.from({ length: 100 }, (_, i) => userId(i)),
        messages,
        WORDS,
        WORDS_OF_A_MESSAGE,
      ],
    );
  }
  await client.query(
    `UPDATE rooms r SET last_seq = c.seq, last_n = c.seq, last_message_seq = c.seq, last_message_at = c.at
     FROM (SELECT room_id, max(seq) AS seq, max(at) AS at FROM room_events GROUP BY room_id) c WHERE r.id = c.room_id`,
  );
  await client.query('VACUUM ANALYZE room_events, rooms, members');
}
