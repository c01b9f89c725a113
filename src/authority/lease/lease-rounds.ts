/**
 * The rounds that extend the lease. A round asks the database for the head of the log, applies what
 * is missing and extends the lease to the moment the round *began* plus B, on the monotonic clock.
 * Everything that keeps rounds from succeeding (partition, pause, lost Postgres, a node too slow to
 * apply) ends in the same way: no lease, fenced.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK_JUMP_MS, monotonicMs, wallGapMs } from '../../platform/clock.js';
import { Metrics } from '../../platform/metrics.js';
import { AuthorityState } from '../authority-state.js';
import { AuthorityStream } from '../authority-stream.js';
import { Clocks } from '../clocks.js';
import type { LoggedEvent, NumberedEvent } from '../events.js';
import { requireNewestPast } from '../evidence.js';
import { HistoryReplacement } from '../history-replacement.js';
import { Lease, PROVE_WITHIN_MS } from './lease.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import type { RoundAnswer } from '../nodes/node-registry.js';

const CATCH_UP_CHUNK = 1_000;
const EVENTS_KEPT = 64;
/** In one round; a database that goes on changing has to wait for the next. */
const START_OVER_MAX = 3;
const PRUNE_EVERY_MS = 60_000;

@Injectable()
export class LeaseRounds implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LeaseRounds.name);
  /** Events that arrived by the stream ahead of their turn. */
  private readonly early = new Map<number, LoggedEvent>();
  private closed: Record<string, number> = {};
  /** Hashes of the latest events, by number. */
  private readonly applied = new Map<number, string>();
  private running: Promise<void> | null = null;
  private again = false;
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  /** Development only. */
  private roundsFromMs = 0;
  private sincePreviousMs = 0;
  /** False: nobody is connected, and rounds may be rarer. */
  isServing: () => boolean = () => true;
  private lastPruneMs = monotonicMs();
  private readonly onSleep: ((sleptMs: number) => void)[] = [];
  private readonly rechecks: (() => Promise<void>)[] = [];
  /** The history was replaced, and not everything was checked again since. */
  private unchecked = false;

  constructor(
    private readonly lease: Lease,
    private readonly registry: NodeRegistry,
    private readonly state: AuthorityState,
    private readonly stream: AuthorityStream,
    private readonly replacement: HistoryReplacement,
    private readonly clocks: Clocks,
    private readonly metrics: Metrics,
  ) {
    lease.onFence((fenced) =>
      this.logger.log({
        msg: fenced ? 'fenced: authority cannot be proven' : 'authority is proven',
        position: this.state.position,
      }),
    );
  }

  /**
   * From the timing wheel, and where a slice of socket writes begins: asks for a new proof after a
   * stall, and announces a lease that stays missing. Answers the monotonic time, in ms.
   */
  beat(): number {
    const nowMs = monotonicMs();
    if (this.noticeStall(nowMs)) void this.round();
    else this.lease.announceFence(PROVE_WITHIN_MS);
    return nowMs;
  }

  private noticeStall(nowMs: number): boolean {
    const lateMs = this.lease.endAfterStall(nowMs);
    if (lateMs === 0 || this.timer === null) return false;
    this.logger.warn({
      msg: 'the process stood still, proving authority again',
      late_ms: Math.round(lateMs),
    });
    return true;
  }

  /**
   * Waits a moment for a proof: a frame that was buffered while the process stood still is late,
   * not wrong.
   */
  async prove(): Promise<void> {
    if (!this.lease.isFenced()) return;
    let timer: NodeJS.Timeout | undefined;
    // An answer that has arrived by then is read before anybody is refused: timers come first in a
    // turn of the event loop.
    const late = new Promise<void>(
      (resolve) => (timer = setTimeout(() => setImmediate(resolve), PROVE_WITHIN_MS)),
    );
    await Promise.race([this.round(), late]);
    clearTimeout(timer);
    this.lease.require();
  }

  /**
   * Called when the machine slept, before anything is proven again: the monotonic clock stood still
   * while tokens grew older.
   */
  onSlept(listener: (sleptMs: number) => void): void {
    this.onSleep.push(listener);
  }

  /** Checks what this node holds against the replaced database, before anybody is served. */
  recheckAfterReplacement(recheck: () => Promise<void>): void {
    this.rechecks.push(recheck);
  }

  /**
   * Registers, follows the stream and answers after the first lease. Throws where the database
   * lacks what was committed before.
   */
  async start(onConfirmation: Parameters<AuthorityStream['follow']>[1]): Promise<void> {
    const kept = await this.stream.keptPosition();
    if (kept !== null) requireNewestPast(kept, await this.registry.foundAt(kept.at.n));
    this.state.load(await this.registry.register());
    this.stream.follow((events) => this.receive(events), onConfirmation);
    await this.round();
    this.timer = setInterval(() => this.roundIfDue(), this.lease.intervalMs);
    if (this.lease.isFenced())
      throw new Error('the authority log could not be read to its head at start');
  }

  private roundIfDue(): void {
    this.sincePreviousMs += this.lease.intervalMs;
    const isIdle = !this.isServing() && !this.lease.isFenced();
    if (isIdle && this.sincePreviousMs < this.lease.idleIntervalMs) return;
    this.sincePreviousMs = 0;
    void this.round();
  }

  /**
   * For the try-out page: no rounds and no news for so long, as if both stores had fallen silent.
   * The lease then runs out by itself.
   */
  stopRoundsFor(ms: number): void {
    this.roundsFromMs = monotonicMs() + ms;
  }

  /** Runs a round now; concurrent calls share one more round after the present one. */
  round(): Promise<void> {
    if (this.stopped || monotonicMs() < this.roundsFromMs) return Promise.resolve();
    if (this.running !== null) {
      this.again = true;
      return this.running;
    }
    this.running = this.rounds().finally(() => (this.running = null));
    return this.running;
  }

  private async rounds(): Promise<void> {
    do {
      this.again = false;
      await this.oneRound();
    } while (this.again && !this.stopped);
  }

  private async oneRound(): Promise<void> {
    const beganMs = monotonicMs();
    const gapMs = wallGapMs();
    this.noticeStall(beganMs);
    try {
      const answer = await this.askDatabase();
      if (answer === null) return;
      if (!this.isSteady(gapMs)) return;
      this.noticeSleep(this.clocks.compare(answer.clock));
      if (this.state.position < answer.head && !(await this.catchUp(answer.head))) return;
      if (this.unchecked) await this.recheckAll();
      if (this.reached(answer) && this.isSteady(gapMs)) {
        this.lease.extend(beganMs + this.lease.boundMs);
        this.stream.keepPosition(this.state.at);
      }
    } catch (error) {
      this.logger.warn({ msg: 'authority round failed', error: (error as Error).message });
    } finally {
      this.lease.announceFence(0);
      this.metrics.authorityRoundSeconds.observe((monotonicMs() - beganMs) / 1000);
    }
    this.housekeep();
  }

  /**
   * The very event that is the head in the answer is applied. While the question was on its way the
   * stream may have brought a lost one with the same number.
   */
  private reached({ head, headHash }: RoundAnswer): boolean {
    const { n, hash } = this.state.at;
    return (n === head ? hash : this.applied.get(head)) === headHash;
  }

  /**
   * One round of questions; null when the database went on to contradict what this node had just
   * read there.
   */
  private async askDatabase(): Promise<RoundAnswer | null> {
    for (let tries = 0; tries < START_OVER_MAX; tries += 1) {
      const answer = await this.registry.round(this.state.at, this.closed);
      if (answer.verdict === 'same') return answer;
      await this.startOver(answer.verdict);
    }
    this.again = true;
    return null;
  }

  /**
   * Reads what is missing from Postgres; what the stream brought meanwhile is taken first. False:
   * it does not follow on.
   */
  private async catchUp(head: number): Promise<boolean> {
    this.applyEarly();
    while (this.state.position < head) {
      const events = await this.registry.eventsAfter(this.state.position, CATCH_UP_CHUNK);
      for (const event of events) this.early.set(event.n, event);
      const before = this.state.position;
      this.applyEarly();
      if (this.state.position === before) break;
    }
    const { verdict } = await this.registry.round(this.state.at, this.closed);
    if (verdict !== 'same') this.again = true;
    return verdict === 'same' && this.state.position >= head;
  }

  /**
   * From the Redis stream: in order at once, ahead of order kept, additions of rights applied as
   * they come.
   */
  private receive(events: NumberedEvent[]): void {
    if (monotonicMs() < this.roundsFromMs) return;
    for (const numbered of events) {
      if (numbered.n === null) this.state.apply(numbered.event, null);
      else if (numbered.n > this.state.position) this.early.set(numbered.n, numbered);
      // Known already, or the same number was given again.
      else if (this.applied.get(numbered.n) !== numbered.hash) void this.round();
    }
    if (this.early.size > 0) {
      this.applyEarly();
      void this.round();
    }
  }

  private applyEarly(): void {
    const from = this.state.position;
    for (let next = this.next(); next !== null; next = this.next()) {
      this.early.delete(next.n);
      this.rememberClosed(next.n, this.state.apply(next.event, next));
      remember(this.applied, next.n, next.hash);
    }
    for (const n of this.early.keys()) if (n <= this.state.position) this.early.delete(n);
    if (this.state.position === from) return;
    this.metrics.authorityPosition.set(this.state.position);
    const hashes = [...this.applied].flatMap(([n, hash]) => (n > from ? [hash] : []));
    void this.stream.confirm({ at: this.state.at, hashes, closed: this.closed });
  }

  /**
   * The event that follows on in this very history; what does not is thrown away, and the next
   * round tells.
   */
  private next(): LoggedEvent | null {
    const next = this.early.get(this.state.position + 1);
    if (next === undefined) return null;
    if (next.prev === this.state.at.hash && next.event.kind !== 'history.replaced') return next;
    this.early.clear();
    return null;
  }

  private rememberClosed(n: number, count: number): void {
    if (count === 0) return;
    this.closed[n] = count;
    const numbers = Object.keys(this.closed);
    if (numbers.length > EVENTS_KEPT) delete this.closed[numbers[0]!];
  }

  /**
   * A new incarnation from a new snapshot; nobody is served meanwhile. Behind the pruned log, or
   * the history was replaced: then it is named anew, and everything derived from the lost one is
   * dropped and judged again.
   */
  private async startOver(verdict: Exclude<RoundAnswer['verdict'], 'same'>): Promise<void> {
    this.lease.end();
    this.lease.announceFence(0);
    if (verdict === 'behind')
      this.logger.warn({ msg: 'behind the authority log, reloading the snapshot' });
    else {
      this.unchecked = true;
      await this.replacement.write(this.state.at, verdict, this.state.endedFacts);
      this.closed = {};
      this.applied.clear();
    }
    const snapshot = await this.registry.register();
    this.early.clear();
    this.state.reload(snapshot);
  }

  private async recheckAll(): Promise<void> {
    await Promise.all(this.rechecks.map((recheck) => recheck()));
    this.unchecked = false;
  }

  /**
   * A round across which the clocks parted may be older than the monotonic clock says: it proves
   * nothing, the next one may.
   */
  private isSteady(gapMs: number): boolean {
    if (Math.abs(wallGapMs() - gapMs) <= CLOCK_JUMP_MS) return true;
    this.lease.end();
    this.again = true;
    return false;
  }

  private noticeSleep(sleptMs: number): void {
    if (sleptMs === 0) return;
    this.lease.end();
    for (const listener of this.onSleep) listener(sleptMs);
  }

  private housekeep(): void {
    if (monotonicMs() - this.lastPruneMs < PRUNE_EVERY_MS) return;
    this.lastPruneMs = monotonicMs();
    this.state.prune();
    void this.registry
      .prune()
      .catch((error: Error) => this.logger.warn({ msg: 'pruning failed', error: error.message }));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
    this.lease.end();
    await this.registry.leave().catch(() => undefined);
  }
}

function remember(hashes: Map<number, string>, n: number, hash: string): void {
  hashes.set(n, hash);
  if (hashes.size > EVENTS_KEPT) hashes.delete(hashes.keys().next().value!);
}
