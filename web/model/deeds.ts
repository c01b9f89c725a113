/**
 * The deeds of the page against ada and ben, each one click. A deed draws itself in a run of its
 * own.
 */
import type { Call } from './calls.js';
import type { TryNode } from './nodes.js';
import type { Person } from './person.js';
import type { Run } from './sequence.js';
import type { Stage } from './stage.js';

export interface Deed {
  id: string;
  label: string;
  /** The effect to look for. */
  hint: string;
  group: 'Sign out' | 'Rights' | 'Trouble';
  run(stage: Stage, hint: string): Promise<void>;
}

const MUTE_MS = 60_000;
const FREEZE_MS = 12_000;
const LOST_MS = 10_000;
const SHORT_TOKEN_SECONDS = 10;
const CLOCK_AHEAD_MS = 600_000;

/** For the nodes at hand: with two of them the second can be frozen while the first answers. */
export function deedsFor(stage: Stage): Deed[] {
  const { ada, ben, nodes } = stage;
  const frozen = nodes.at(-1)!;
  const room = nodes[0]!.room;
  const asAdmin = (rest: Omit<Call, 'as'>): Call => ({ as: 'admin', ...rest });
  return [
    {
      id: 'logout',
      group: 'Sign out',
      label: 'Log out ada, tab 1',
      hint: 'Her second tab closes too, on whichever node it is.',
      run: drawn('Log out ada in tab 1', () => ({
        as: ada,
        method: 'POST',
        path: '/v1/auth/logout',
      })),
    },
    {
      id: 'logout-all',
      group: 'Sign out',
      label: 'Log out ada everywhere',
      hint: 'All her sessions end, also those of other pages like this.',
      run: drawn('Log out ada everywhere', () => ({
        as: ada,
        method: 'POST',
        path: '/v1/auth/logout',
        body: { scope: 'all' },
      })),
    },
    {
      id: 'revoke',
      group: 'Sign out',
      label: 'Revoke ben’s session',
      hint: 'An operator ends it, with a reason for the audit.',
      run: drawn('Revoke ben’s session from outside', () => ({
        as: 'operator',
        method: 'POST',
        path: '/v1/admin/revocations',
        body: { session: ben.sessionId, reason: 'tried out' },
      })),
    },
    {
      id: 'key',
      group: 'Sign out',
      label: 'Withdraw signing key',
      hint: 'Everybody renews with a new key. Nobody signs in again.',
      run: async (stage, hint) => {
        const kid = await stage.calls.signingKey();
        await drawn('Withdraw the signing key', () => ({
          as: 'operator',
          method: 'POST',
          path: '/v1/admin/revocations',
          body: { key: kid, reason: 'tried out' },
        }))(stage, hint);
      },
    },
    {
      id: 'remove',
      group: 'Rights',
      label: `Remove ben from ${room}`,
      hint: 'His connection stays, the room does not.',
      run: drawn(`Remove ben from ${room}`, () =>
        asAdmin({ method: 'DELETE', path: `/v1/rooms/${room}/members/${ben.userId}` }),
      ),
    },
    {
      id: 'mute',
      group: 'Rights',
      label: 'Mute ben 1 min',
      hint: 'He still reads, and may not write.',
      run: drawn('Mute ben for a minute', () =>
        asAdmin({
          method: 'PATCH',
          path: `/v1/rooms/${room}/members/${ben.userId}`,
          body: { muted_until: new Date(Date.now() + MUTE_MS).toISOString() },
        }),
      ),
    },
    {
      id: 'suspend',
      group: 'Rights',
      label: 'Suspend ben',
      hint: 'His sessions end, and he cannot sign in.',
      run: drawn('Suspend ben', () =>
        asAdmin({
          method: 'PATCH',
          path: `/v1/admin/users/${ben.userId}`,
          body: { state: 'suspended' },
        }),
      ),
    },
    {
      id: 'restore',
      group: 'Rights',
      label: 'Put ben back',
      hint: 'Active, a member, not muted, signed in.',
      run: async (stage, hint) => {
        const run = stage.begin('Put ben back', hint);
        await stage.calls.draw(
          run,
          asAdmin({
            method: 'PATCH',
            path: `/v1/admin/users/${ben.userId}`,
            body: { state: 'active' },
          }),
          (id) => stage.nodeName(id),
        );
        await stage.calls.restoreBen();
        await ben.signIn();
        run.end(ben.refused.value === null ? 'done' : 'refused');
      },
    },
    {
      id: 'expire',
      group: 'Trouble',
      label: 'Expire ben’s token',
      hint: `It lives ${SHORT_TOKEN_SECONDS} s and is not renewed: warning, expiry, grace, close.`,
      run: (stage, hint) => letExpire(stage, ben, hint),
    },
    {
      id: 'freeze',
      group: 'Trouble',
      label: `Freeze node ${frozen.name} ${FREEZE_MS / 1000} s`,
      hint: `After ${frozen.leaseMs / 1000} s it pauses by itself. Do something to ben meanwhile.`,
      run: (stage, hint) => freeze(stage, frozen, hint),
    },
    {
      id: 'network',
      group: 'Trouble',
      label: `Cut ben’s network ${LOST_MS / 1000} s`,
      hint: 'Write as ada meanwhile: he gets it all, in order.',
      run: (stage, hint) => loseNetwork(stage, ben, hint),
    },
    {
      id: 'clock',
      group: 'Trouble',
      label: 'Skew ada’s clock',
      hint: 'Nothing happens: times in frames are relative.',
      run: (stage, hint) => {
        const ahead = ada.clockAheadMs.value === 0;
        const run = stage.begin(
          ahead ? 'Set ada’s clock 10 min ahead' : 'Set ada’s clock right',
          hint,
        );
        ada.clockAheadMs.value = ahead ? CLOCK_AHEAD_MS : 0;
        run.add({
          ms: 0,
          text: `ada’s device: ${ahead ? '10 minutes ahead' : 'right again'}`,
          note: 'her tabs stay connected',
          tone: 'plain',
        });
        run.end('done');
        return Promise.resolve();
      },
    },
  ];
}

