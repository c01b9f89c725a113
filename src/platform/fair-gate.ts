/**
 * At most `running` pieces of work at once, and `perKey` of one key; keys that wait take turns, so
 * that one with a thousand pieces is in nobody's way. Work that waited for `patienceMs`, or comes
 * when the line is full, is refused with 503 `overloaded`.
 */
import { DomainError } from './errors.js';

interface Lane {
  active: number;
  readonly line: (() => void)[];
}

interface Bounds {
  readonly running: number;
  readonly perKey: number;
  /** Of one key. */
  readonly waiting: number;
  readonly patienceMs: number;
}

export class FairGate {
  private active = 0;
  /** In the order of their turns; there while something of it runs or waits. */
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly bounds: Bounds) {}

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    let lane = this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, (lane = { active: 0, line: [] }));
    if (this.active < this.bounds.running && lane.active < this.bounds.perKey) this.take(lane);
    else await this.turnOf(lane);
    try {
      return await work();
    } finally {
      this.active -= 1;
      lane.active -= 1;
      this.lanes.delete(key);
      if (lane.active > 0 || lane.line.length > 0) this.lanes.set(key, lane);
      this.next();
    }
  }

  private turnOf({ line }: Lane): Promise<void> {
    if (line.length >= this.bounds.waiting)
      throw new DomainError('overloaded', { detail: 'too many of one caller wait' });
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        line.splice(line.indexOf(enter), 1);
        reject(new DomainError('overloaded', { detail: 'waited too long for its turn' }));
      }, this.bounds.patienceMs);
      line.push(enter);
    });
  }

  /** The place is taken before the one who waits knows of it. */
  private next(): void {
    for (const [key, lane] of this.lanes) {
      if (this.active >= this.bounds.running) return;
      if (lane.line.length === 0 || lane.active >= this.bounds.perKey) continue;
      this.take(lane);
      this.lanes.delete(key);
      this.lanes.set(key, lane);
      return lane.line.shift()!();
    }
  }

  private take(lane: Lane): void {
    this.active += 1;
    lane.active += 1;
  }
}
