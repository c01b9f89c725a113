/** "Try as" asks the server, then the same ladder; drills go through the session of the console. */
import { describe, expect, test } from '@jest/globals';
import { Unreachable, type Transport } from '../../../../drills/src/index.js';
import {
  asOperator,
  Drills,
  type Library,
  type Run,
} from '../../../../web/model/console/pages/drills.js';
import { TryAs } from '../../../../web/model/console/pages/try-as.js';
import { decideRoom, type RoomAction } from '../../../../src/policy/decide-room.js';
import type { Facts } from '../../../../src/policy/facts.js';
import { Refused, ScriptedCaller } from './scripted-caller.js';

const USER = '01890000-0000-7000-8000-000000000001';
const facts: Facts = {
  room: {
    id: 'room',
    tenantId: 't',
    slug: 'staff',
    visibility: 'private',
    posting: 'members',
    open: true,
    archived: false,
    kinds: {},
    epoch: 3,
    version: 4,
  },
  member: { role: 'viewer', mutedUntilMs: null, banned: false, version: 1 },
  user: { role: 'member', active: true, version: 2 },
};

/** Answers `explain` by the real ladder. */
function server(of: Facts) {
  return new ScriptedCaller((path) => {
    const query = new URL(path, 'http://x').searchParams;
    if (path.startsWith('/v1/admin/sessions'))
      return { items: query.get('q') === 'ben@acme.example' ? [{ user: { id: USER } }] : [] };
    const decision = decideRoom(USER, of, query.get('action') as RoomAction);
    const { room, member, user } = of;
    return {
      allow: decision.allow,
      rule: decision.rule,
      code: decision.allow ? null : decision.code,
      role: member.role,
      can: [],
      facts: {
        room: room === null ? null : { ...room, tenant_id: room.tenantId },
        member: { role: member.role, muted_until: null, banned: member.banned, version: 1 },
        user,
      },
    };
  });
}

describe('Try as', () => {
  const row = (model: TryAs, action: RoomAction) =>
    model.rows.value.find((each) => each.action === action)!;

  test('asks the server for every action, and names the rule', async () => {
    const caller = server(facts);
    const model = new TryAs(caller);
    await model.ask(' ben@acme.example ', 'staff');
    expect(model.rows.value).toHaveLength(18);
    expect(row(model, 'publish')).toMatchObject({
      now: { allow: false, rule: 'write.2_viewer', code: 'read_only' },
      changed: null,
    });
    expect(caller.calls.filter(({ path }) => path.startsWith('/v1/admin/explain'))).toHaveLength(
      18,
    );
  });

  test('says what one changed fact would change, and asks the server nothing for it', async () => {
    const caller = server(facts);
    const model = new TryAs(caller);
    await model.ask(USER, 'staff');
    const asked = caller.calls.length;
    model.change({ role: 'member' });
    expect(row(model, 'publish').changed).toEqual({
      allow: true,
      rule: 'write.4_may_post',
      code: null,
    });
    expect(row(model, 'read').changed).toBeNull();
    model.change({ muted: true });
    expect(row(model, 'publish').changed).toMatchObject({ rule: 'write.1_muted', code: 'muted' });
    model.change({ role: '', visibility: 'public', muted: false });
    expect(row(model, 'publish').changed).toMatchObject({ rule: 'member.2_not_a_member' });
    model.change({ active: false });
    expect(row(model, 'read').changed).toMatchObject({ rule: 'read.2_user_inactive' });
    expect(caller.calls).toHaveLength(asked);
  });

  test('sees by a rule that the room is archived', async () => {
    const model = new TryAs(
      server({
        ...facts,
        room: { ...facts.room!, archived: true },
        member: { ...facts.member, role: 'owner' },
      }),
    );
    await model.ask(USER, 'staff');
    expect(model.facts.value?.room?.archived).toBe(true);
    model.change({ archived: false });
    expect(row(model, 'publish').changed).toMatchObject({ allow: true });
  });

  test('changes nothing where the ladder of the page is not the server’s', async () => {
    const other = new ScriptedCaller((path) => ({
      allow: path.includes('action=read&') || path.endsWith('action=read'),
      rule: 'of_another_version',
      code: null,
      facts: {
        room: null,
        member: { role: null, muted_until: null, banned: false, version: 0 },
        user: { role: 'member', active: true, version: 1 },
      },
    }));
    const model = new TryAs(other);
    await model.ask(USER, 'staff');
    model.change({ role: 'owner' });
    expect(model.canChange.value).toBe(false);
    expect(model.rows.value.every(({ changed }) => changed === null)).toBe(true);
  });

  test('says so when nobody has this address', async () => {
    const model = new TryAs(server(facts));
    await model.ask('who@acme.example', 'staff');
    expect(model.trouble.value?.text).toContain('Give the id of the user');
  });
});

