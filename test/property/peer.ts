/**
 * A connection of the interleavings: many questions at a time, and for each room what was heard,
 * when.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Received } from './judge.js';

const EVENTS = new Set(['message', 'message_edited', 'message_deleted', 'reaction']);
const PATIENCE_MS = 15_000;

/** A node that stands still refuses for a moment: try again. */
export async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 30) throw error;
      await sleep(100);
    }
  }
}

export class Peer {
  private readonly heard = new Map<string, Received[]>();
  private readonly asked = new Map<string, (answer: any) => void>();
  private count = 0;
  over = false;

  private constructor(
    readonly name: string,
    readonly user: string,
    readonly session: string,
    private readonly ws: WebSocket,
  ) {
    ws.on('message', (data) => this.hear(JSON.parse(String(data))));
    ws.on('error', () => undefined);
    ws.on('close', () => {
      this.over = true;
      for (const answer of this.asked.values()) answer({ type: 'error', code: 'closed' });
    });
  }

  static open(
    name: string,
    url: string,
    signedIn: { id: string; session: string; token: string },
  ): Promise<Peer> {
    return eventually(() => Peer.once(name, url, signedIn));
  }

  private static async once(
    name: string,
    url: string,
    { id, session, token }: { id: string; session: string; token: string },
  ): Promise<Peer> {
    const ws = new WebSocket(url, ['wardroom.v1'], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    const peer = new Peer(name, id, session, ws);
    await new Promise<void>((resolve, reject) => {
      peer.asked.set('auth_ok', () => resolve());
      ws.once('error', reject);
      ws.once('close', () => reject(new Error(`${name} was closed`)));
    });
    return peer;
  }

  /**
   * The answer, an `error` frame, or one of our own when none came in time or the connection is
   * over.
   */
  ask(frame: Record<string, unknown>): Promise<any> {
    if (this.over) return Promise.resolve({ type: 'error', code: 'closed' });
    const id = `a${(this.count += 1)}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer({ type: 'error', code: 'no_answer' }), PATIENCE_MS);
      const answer = (value: unknown) => {
        clearTimeout(timer);
        this.asked.delete(id);
        resolve(value);
      };
      this.asked.set(id, answer);
      this.ws.send(JSON.stringify({ ...frame, id }));
    });
  }

  heardIn(room: string): Received[] {
    return this.heard.get(room) ?? [];
  }

  forget(room: string): void {
    this.heard.delete(room);
  }

  close(): void {
    this.ws.close(1000);
  }

  private hear(frame: any): void {
    const atMs = Date.now();
    if (frame.type === 'auth_ok') this.asked.get('auth_ok')?.(frame);
    else if (EVENTS.has(frame.type)) this.note(frame.room, { what: 'event', seq: frame.seq, atMs });
    else if (frame.type === 'signal')
      this.note(frame.room, { what: 'signal', id: frame.body.id, atMs });
    else if (frame.type === 'subscribed')
      this.note(frame.room, { what: 'subscribed', seq: frame.seq - frame.replayed, atMs });
    if (frame.id !== undefined) this.asked.get(frame.id)?.(frame);
  }

  private note(room: string, received: Received): void {
    const list = this.heard.get(room);
    if (list === undefined) this.heard.set(room, [received]);
    else list.push(received);
  }
}
