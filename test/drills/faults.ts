/** One broken rule for each drill, and the step at which it must be found. */
import { randomUUID } from 'node:crypto';
import type { Answer, Call, Fault, Frame, Link } from './faulty-proxy.js';

export interface Seeded {
  readonly drill: string;
  /** The wrong that the server does. */
  readonly name: string;
  /** The first step that fails. */
  readonly step: string;
  readonly fault: () => Fault;
}

const isPublish = ({ method, path }: Call) => method === 'POST' && path.endsWith('/messages');

/** A message that comes through REST is also sent to links that should not get it. */
async function tellToo(
  call: Call,
  forward: () => Promise<Answer>,
  links: readonly Link[],
  mark: string,
): Promise<Answer> {
  const answer = await forward();
  if (!isPublish(call) || answer.status >= 300) return answer;
  const { seq, message_id } = JSON.parse(answer.text) as Frame;
  const room = call.path.split('/')[3];
  const frame = { type: 'message', room, seq, message_id, body: 'leaked', op_id: randomUUID() };
  for (const link of links) if (link.marks.has(mark)) link.tell(frame);
  return answer;
}

/** Marks links whose token has expired. */
function noteExpiry(frame: Frame, link: Link): void {
  if (frame['type'] === 'auth_expired') link.marks.add('expired');
  if (frame['type'] === 'auth_ok') link.marks.delete('expired');
}

const accepted = ({ id, room, op_id }: Frame): Frame => ({
  type: 'ack',
  id,
  room,
  op_id,
  message_id: randomUUID(),
  seq: 1,
  at: new Date().toISOString(),
  duplicate: false,
});

const expiryOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).exp * 1000;

export const SEEDED: readonly Seeded[] = [
  {
    drill: 'D1',
    name: 'delivers after the end of a token',
    step: 'D1.stop',
    fault: () => ({
      rest: (call, forward, links) => tellToo(call, forward, links, 'expired'),
      down: (frame, link) => (noteExpiry(frame, link), [frame]),
    }),
  },
  {
    drill: 'D2',
    name: 'accepts a publish after the end of a token',
    step: 'D2.stop.act',
    fault: () => {
      const asked = new Map<string, Frame>();
      return {
        up: (frame) => (frame['type'] === 'publish' && asked.set(frame['id'], frame), [frame]),
        down: (frame) =>
          frame['code'] === 'token_expired' && asked.has(frame['id'])
            ? [accepted(asked.get(frame['id'])!)]
            : [frame],
      };
    },
  },
  {
    drill: 'D3',
    name: 'swallows the close after a logout',
    step: 'D3.notify',
    fault: () => ({
      down: (frame) => (frame['type'] === 'goodbye' ? [] : [frame]),
      closes: () => false,
    }),
  },
  {
    drill: 'D4',
    name: 'delivers to a member who was removed',
    step: 'D4.member.stop',
    fault: () => ({
      rest: (call, forward, links) => tellToo(call, forward, links, 'removed'),
      down: (frame, link) => {
        if (frame['type'] === 'unsubscribed') link.marks.add('removed');
        return [frame];
      },
    }),
  },
  {
    drill: 'D5',
    name: 'lets a client go on whose token has ended, because it cannot refresh',
    step: 'D5.stop',
    fault: () => ({
      down: (frame, link) => (noteExpiry(frame, link), [frame]),
      up: (frame, link) => {
        if (frame['type'] !== 'publish' || !link.marks.has('expired')) return [frame];
        link.tell(accepted(frame));
        return [];
      },
    }),
  },
  {
    drill: 'D6',
    name: 'takes an expired token, as if the clock of the client counted',
    step: 'D6.stop',
    fault: () => {
      let good: string;
      return {
        rest: async (call, forward) => {
          const answer = await forward();
          if (call.path === '/v1/auth/refresh' && answer.status === 200)
            good = (JSON.parse(answer.text) as Frame)['access_token'];
          return answer;
        },
        up: (frame) =>
          frame['type'] === 'auth' && expiryOf(frame['token']) < Date.now()
            ? [{ ...frame, token: good }]
            : [frame],
      };
    },
  },
  {
    drill: 'D7',
    name: 'accepts a replayed refresh token',
    step: 'D7.detect',
    fault: () => {
      const answered = new Map<string, Answer>();
      return {
        rest: async (call, forward) => {
          if (call.path !== '/v1/auth/refresh') return forward();
          const answer = answered.get(call.text) ?? (await forward());
          answered.set(call.text, answer);
          return answer;
        },
      };
    },
  },
  {
    drill: 'D8',
    name: 'keeps a connection whose session was revoked while it was authenticated',
    step: 'D8.stop',
    fault: () => ({
      rest: (call, forward, links) => tellToo(call, forward, links, 'ended'),
      down: (frame, link) => {
        if (frame['type'] !== 'goodbye') return [frame];
        link.marks.add('ended');
        return [];
      },
      closes: () => false,
    }),
  },
  {
    drill: 'D9',
    name: 'delivers an op_id twice',
    step: 'D9.effect.heard',
    fault: () => ({ down: (frame) => (frame['type'] === 'message' ? [frame, frame] : [frame]) }),
  },
  {
    drill: 'D10',
    name: 'replays old events under a position of another past',
    step: 'D10.stop.reset',
    fault: () => ({
      down: (frame) =>
        frame['reset'] === true
          ? [frame, { type: 'message', room: frame['room'], seq: 3, op_id: 'old', body: 'old' }]
          : [frame],
    }),
  },
  {
    drill: 'D11',
    name: 'keeps everything for a reader that does not read',
    step: 'D11.detect',
    // A proxy that does nothing reads for its client.
    fault: () => ({}),
  },
  {
    drill: 'D12',
    name: 'repeats a credential in the answer that refuses it',
    step: 'D12.effect',
    fault: () => ({
      rest: async (call, forward) => {
        const answer = await forward();
        const { authorization } = call.headers;
        if (answer.status === 401 && authorization !== undefined)
          answer.headers['x-refused'] = authorization;
        return answer;
      },
    }),
  },
];
