import type { WardroomError } from '../errors.js';
import type { PublishOptions } from '../room/room.js';
import type { TimelineMessage } from './timeline-message.js';

export type SendOptions = Omit<PublishOptions, 'opId'>;

interface Sent<B> {
  readonly options: SendOptions;
  readonly message: TimelineMessage<B>;
}

/** One's own messages that the list does not show as stored yet, in the order they were sent. */
export class Outbox<B> {
  readonly #sent = new Map<string, Sent<B>>();

  get messages(): TimelineMessage<B>[] {
    return [...this.#sent.values()].map(({ message }) => message);
  }

  add(opId: string, body: B, options: SendOptions, me: string | undefined, at: string): void {
    const { kind = 'text', replyTo = null, mentions = null } = options;
    const message: TimelineMessage<B> = {
      key: `op:${opId}`,
      id: undefined,
      seq: undefined,
      n: undefined,
      sender: me,
      mine: true,
      kind,
      body,
      at,
      editedAt: null,
      deletedAt: null,
      replyTo,
      mentions,
      reactions: [],
      opId,
      state: 'sending',
      error: undefined,
    };
    this.#sent.set(opId, { options, message });
  }

  find(key: string): Sent<B> | undefined {
    return [...this.#sent.values()].find(({ message }) => message.key === key);
  }

  sending(opId: string): void {
    this.#change(opId, { state: 'sending', error: undefined });
  }
  failed(opId: string, error: WardroomError): void {
    this.#change(opId, { state: 'failed', error });
  }
  /** The server has it; the event that brings it into the list is on its way. */
  stored(opId: string, ack: { message_id: string; seq: number; at: string }): void {
    const { message_id: id, seq, at } = ack;
    this.#change(opId, { state: 'stored', id, seq, at, error: undefined });
  }

  clear(): void {
    this.#sent.clear();
  }
  delete(opId: string): void {
    this.#sent.delete(opId);
  }

  /** Removes those that the list shows already. */
  shownIn(messages: readonly TimelineMessage<B>[]): void {
    if (this.#sent.size === 0) return;
    for (const { mine, opId } of messages) if (mine) this.#sent.delete(opId);
  }

  /** Removes the stored ones that `is` true for. */
  sweep(is: (seq: number) => boolean): void {
    for (const [opId, { message }] of this.#sent)
      if (message.state === 'stored' && is(message.seq!)) this.#sent.delete(opId);
  }

  #change(opId: string, fields: Partial<TimelineMessage<B>>): void {
    const sent = this.#sent.get(opId);
    if (sent) this.#sent.set(opId, { ...sent, message: { ...sent.message, ...fields } });
  }
}