describe('the drills in a page', () => {
  const transport = (): Transport & { asked: string[] } => {
    const asked: string[] = [];
    return {
      asked,
      nodes: ['https://x'],
      fetch: fetch as never,
      socket: undefined as never,
      call: (path) => {
        asked.push(path);
        return Promise.resolve({ status: 200, ok: true, headers: new Headers(), body: null });
      },
      open: () => Promise.reject(new Error('not opened here')),
    };
  };

  test('send the calls of the operator over cookies, and no others', async () => {
    const caller = new ScriptedCaller((path) =>
      path.endsWith('/gone') ? { id: 't', state: 'erasing' } : { id: 't' },
    );
    const plain = transport();
    const wrapped = asOperator(plain, 'mark', caller, { Unreachable });
    expect(
      await wrapped.call('/v1/admin/tenants', { token: 'mark', body: { slug: 's' } }),
    ).toMatchObject({
      status: 200,
      ok: true,
      body: { id: 't' },
    });
    expect(
      (await wrapped.call('/v1/admin/tenants/gone', { method: 'DELETE', token: 'mark' })).status,
    ).toBe(202);
    await wrapped.call('/v1/me', { token: 'of a person' });
    expect(caller.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/admin/tenants',
      'DELETE /v1/admin/tenants/gone',
    ]);
    expect(plain.asked).toEqual(['/v1/me']);
    expect(JSON.stringify(caller.calls)).not.toContain('mark');
  });

  test('take a refusal for an answer, and silence for none', async () => {
    const wrapped = (error: Error) =>
      asOperator(
        transport(),
        'mark',
        new ScriptedCaller(() => {
          throw error;
        }),
        {
          Unreachable,
        },
      ).call('/v1/admin/tenants/t', { token: 'mark' });
    expect(await wrapped(new Refused('not_found', 404))).toMatchObject({
      status: 404,
      ok: false,
      body: { code: 'not_found' },
    });
    await expect(wrapped(new TypeError('failed to fetch'))).rejects.toThrow(Unreachable);
  });

  const drill = (id: string) => ({ id, name: id, steps: { a: { sentence: `${id} holds.` } } });
  const library = (over: Partial<Library> = {}): Library =>
    ({
      DRILLS: [drill('D1'), drill('D2')],
      compareRuns: () => ['D1.a failed, was passed'],
      network: () => ({ ...transport(), heard: {} }),
      runDrills: ({
        drills,
        onDrill,
      }: {
        drills: { id: string }[];
        onDrill: (r: unknown) => void;
      }) => {
        for (const { id } of drills) onDrill({ id, verdict: 'passed', steps: [] });
        return Promise.resolve({ verdict: 'passed', drills: [] } as unknown as Run);
      },
      Unreachable,
      ...over,
    }) as unknown as Library;
  const evidence = (text: string | null) => ({
    text,
    read() {
      return this.text;
    },
    write(next: string) {
      this.text = next;
    },
  });
  const none = new ScriptedCaller(() => ({}));

  test('run those that are chosen, keep the evidence, and compare it with the run before', async () => {
    const kept = evidence(JSON.stringify({ verdict: 'passed', drills: [] }));
    const drills = new Drills(none, 'https://x', kept, () => Promise.resolve(library()));
    await drills.open();
    drills.toggle('D2');
    expect(drills.cli).toBe('npx wardroom drill --url https://x --only D1');
    await drills.start(5_000, 7);
    expect(drills.state.value).toBe('over');
    expect(drills.lines.value.map(({ id, result }) => [id, result?.verdict ?? null])).toEqual([
      ['D1', 'passed'],
      ['D2', null],
    ]);
    expect(drills.differences.value).toEqual(['D1.a failed, was passed']);
    expect(JSON.parse(kept.text!)).toMatchObject({ verdict: 'passed' });
  });

  test('say why they could not run, and may be started again', async () => {
    const drills = new Drills(none, 'https://x', evidence('no JSON'), () =>
      Promise.resolve(
        library({
          runDrills: () =>
            Promise.reject(new Error('The credential is not an operator’s: role_required.')),
        }),
      ),
    );
    await drills.open();
    await drills.start(undefined, 7);
    expect(drills.trouble.value?.text).toContain('not an operator’s');
    expect([drills.state.value, drills.before.value]).toEqual(['ready', null]);
  });
});
