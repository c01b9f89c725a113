/** A receipt that fills in node by node, and what is said when it does not. */
import { describe, expect, test } from '@jest/globals';
import { Doing, type Deed } from '../../../../web/model/console/deed.js';
import { ReceiptRun, type RunClock } from '../../../../web/model/console/receipt-run.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const nodes = () => [
  { id: 'node-a', name: 'a' },
  { id: 'node-b', name: 'b' },
];
const receipt = (confirmed: string[], effective: boolean, rest = {}) => ({
  id: 'r-1',
  effective,
  state: effective ? 'effective' : 'pending',
  sessions: 1,
  connections_closed: confirmed.length,
  nodes: confirmed.map((id) => ({ id, state: 'confirmed', ms: 3 })),
  ms: 9,
  ...rest,
});

/** Time passes only where the run waits. */
class SteppedClock implements RunClock {
  ms = 0;
  now = () => this.ms;
  pause = (ms: number) => {
    this.ms += ms;
    return Promise.resolve();
  };
}

const refuses = () => Promise.resolve(false);

const end = {
  method: 'POST',
  path: '/v1/admin/revocations',
  body: { user: 'u' },
  receipt: true,
} as const;

describe('the run of a change', () => {
  test('shows the commit, each node as its answer comes, and then the receipt', async () => {
    const answers = [
      receipt(['node-a'], false),
      receipt(['node-a'], false),
      receipt(['node-a', 'node-b'], true),
    ];
    const waits: (string | null)[] = [];
    const caller: ScriptedCaller = new ScriptedCaller((path) => {
      if (path.startsWith('/v1/admin/revocations')) return receipt([], false, { committed_ms: 4 });
      waits.push(run.waitsFor.value);
      return answers.shift();
    });
    const run = new ReceiptRun(caller, nodes, refuses, new SteppedClock());
    await run.run([end]);
    expect(run.state.value).toBe('effective');
    expect(run.steps.value.map(({ ms, text, tone }) => [ms, text, tone])).toEqual([
      [0, 'POST /v1/admin/revocations', 'plain'],
      [0, 'committed in Postgres', 'plain'],
      [10, 'node a confirmed', 'plain'],
      [70, 'node b confirmed', 'plain'],
      [70, 'receipt: effective', 'good'],
    ]);
    expect(waits).toEqual(['node a, node b', 'node b', 'node b']);
    expect(caller.calls[0]!.path).toBe('/v1/admin/revocations?wait=false');
    expect(run.waitsFor.value).toBeNull();
  });

  test('says pending, and never effective, when a node stays away for a minute', async () => {
    const run = new ReceiptRun(
      new ScriptedCaller(() => receipt(['node-a'], false)),
      nodes,
      refuses,
      new SteppedClock(),
    );
    await run.run([end]);
    expect(run.state.value).toBe('pending');
    expect(run.steps.value.at(-1)).toMatchObject({ text: 'receipt: pending', tone: 'warn' });
  });

  test('goes on asking through a moment without an answer', async () => {
    let asked = 0;
    const run = new ReceiptRun(
      new ScriptedCaller((path) => {
        if (!path.startsWith('/v1/receipts')) return receipt([], false);
        asked += 1;
        if (asked === 1) throw new Refused('network', 0);
        return receipt(['node-a', 'node-b'], true);
      }),
      nodes,
      refuses,
      new SteppedClock(),
    );
    await run.run([end]);
    expect([asked, run.state.value]).toEqual([2, 'effective']);
  });

  test('ends with the first refusal, in words, and makes no further call', async () => {
    const caller = new ScriptedCaller(() => {
      throw new Refused('role_required', 403);
    });
    const run = new ReceiptRun(caller, nodes, refuses, new SteppedClock());
    await run.run([end, end]);
    expect([run.state.value, caller.calls.length]).toEqual(['refused', 1]);
    expect(run.steps.value.at(-1)).toMatchObject({
      text: 'refused: not for your role',
      tone: 'bad',
    });
  });

  test('is sent again with the password where the server asks for it, and its time begins anew', async () => {
    const clock = new SteppedClock();
    let given = false;
    const caller = new ScriptedCaller((path) => {
      if (!given) throw new Refused('step_up_required', 403);
      return path.startsWith('/v1/receipts') ? null : receipt(['node-a', 'node-b'], true);
    });
    const waits: (string | null)[] = [];
    const run: ReceiptRun = new ReceiptRun(
      caller,
      nodes,
      async () => {
        waits.push(run.waitsFor.value);
        await clock.pause(8_000);
        return (given = true);
      },
      clock,
    );
    await run.run([end]);
    expect([run.state.value, waits]).toEqual(['effective', ['your password']]);
    expect(run.steps.value.map(({ ms, text }) => [ms, text])).toEqual([
      [0, 'POST /v1/admin/revocations'],
      [0, 'sent again, with the password'],
      [0, 'node a confirmed'],
      [0, 'node b confirmed'],
      [0, 'receipt: effective'],
    ]);
  });

  test('changes nothing when its person gives the password up', async () => {
    const caller = new ScriptedCaller(() => {
      throw new Refused('step_up_required', 403);
    });
    const run = new ReceiptRun(caller, nodes, refuses, new SteppedClock());
    await run.run([end, end]);
    expect([run.state.value, caller.calls.length]).toEqual(['refused', 1]);
    expect(run.steps.value.at(-1)).toMatchObject({
      text: 'refused: not without your password',
      note: 'The server asks for it again, and nothing was changed.',
    });
  });

  test('needs no receipt for what takes no rights away', async () => {
    const run = new ReceiptRun(
      new ScriptedCaller(() => ({ id: 't' })),
      nodes,
      refuses,
      new SteppedClock(),
    );
    await run.run([{ method: 'POST', path: '/v1/admin/tenants', body: {} }]);
    expect(run.state.value).toBe('done');
  });
});

describe('a deed', () => {
  const deed: Deed = {
    title: 'End it',
    effects: ['1 session ends.'],
    undo: null,
    button: 'End',
    reason: 'required',
    destructive: true,
    asks: (reason) => [{ ...end, body: { user: 'u', reason } }],
    cli: (reason) => [`npx wardroom revoke --reason ${reason}`],
  };

  test('is not begun without a reason, and is done once', async () => {
    const caller = new ScriptedCaller(() => receipt(['node-a', 'node-b'], true));
    const doing = new Doing(
      deed,
      new ReceiptRun(caller, nodes, refuses, new SteppedClock()),
      'https://x',
    );
    expect([await doing.go(), doing.missing.value, caller.calls.length]).toEqual([
      false,
      'Give a reason: it is kept in the audit.',
      0,
    ]);
    doing.reason.value = '  left the company  ';
    expect(await doing.go()).toBe(true);
    expect(await doing.go()).toBe(false);
    expect(caller.calls).toEqual([
      {
        method: 'POST',
        path: '/v1/admin/revocations?wait=false',
        body: { user: 'u', reason: 'left the company' },
      },
    ]);
    expect(doing.curl).toContain("'https://x/v1/admin/revocations'");
  });
});
