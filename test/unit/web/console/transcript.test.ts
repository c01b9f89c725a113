/**
 * The words of a screen reader while the console is used: scenes in order, compared with a golden
 * file. `UPDATE=1` writes it anew.
 */
import { afterAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Me } from '@wardroom/client';
import { Announcements } from '../../../../web/model/announcements.js';
import * as told from '../../../../web/model/console/announced.js';
import { Console } from '../../../../web/model/console/console.js';
import { Audit } from '../../../../web/model/console/pages/audit.js';
import { ChainCheck } from '../../../../web/model/console/pages/chain-check.js';
import { Drills, type Library } from '../../../../web/model/console/pages/drills.js';
import {
  rotateKey,
  withdrawKey,
  type SigningKey,
} from '../../../../web/model/console/pages/keys.js';
import { Overview, type Readiness } from '../../../../web/model/console/pages/overview.js';
import { endAllOf, Sessions } from '../../../../web/model/console/pages/sessions.js';
import { ManualClock } from '../../../sdk/manual-clock.js';
import { Refused, ScriptedCaller, type Script } from './scripted-caller.js';

const GOLDEN = new URL('./transcript.txt', import.meta.url);
const SETTLED_MS = 1_000;

const me = { role: 'operator', user_id: 'u', tenant_id: 't', tenant: { slug: 'system' } } as Me;
const ben = { id: 'u-ben', text: 'ben@acme.example' };
const key = { kid: 'k1', state: 'signing' } as SigningKey;
const receipt = (effective: boolean, sessions = 2) => ({
  id: 'r1',
  effective,
  state: effective ? 'effective' : 'pending',
  sessions,
  connections_closed: sessions,
  nodes: [],
  ms: 9,
});
const node = (state: string) => ({
  id: 'n1',
  name: 'b',
  state,
  lease_left_ms: state === 'serving' ? 4_000 : 0,
  clock_offset_ms: 0,
  position: 7,
  head: 7,
});
const span = (findings: string[]) => ({
  records: 40,
  chains: 2,
  findings,
  findings_more: 0,
  left: 0,
  next_cursor: null,
});
const rows = (count: number, next: string | null = null) => ({
  items: Array.from({ length: count }, (_, id) => ({ id: String(id) })),
  next_cursor: next,
});

/** The server: the answer of each path, by its longest beginning. */
const answers = new Map<string, Script>();
const caller = new ScriptedCaller((path, call) => {
  const named = [...answers]
    .sort(([a], [b]) => b.length - a.length)
    .find(([start]) => path.startsWith(start));
  return named === undefined ? rows(0) : named[1](path, call);
});
const answer = (start: string, script: Script) => answers.set(start, script);

const clock = new ManualClock();
const heard: string[] = [];
const said = new Announcements(
  () => told.CONSOLE_INTENTS,
  (politeness, text) => heard.push(`${politeness}: ${text}`),
  clock,
);
const bar = { hash: '#/overview' };
const console = new Console(
  { me: { value: me }, client: { session: caller } },
  'https://x',
  { read: () => bar.hash, write: (hash) => (bar.hash = hash) },
  said,
);
const sessions = new Sessions(caller);
const audit = new Audit(caller);
const check = new ChainCheck(caller, { now: () => 0 });
const ready: Readiness = { status: 'ok', details: {} };
const overview = new Overview(
  caller,
  async () => ready,
  () => 0,
);
const library = {
  DRILLS: [{ id: 'D7', name: 'replay', steps: {} }],
  network: () => ({}),
  compareRuns: () => [],
  runDrills: async () => ({ verdict: 'passed', drills: [] }),
  Unreachable: class extends Error {},
} as unknown as Library;
const drills = new Drills(
  caller,
  'https://x',
  { read: () => null, write: () => undefined },
  async () => library,
);
const stops = [
  told.tellFound(said, sessions.pager, 'session'),
  told.tellFound(said, audit.pager, 'record'),
  told.tellTail(said, audit.tail),
  told.tellAlerts(said, overview.alerts),
  told.tellCheck(said, check),
  told.tellDrills(said, drills),
];
afterAll(() => {
  for (const stop of stops) stop();
});

