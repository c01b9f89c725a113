/**
 * REST calls begin a few in each turn of the event loop. Networks take turns, and within a network
 * credentials do: hundreds of calls that come at once, from one address or from many, do not make
 * the turn long in which somebody else's frame waits, and one user of an office does not keep the
 * others waiting. Turns come before anything of a call is read, so credentials are as they were
 * sent; clients that make some up take places of their own network only. A call that waits holds
 * its head and no body. A node with little to do lets every call begin at once.
 */
import { DomainError } from '../errors.js';

/** Calls that begin in a turn; each is about a millisecond of work until it is answered. */
export const CALLS_OF_A_TURN = 2;
/** Calls of one network that wait; more than it may have connections come only by pipelining. */
export const CALLS_WAITING_MAX = 512;

type Begin = (refusal?: DomainError) => void;

/** Calls of one network that wait, by credential. */
interface Line {
  waiting: number;
  readonly calls: Map<string, Begin[]>;
}

export class CallTurns {
  private readonly lines = new Map<string, Line>();
  private left = CALLS_OF_A_TURN;
  private scheduled = false;

  /** `begin` is called once: now, later, or at once with a refusal. */
  enter(network: string, credential: string, begin: Begin): void {
    this.schedule();
    if (this.left > 0 && this.lines.size === 0) {
      this.left -= 1;
      return begin();
    }
    let line = this.lines.get(network);
    if (line === undefined) this.lines.set(network, (line = { waiting: 0, calls: new Map() }));
    if (line.waiting >= CALLS_WAITING_MAX)
      return begin(new DomainError('overloaded', { detail: 'too many calls of one network wait' }));
    const calls = line.calls.get(credential);
    if (calls === undefined) line.calls.set(credential, [begin]);
    else calls.push(begin);
    line.waiting += 1;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.scheduled = false;
    this.left = CALLS_OF_A_TURN;
    while (this.left > 0 && this.lines.size > 0) {
      this.left -= 1;
      this.next()();
    }
    if (this.left < CALLS_OF_A_TURN) this.schedule();
  }

  /** A network, and its credential, go to the end of the line while more of theirs waits. */
  private next(): Begin {
    const [network, line] = first(this.lines);
    const [credential, calls] = first(line.calls);
    const begin = calls.shift()!;
    line.waiting -= 1;
    line.calls.delete(credential);
    if (calls.length > 0) line.calls.set(credential, calls);
    this.lines.delete(network);
    if (line.waiting > 0) this.lines.set(network, line);
    return begin;
  }
}

const first = <K, V>(map: Map<K, V>): [K, V] => map.entries().next().value!;
