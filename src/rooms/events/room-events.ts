/**
 * Publish, edit, delete, react: decided by the policy, committed with the facts of that decision,
 * decided again when the facts turn out to have moved (`stale`). Answers after the commit; what is
 * new is handed to the fan-out.
 */
import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { ServerFrames } from '@wardroom/protocol';
import { Database } from '../../platform/stores/database.js';
import { DomainError } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { Policy } from '../../policy/policy.js';
import type { Allow, RoomAction } from '../../policy/decide-room.js';
import type { Principal } from '../../sessions/principal.js';
import { canonicalJson, isCanonical } from './commit/canonical-json.js';
import { CommitRoomEvents } from './commit/commit-room-events.js';
import type { RoomEventInput, RoomEventOutcome } from './commit/commit-room-events.js';
import { requireKind } from './require-kind.js';
import { requireReferences, storedMentions } from './references.js';
import { textOf } from './text-of.js';
import { toRoomEvent } from './room-event.js';
import type { RoomEvent } from './room-event.js';

export interface PublishInput {
  op_id: string;
  body: unknown;
  kind?: string | undefined;
  reply_to?: string | undefined;
  /** Users of the room, or everybody in it. */
  mentions?: string[] | 'room' | undefined;
}
export interface EditInput {
  message_id: string;
  body: unknown;
  op_id?: string | undefined;
}
export interface ReactInput {
  message_id: string;
  emoji: string;
  on: boolean;
}

type Content = Pick<
  RoomEventInput,
  | 'type'
  | 'message_id'
  | 'op_id'
  | 'fingerprint'
  | 'value_fingerprint'
  | 'kind'
  | 'body'
  | 'emoji'
  | 'on'
  | 'reply_to'
  | 'mentions'
  | 'words'
>;
type Ack = ServerFrames['ack'];
/** Fields of an `ack` that are always there for this kind of change. */
type AckWith<K extends keyof Ack> = { [P in K]-?: Exclude<Ack[P], undefined> };
export type PublishAck = AckWith<'room' | 'op_id' | 'message_id' | 'seq' | 'at' | 'duplicate'>;
export type ChangeAck = AckWith<'room' | 'message_id' | 'seq'>;

const STALE_RETRIES = 5;
const DEFAULT_KIND = 'text';
const PINS_MAX = 50;

@Injectable()
export class RoomEvents {
  private readonly listeners: ((event: RoomEvent) => void)[] = [];

  constructor(
    private readonly policy: Policy,
    private readonly commit: CommitRoomEvents,
    private readonly database: Database,
  ) {}

  /** Called once per new event, after its commit, in seq order per room. */
  onCommitted(listener: (event: RoomEvent) => void): void {
    this.listeners.push(listener);
  }

  /** `granted`: the guard's answer, when one asked already. */
  async publish(
    principal: Principal,
    room: string,
    input: PublishInput,
    granted?: Allow,
  ): Promise<PublishAck> {
    const kind = input.kind ?? DEFAULT_KIND;
    const body = JSON.stringify(input.body);
    const { reply_to = null } = input;
    const mentions = storedMentions(input.mentions);
    const about = ['message', kind];
    if (reply_to !== null) about.push(`reply ${reply_to}`);
    if (mentions !== null) about.push(`mentions ${mentions.join()}`);
    const digest = fingerprints(about, input.body, body);
    const content = {
      type: 'message',
      message_id: newId(),
      op_id: input.op_id,
      fingerprint: digest.text,
      value_fingerprint: digest.value,
      kind,
      body,
      emoji: null,
      on: null,
      reply_to,
      mentions,
      words: textOf(input.body),
    } as const;
    const done = await this.effect(principal, room, 'publish', undefined, content, granted);
    return {
      room: done.room,
      op_id: input.op_id,
      message_id: done.message_id,
      seq: done.seq,
      at: done.at.toISOString(),
      duplicate: done.outcome === 'duplicate',
    };
  }

  async edit(
    principal: Principal,
    room: string,
    input: EditInput,
    granted?: Allow,
  ): Promise<ChangeAck> {
    const body = JSON.stringify(input.body);
    const digest = fingerprints(['edit', input.message_id], input.body, body);
    // Without an op_id a lost connection could apply the edit twice; our own makes the retry
    // recognisable.
    const content = {
      type: 'message_edited',
      message_id: input.message_id,
      op_id: input.op_id ?? newId(),
      fingerprint: digest.text,
      value_fingerprint: digest.value,
      kind: null,
      body,
      emoji: null,
      on: null,
      reply_to: null,
      mentions: null,
      words: textOf(input.body),
    } as const;
    return changeAck(
      await this.effect(principal, room, 'edit', input.message_id, content, granted),
    );
  }

  async delete(
    principal: Principal,
    room: string,
    input: { message_id: string },
    granted?: Allow,
  ): Promise<ChangeAck> {
    const content = changeOf('message_deleted', input.message_id);
    return changeAck(
      await this.effect(principal, room, 'delete', input.message_id, content, granted),
    );
  }

  async react(
    principal: Principal,
    room: string,
    input: ReactInput,
    granted?: Allow,
  ): Promise<ChangeAck> {
    const content = changeOf('reaction', input.message_id, input.on, input.emoji);
    return changeAck(await this.effect(principal, room, 'react', undefined, content, granted));
  }