async function list(count: number, next: string | null = null): Promise<void> {
  answer('/v1/admin/sessions', () => rows(count, next));
  await sessions.open({ q: String(count) });
}

async function end(result: Script): Promise<void> {
  answer('/v1/admin/revocations', result);
  console.begin(endAllOf(ben, { sessions: 2, connections: 2, more: false, ids: [] }, false));
  console.doing.value!.reason.value = 'stolen';
  await console.doing.value!.go();
}

async function look(state: string): Promise<void> {
  answer('/v1/admin/nodes', () => ({ items: [node(state)] }));
  answer('/v1/admin/stats', () => ({ points: 0, series: [] }));
  await overview.look();
}

async function verify(findings: string[]): Promise<void> {
  answer('/v1/admin/audit/verify', () => span(findings));
  await check.run();
}

function askedForPassword(): never {
  throw new Refused('step_up_required', 403);
}

const scenes: [string, () => unknown][] = [
  ['everything serves', () => look('serving')],
  ['a node is fenced', () => look('fenced')],
  ['it is fenced still', () => look('fenced')],
  ['it serves again', () => look('serving')],
  ['to the sessions', () => console.go('sessions')],
  ['a person is looked for', () => list(2)],
  ['letters are typed in a burst', () => Promise.all([list(5), list(1)])],
  ['there are more than a page', () => list(100, 'c')],
  ['more are read by scrolling', () => sessions.pager.more()],
  ['another filter of the same page', () => console.filter({ state: 'all' })],
  ['all sessions of ben are ended', () => end(() => receipt(true))],
  [
    'the server refuses it',
    () =>
      end(() => {
        throw new Refused('role_required', 403);
      }),
  ],
  [
    'the password is asked for, and given up',
    async () => {
      const ending = end(askedForPassword);
      while (!console.stepUp.isAsking.value) await Promise.resolve();
      console.stepUp.giveUp();
      await ending;
    },
  ],
  [
    'the password is given',
    async () => {
      let asked = false;
      const ending = end(() => {
        if (asked) return receipt(true, 1);
        asked = true;
        return askedForPassword();
      });
      while (!console.stepUp.isAsking.value) await Promise.resolve();
      await console.stepUp.give('right');
      await ending;
    },
  ],
  ['to the audit', () => console.go('audit')],
  [
    'records are found',
    () => {
      answer('/v1/admin/audit', () => rows(3));
      return audit.open({ event: 'user_created' });
    },
  ],
  ['it is followed', () => audit.follow()],
  ['it is held', () => audit.hold()],
  ['the chain is whole', () => verify([])],
  ['the chain is not whole', () => verify(['chain n1: record 7 (user_created) was altered'])],
  ['to the keys', () => console.go('keys')],
  [
    'the key is rotated',
    async () => {
      answer('/v1/admin/keys/rotate', () => ({ key, receipt: receipt(true, 0) }));
      console.begin(rotateKey());
      console.doing.value!.reason.value = 'age';
      await console.doing.value!.go();
    },
  ],
  [
    'the key is withdrawn',
    async () => {
      answer('/v1/admin/revocations', () => receipt(true, 0));
      console.begin(withdrawKey(key, 12));
      console.doing.value!.reason.value = 'stolen';
      await console.doing.value!.go();
    },
  ],
  [
    'drills are run',
    async () => {
      await drills.open();
      await drills.start(undefined, 1);
    },
  ],
];

test('a screen reader says what the golden file says', async () => {
  const lines: string[] = [];
  for (const [scene, act] of scenes) {
    await act();
    clock.advance(SETTLED_MS);
    lines.push(`# ${scene}`, ...heard.splice(0).map((text) => `  ${text}`));
  }
  const transcript = `${lines.join('\n')}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(GOLDEN, transcript);
  expect(transcript).toBe(readFileSync(GOLDEN, 'utf8'));
});
