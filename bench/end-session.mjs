/** W6: how long until every socket of an ended session is closed? */
import { ask } from './harness/question.mjs';

await ask({
  name: 'end-session',
  title: 'A session of 4 sockets ended among 10,000 connections',
  text: '250 sessions in each run, one after the other: from sending the call until the last of the four sockets has its close frame and is gone, and until the receipt says `effective`. 20 more before them are not counted.',
  load: { subscribers: 10_000, rooms: 1_000, users: 2_500, warmEnds: 20, ends: 250 },
  quick: { subscribers: 2_000, users: 500, ends: 20 },
  peers: ['wardroom-signal'],
  figures: ['answer_p99_ms', 'answer_p50_ms', 'last_close_p99_ms', 'last_close_p50_ms'],
  targets: [
    { peer: 'wardroom-signal', figure: 'last_close_p99_ms', most: 25 },
    { peer: 'wardroom-signal', figure: 'answer_p99_ms', most: 50 },
  ],
});
