/**
 * A WebSocket client that somebody else wrote, as a test sees it: text in, frames out, a close with
 * its status and reason.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { within } from '../protocol/harness.js';

export interface Opening {
  url: string;
  headers?: Record<string, string>;
  protocols?: string[];
  origin?: string;
}

export interface Close {
  code: number;
  reason: any;
}

export class Peer {
  readonly frames: any[] = [];
  private cursor = 0;
  private wake: (() => void)[] = [];
  readonly closed: Promise<Close>;
  private resolveClosed!: (close: Close) => void;

  constructor(
    readonly send: (text: string) => void,
    readonly stop: () => void,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  receive(text: string): void {
    this.frames.push(JSON.parse(text));
    for (const wake of this.wake.splice(0)) wake();
  }

  end(code: number, reason: string): void {
    this.resolveClosed({ code, reason: reason.startsWith('{') ? JSON.parse(reason) : reason });
  }

  async next(fits: (frame: any) => boolean, what: string): Promise<any> {
    const search = async () => {
      for (;;) {
        for (; this.cursor < this.frames.length; this.cursor += 1)
          if (fits(this.frames[this.cursor])) return this.frames[this.cursor++];
        await new Promise<void>((resolve) => this.wake.push(resolve));
      }
    };
    return within(search(), `${what}; got ${JSON.stringify(this.frames)}`);
  }
}

/**
 * A client program: a line of its input is a frame to send, `read` understands a line of its
 * output.
 */
export function programPeer(
  command: string,
  args: string[],
  read: (line: string, peer: Peer) => void,
): Peer {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const peer = new Peer(
    (text) => void child.stdin.write(`${text}\n`),
    () => void child.kill('SIGKILL'),
  );
  let complaints = '';
  child.stdin.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  createInterface(child.stdout).on('line', (line) => read(line, peer));
  child.once('close', () => peer.end(0, complaints));
  return peer;
}