  /** Moderators and up. At most `PINS_MAX` in a room, give or take those pinned at once. */
  async pin(
    principal: Principal,
    room: string,
    input: { message_id: string; on: boolean },
  ): Promise<ChangeAck> {
    const granted = await this.policy.authorize(principal, room, 'pin');
    if (input.on) await this.requireRoomForPin(granted.room.id);
    const content = changeOf('pinned', input.message_id, input.on);
    return changeAck(await this.effect(principal, room, 'pin', undefined, content, granted));
  }

  private async requireRoomForPin(roomId: string): Promise<void> {
    const [row] = await this.database.hot<{ pins: number }>(
      'count_pins',
      'SELECT count(*)::int AS pins FROM pins WHERE room_id = $1',
      [roomId],
    );
    if (row!.pins >= PINS_MAX)
      throw new DomainError('quota_exceeded', { detail: 'pins of a room' });
  }

  /**
   * The author a policy decision about a message needs; refused like a message that is not there.
   */
  async authorOf(principal: Principal, room: string, messageId: string): Promise<string> {
    const readable = await this.policy.authorize(principal, room, 'read');
    const rows = await this.database.hot<{ sender: string }>(
      'message_author',
      `SELECT sender FROM room_events WHERE message_id = $1 AND type = 'message' AND room_id = $2`,
      [messageId, readable.room.id],
    );
    if (rows[0] === undefined)
      throw new DomainError('not_found', { detail: 'no such message in the room' });
    return rows[0].sender;
  }

  private async effect(
    principal: Principal,
    room: string,
    action: RoomAction,
    about: string | undefined,
    content: Content,
    granted: Allow | undefined,
  ): Promise<RoomEventOutcome & { room: string }> {
    const target =
      about === undefined || granted !== undefined
        ? undefined
        : { author: await this.authorOf(principal, room, about) };
    let grant = granted ?? (await this.policy.authorize(principal, room, action, target));
    for (let attempt = 0; attempt < STALE_RETRIES; attempt += 1) {
      // Not a spread first: new properties after it make V8 build a hidden class for every object
      // (3 KB a publish, in old space).
      const input = {
        room: grant.room.id,
        sender: principal.userId,
        session: principal.sessionId,
        until:
          principal.tokenEndsAtMs === undefined
            ? null
            : new Date(principal.tokenEndsAtMs).toISOString(),
        user_version: grant.facts.user.version,
        epoch: grant.room.epoch,
        ...content,
      };
      if (input.type === 'message') requireKind(input.kind!, grant);
      if (input.reply_to !== null || input.mentions !== null)
        await requireReferences(this.database, grant, input);
      const outcome = await this.commit.submit(input);
      if (outcome.outcome !== 'stale')
        return { room: input.room, ...this.evaluate(outcome, input) };
      const author =
        about === undefined ? undefined : { author: await this.authorOf(principal, room, about) };
      grant = await this.policy.authorizeFromDatabase(principal, room, action, author);
    }
    throw new DomainError('overloaded', {
      detail: 'the room changes faster than its facts can be read',
    });
  }

  private evaluate(outcome: RoomEventOutcome, input: RoomEventInput): RoomEventOutcome {
    switch (outcome.outcome) {
      case 'new':
        this.announce(outcome, input);
        return outcome;
      case 'duplicate':
        return outcome;
      case 'conflict':
        throw new DomainError('op_conflict');
      case 'gone':
        throw new DomainError('not_found', { detail: 'room or message is gone' });
      case 'stale':
        throw new DomainError('internal', { detail: 'stale outcome was not retried' });
      default:
        throw new DomainError(outcome.outcome, {
          detail: 'session or token ended before the commit',
        });
    }
  }

  private announce({ seq, epoch, at, prev, n }: RoomEventOutcome, input: RoomEventInput): void {
    const { room, type, message_id, sender, op_id, kind, body, emoji, on } = input;
    const { reply_to, mentions } = input;
    const event = toRoomEvent(
      {
        room_id: room,
        seq,
        type,
        message_id,
        sender,
        op_id,
        kind,
        body,
        emoji,
        reaction_on: on,
        epoch,
        at,
        n,
        reply_to,
        mentions,
      },
      prev,
    );
    for (const listener of this.listeners) listener(event);
  }
}

/** A change of a message that has no body and no op_id of its own. */
const changeOf = (
  type: 'message_deleted' | 'reaction' | 'pinned',
  message_id: string,
  on: boolean | null = null,
  emoji: string | null = null,
): Content => ({
  type,
  message_id,
  op_id: null,
  fingerprint: null,
  value_fingerprint: null,
  kind: null,
  body: null,
  emoji,
  on,
  reply_to: null,
  mentions: null,
  words: null,
});

const changeAck = ({ room, message_id, seq }: RoomEventOutcome & { room: string }): ChangeAck => ({
  room,
  message_id,
  seq,
});

/**
 * Of the text, as nodes of the version before compare it, and of the value where that differs: the
 * same op_id with the members of its body in another order is the same publish.
 */
function fingerprints(
  about: string[],
  value: unknown,
  text: string,
): { text: string; value: string | null } {
  return {
    text: fingerprint([...about, text]),
    value: isCanonical(value) ? null : fingerprint([...about, canonicalJson(value)]),
  };
}

function fingerprint(parts: string[]): string {
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(''), 'hex').slice(0, 32);
}
