/** The messages of a room as rows: days, the line where new ones begin, and runs of one sender. */
import type { TimelineMessage } from '@wardroom/client';

/** The body of a message of the chat; others may send any JSON. */
export type Body = unknown;
export type Message = TimelineMessage<Body>;

export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly at: Date }
  | { readonly kind: 'new'; readonly key: string; readonly at: Date }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: Message;
      /** By the sender of the message above, shortly after it. */
      readonly isContinued: boolean;
      readonly replies: number;
    };

const RUN_MS = 5 * 60_000;
const dayOf = (at: Date): string => `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;

/** `newAfter`: messages whose `n` is greater are new to the reader; null: none is. */
export function layOut(messages: readonly Message[], newAfter: number | null): Row[] {
  const replies = countReplies(messages);
  const rows: Row[] = [];
  let before: Message | undefined;
  let isMarked = newAfter === null;
  for (const message of messages) {
    const at = new Date(message.at);
    const isNewDay = before === undefined || dayOf(new Date(before.at)) !== dayOf(at);
    if (isNewDay) rows.push({ kind: 'day', key: `day:${dayOf(at)}`, at });
    const isNew = !isMarked && !message.mine && message.n !== undefined && message.n > newAfter!;
    if (isNew) {
      isMarked = true;
      // Above the very first message everything is new: a line would part nothing.
      if (newAfter! > 0) rows.push({ kind: 'new', key: 'new', at });
    }
    rows.push({
      kind: 'message',
      key: message.key,
      message,
      isContinued: !isNewDay && !isNew && isRun(before!, message),
      replies: (message.id !== undefined && replies.get(message.id)) || 0,
    });
    before = message;
  }
  return rows;
}

/** Rows that say the same stay the same objects, so that nothing draws them again. */
export function reuse(before: readonly Row[], rows: readonly Row[]): Row[] {
  const known = new Map(before.map((row) => [row.key, row]));
  return rows.map((row) => {
    const old = known.get(row.key);
    return old !== undefined && isSame(old, row) ? old : row;
  });
}

function isSame(a: Row, b: Row): boolean {
  if (a.kind !== 'message' || b.kind !== 'message')
    return 'at' in a && 'at' in b && a.at.getTime() === b.at.getTime();
  return a.message === b.message && a.isContinued === b.isContinued && a.replies === b.replies;
}

function isRun(before: Message, message: Message): boolean {
  const gap = new Date(message.at).getTime() - new Date(before.at).getTime();
  return before.sender === message.sender && gap < RUN_MS && message.replyTo === null;
}

function countReplies(messages: readonly Message[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { replyTo, deletedAt } of messages)
    if (replyTo !== null && deletedAt === null) counts.set(replyTo, (counts.get(replyTo) ?? 0) + 1);
  return counts;
}

/** The text of a body as the chat writes it; of anything else its JSON. */
export function textOf(body: Body): string {
  if (typeof body === 'string') return body;
  const text = (body as { text?: unknown } | null)?.text;
  return typeof text === 'string' ? text : JSON.stringify(body);
}