/** A deed that is one call. */
function drawn(title: string, call: () => Call): Deed['run'] {
  return async (stage, hint) => {
    const run = stage.begin(title, hint);
    const accepted = await stage.calls.draw(run, call(), (id) => stage.nodeName(id));
    run.end(accepted ? 'done' : 'refused');
  };
}

/** A short life for the tenant while ben renews, then back: the present token stays short. */
async function letExpire(stage: Stage, person: Person, hint: string): Promise<void> {
  const run = stage.begin(`Let ${person.name}’s token expire`, hint);
  const tenant = {
    as: 'operator',
    method: 'PATCH',
    path: `/v1/admin/tenants/${stage.calls.node.tenant}`,
  } as const;
  try {
    const shortened = await stage.calls.draw(
      run,
      { ...tenant, body: { access_ttl_seconds: SHORT_TOKEN_SECONDS } },
      (id) => stage.nodeName(id),
    );
    if (!shortened) return run.end('refused');
    try {
      await person.renew();
    } finally {
      await stage.calls.send({ ...tenant, body: { access_ttl_seconds: null } });
    }
    await person.openTabs();
    person.renewalBlocked.value = true;
    run.add({
      ms: since(run),
      text: `${person.name} holds a token of ${SHORT_TOKEN_SECONDS} s`,
      note: 'this page now keeps it from being renewed',
      tone: 'plain',
    });
    run.end('done');
  } catch {
    run.add({
      ms: since(run),
      text: `${person.name} could not renew`,
      note: 'sign in first',
      tone: 'bad',
    });
    run.end('failed');
  }
}

async function freeze(stage: Stage, node: TryNode, hint: string): Promise<void> {
  const run = stage.begin(`Freeze node ${node.name} for ${FREEZE_MS / 1000} s`, hint);
  const url = `${node.internalUrl ?? ''}/try/freeze?ms=${FREEZE_MS}`;
  run.add({ ms: 0, text: `POST ${url}`, note: 'a call of development nodes only', tone: 'plain' });
  run.addCurl(`curl -s -X POST '${url}'`);
  const answer =
    node.internalUrl === null
      ? null
      : await fetch(url, { method: 'POST', credentials: 'omit' }).catch(() => null);
  if (answer?.ok !== true) {
    run.add({
      ms: since(run),
      text: 'the node was not frozen',
      note: 'its internal listener could not be reached',
      tone: 'bad',
    });
    return run.end('failed');
  }
  run.add({
    ms: since(run),
    text: `node ${node.name} makes no rounds`,
    note: `its lease runs out within ${node.leaseMs / 1000} s`,
    tone: 'warn',
  });
  run.end('done');
}

async function loseNetwork(stage: Stage, person: Person, hint: string): Promise<void> {
  const tab = person.tabs[0]!;
  const run = stage.begin(`Cut ${person.name}’s network in ${tab.name}`, hint);
  tab.loseNetwork();
  run.add({
    ms: 0,
    text: `${person.name} ${tab.name}: nothing comes in or goes out`,
    note: 'the loss is made in this page',
    tone: 'warn',
  });
  run.wait(`the network comes back after ${LOST_MS / 1000} s`);
  await new Promise((resolve) => setTimeout(resolve, LOST_MS));
  tab.restoreNetwork();
  run.add({
    ms: since(run),
    text: `${person.name} ${tab.name}: the network is back`,
    note: 'the old connection is gone, a new one takes up where it ended',
    tone: 'plain',
  });
  run.end('done');
}

const since = (run: Run): number => Math.round(performance.now() - run.startedMs);
