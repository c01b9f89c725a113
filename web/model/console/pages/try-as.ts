/**
 * What may a person do in a room, and by which rule? The server answers for each action; then facts
 * can be changed, and the same ladder says here what would be different.
 */
import { computed, signal } from '@preact/signals';
import type { Explanation } from '../../../../src/admin/decisions/decision.schema.js';
import { decideRoom } from '../../../../src/policy/decide-room.js';
import type { RoomAction } from '../../../../src/policy/decide-room.js';
import type { Facts } from '../../../../src/policy/facts.js';
import { get, send, withQuery } from '../rest.js';
import type { Ask, Caller } from '../rest.js';
import { userOf } from '../user-of.js';
import { troubleOf } from '../words.js';
import type { Trouble } from '../words.js';

/** Every action, in words; the compiler misses none. */
const ACTIONS: Readonly<Record<RoomAction, string>> = {
  read: 'read the room and its history',
  subscribe: 'get its events',
  presence: 'see who is here',
  mark_read: 'keep a read mark',
  publish: 'write',
  signal: 'send signals',
  typing: 'show that they type',
  react: 'react',
  edit: 'edit a message of others',
  delete: 'delete a message of others',
  pin: 'pin a message',
  join: 'join',
  accept_invite: 'come in by an invitation',
  leave: 'leave',
  add_member: 'add somebody',
  moderate_member: 'mute or ban a member',
  change_role: 'change roles',
  manage_room: 'change or delete the room',
};
const NAMES = Object.keys(ACTIONS) as RoomAction[];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface Outcome {
  readonly allow: boolean;
  readonly rule: string;
  readonly code: string | null;
}

export interface Row {
  readonly action: RoomAction;
  readonly words: string;
  readonly now: Outcome;
  /** After the changed facts; null: the same as now. */
  readonly changed: Outcome | null;
}

/** The facts that can be changed here. */
export interface Changed {
  readonly role?: string;
  readonly muted?: boolean;
  readonly banned?: boolean;
  readonly active?: boolean;
  readonly visibility?: string;
  readonly posting?: string;
  readonly archived?: boolean;
}

export class TryAs {
  readonly user = signal('');
  readonly room = signal('');
  readonly changed = signal<Changed>({});
  readonly facts = signal<Facts | null>(null);
  readonly trouble = signal<Trouble | null>(null);
  readonly loading = signal(false);
  readonly answers = signal<Readonly<Partial<Record<RoomAction, Explanation>>>>({});
  /** False: this page's ladder is not the server's; nothing can be changed. */
  readonly canChange = signal(false);
  readonly rows = computed(() => {
    const answers = this.answers.value;
    return NAMES.flatMap((action): Row[] => {
      const answer = answers[action];
      if (answer === undefined) return [];
      const now = { allow: answer.allow, rule: answer.rule, code: answer.code };
      return [{ action, words: ACTIONS[action], now, changed: this.#changed(action, now) }];
    });
  });

  constructor(private readonly caller: Caller) {}

  /** `user`: an id, or an e-mail address of somebody who has signed in within 90 days. */
  async ask(user: string, room: string): Promise<void> {
    this.trouble.value = null;
    this.changed.value = {};
    this.answers.value = {};
    this.loading.value = true;
    try {
      const id = UUID.test(user.trim()) ? user.trim() : await userOf(this.caller, user.trim());
      if (!UUID.test(id)) throw new Nobody();
      this.user.value = id;
      this.room.value = room.trim();
      const answers = await Promise.all(NAMES.map((action) => this.#explain(action)));
      const all = Object.fromEntries(NAMES.map((action, i) => [action, answers[i]]));
      const facts = factsOf(all as Record<RoomAction, Explanation>);
      this.facts.value = facts;
      this.canChange.value = NAMES.every((action, i) =>
        isSame(outcomeOf(facts, action), answers[i]!),
      );
      this.answers.value = all;
    } catch (error) {
      this.trouble.value = troubleOf(error);
    } finally {
      this.loading.value = false;
    }
  }

  change(fields: Changed): void {
    this.changed.value = { ...this.changed.value, ...fields };
  }

  get asks(): Ask[] {
    return [get(this.#path('publish'))];
  }

  #explain(action: RoomAction): Promise<Explanation> {
    return send(this.caller, get(this.#path(action)));
  }

  #path(action: RoomAction): string {
    return withQuery('/v1/admin/explain', {
      user: this.user.value,
      room: this.room.value,
      action,
    });
  }

  #changed(action: RoomAction, now: Outcome): Outcome | null {
    const facts = this.facts.value;
    if (facts === null || !this.canChange.value) return null;
    const outcome = outcomeOf(withChanges(facts, this.changed.value), action);
    return isSame(outcome, now) ? null : outcome;
  }
}

class Nobody extends Error {
  readonly code = 'nobody';
  constructor() {
    super('Nobody with this address has signed in within 90 days. Give the id of the user.');
  }
}

const isSame = (a: Outcome, b: Outcome): boolean => a.allow === b.allow && a.rule === b.rule;

function outcomeOf(facts: Facts, action: RoomAction): Outcome {
  const decision = decideRoom('somebody', facts, action);
  return decision.allow
    ? { allow: true, rule: decision.rule, code: null }
    : { allow: false, rule: decision.rule, code: decision.code };
}

/** The server does not show `archived`: a rule that names it does. */
export function factsOf(answers: Record<RoomAction, Explanation>): Facts {
  const { room, member, user } = answers.read.facts;
  const archived = [answers.publish, answers.delete].some(({ rule }) => rule.endsWith('_archived'));
  return {
    room:
      room === null
        ? null
        : {
            id: room.id,
            tenantId: room.tenant_id,
            slug: null,
            visibility: room.visibility,
            posting: room.posting,
            open: room.open,
            archived,
            kinds: {},
            epoch: room.epoch,
            version: room.version,
          },
    member: {
      role: member.role,
      mutedUntilMs: member.muted_until === null ? null : Date.parse(member.muted_until),
      banned: member.banned,
      version: member.version,
    },
    user: { role: user.role, active: user.active, version: user.version },
  };
}

export function withChanges({ room, member, user }: Facts, changed: Changed): Facts {
  const { role, muted, banned, active, visibility, posting, archived } = changed;
  return {
    room:
      room === null
        ? null
        : ({
            ...room,
            ...(visibility !== undefined && { visibility }),
            ...(posting !== undefined && { posting }),
            ...(archived !== undefined && { archived }),
          } as Facts['room']),
    member: {
      ...member,
      ...(role !== undefined && { role: role === '' ? null : role }),
      ...(muted !== undefined && { mutedUntilMs: muted ? Number.MAX_SAFE_INTEGER : null }),
      ...(banned !== undefined && { banned }),
    } as Facts['member'],
    user: { ...user, ...(active !== undefined && { active }) },
  };
}
