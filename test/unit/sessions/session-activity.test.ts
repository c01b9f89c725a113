/** Activity is written in batches and never lost to a busy row or an absent store. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Config } from '../../../src/platform/config/config.js';
import type { Database } from '../../../src/platform/stores/database.js';
import type { RedisMessages } from '../../../src/platform/stores/redis/redis-messages.js';
import type { RedisNames } from '../../../src/platform/stores/redis/redis-names.js';
import type { RedisConnections } from '../../../src/platform/stores/redis/redis.js';
import { AuthorityDispatcher } from '../../../src/authority/authority-dispatcher.js';
import { AuthorityState } from '../../../src/authority/authority-state.js';
import { SessionActivity } from '../../../src/sessions/session-activity.js';
import { at } from '../../support/positions.js';

/** Answers each statement with what `written` says of its ids. */
function activityOver(written: (ids: string[]) => string[]) {
  const calls: { name: string; values: unknown[] }[] = [];
  const database = {
    hot: async (name: string, _text: string, values: unknown[]) => {
      calls.push({ name, values });
      return written(values[0] as string[]).map((id) => ({ id, idle_seconds: 60 }));
    },
  };
  const redis = { attempt: async () => undefined };
  const dispatcher = new AuthorityDispatcher();
  const state = new AuthorityState(dispatcher);
  const activity = new SessionActivity(
    { sessionIdleSeconds: 60, refreshOverlapSeconds: 0 } as Config,
    database as unknown as Database,
    redis as unknown as RedisConnections,
    dispatcher,
    {} as RedisNames,
    {} as RedisMessages,
  );
  return { activity, calls, state };
}

beforeAll(() => Logger.overrideLogger(false));

describe('touch', () => {
  test('many signs of life are one write', async () => {
    const { activity, calls } = activityOver((ids) => ids);
    for (let i = 0; i < 100; i += 1) activity.touch(`s${i % 2}`);
    await activity.flush();
    await activity.flush();
    expect(calls).toEqual([{ name: 'sessions_touch', values: [['s0', 's1']] }]);
  });

  test('a row that was busy is written at the next time; one that is gone is forgotten', async () => {
    const { activity, calls } = activityOver(() => []);
    activity.touch('s');
    await activity.flush();
    await activity.flush();
    await activity.flush();
    expect(calls).toHaveLength(2);
  });

  test('a failed write is written later', async () => {
    let away = true;
    const { activity, calls } = activityOver((ids) => {
      if (away) throw new Error('away');
      return ids;
    });
    activity.touch('s');
    await activity.flush();
    away = false;
    await activity.flush();
    await activity.flush();
    expect(calls).toHaveLength(2);
  });
});

describe('tokenAccepted', () => {
  test('is told once per generation, and not for the first', async () => {
    const { activity, calls } = activityOver(() => []);
    for (const generation of [1, 2, 2, 3]) activity.tokenAccepted('s', generation);
    await activity.onModuleDestroy();
    activity.tokenAccepted('s', 3);
    await activity.onModuleDestroy();
    expect(calls.filter(({ name }) => name === 'sessions_accepted')).toEqual([
      { name: 'sessions_accepted', values: [['s'], [3]] },
    ]);
  });

  test('its memory of a session goes with the session', async () => {
    const { activity, calls, state } = activityOver(() => []);
    for (const session of ['ended', 'lives']) activity.tokenAccepted(session, 2);
    await activity.onModuleDestroy();
    state.apply({ kind: 'session.ended', sessions: ['ended'], reason: 'session_revoked' }, at(1));
    for (const session of ['ended', 'lives']) activity.tokenAccepted(session, 2);
    await activity.onModuleDestroy();
    expect(
      calls.filter(({ name }) => name === 'sessions_accepted').map(({ values }) => values[0]),
    ).toEqual([['ended', 'lives'], ['ended']]);
  });
});
