/** Search in all messages that the person may read now. */
import { signal } from '@preact/signals';
import type { FoundMessage, WardroomClient } from '@wardroom/client';
import { troubleOf } from '../../trouble.js';
import { textOf } from '../layout.js';

export interface Hit {
  readonly id: string;
  readonly room: string;
  readonly seq: number;
  readonly sender: string;
  readonly at: string;
  /** The text in parts; those that were looked for are marked. */
  readonly parts: readonly { readonly text: string; readonly isFound: boolean }[];
}
const AROUND = 120;

export class MessageSearch {
  readonly query = signal('');
  readonly room = signal<string | null>(null);
  readonly hits = signal<readonly Hit[] | null>(null);
  readonly hasMore = signal(false);
  readonly isBusy = signal(false);
  readonly refused = signal<string | null>(null);
  #cursor: string | null = null;
  #round = 0;

  constructor(private readonly client: Pick<WardroomClient, 'api'>) {}

  async run(more = false): Promise<void> {
    const q = this.query.value.trim();
    const round = (this.#round += 1);
    if (q === '') return;
    this.isBusy.value = true;
    this.refused.value = null;
    const room = this.room.value;
    try {
      const page = await this.client.api.messages.search({
        q,
        ...(room !== null && { room }),
        ...(more && this.#cursor !== null && { cursor: this.#cursor }),
      });
      if (round !== this.#round) return;
      const before = more ? (this.hits.value ?? []) : [];
      this.hits.value = [...before, ...page.items.map(toHit)];
      this.#cursor = page.next_cursor;
      this.hasMore.value = page.next_cursor !== null;
    } catch (thrown) {
      if (round === this.#round) this.refused.value = troubleOf(thrown).code;
    } finally {
      if (round === this.#round) this.isBusy.value = false;
    }
  }
}

function toHit({ message, ranges }: FoundMessage): Hit {
  const { message_id: id, room, seq, sender, at, body } = message;
  return { id, room, seq, sender, at, parts: cut(textOf(body), ranges) };
}

/** The text around the first words found; the ends that are left out are dots. */
export function cut(text: string, ranges: FoundMessage['ranges']): Hit['parts'] {
  const from = Math.max(0, (ranges[0]?.from ?? 0) - AROUND / 2);
  const to = Math.min(text.length, from + 2 * AROUND);
  const parts: { text: string; isFound: boolean }[] = [];
  let at = from;
  const push = (end: number, isFound: boolean) => {
    if (end > at) parts.push({ text: text.slice(at, end), isFound });
    at = Math.max(at, end);
  };
  if (from > 0) parts.push({ text: '… ', isFound: false });
  for (const range of ranges.filter((each) => each.to <= to)) {
    push(range.from, false);
    push(range.to, true);
  }
  push(to, false);
  if (to < text.length) parts.push({ text: ' …', isFound: false });
  return parts;
}
