/**
 * The lease: this node's proof that it has applied the authority log to its head. It is extended
 * only by a round that reached the head, to the moment the round *began* plus B, on the monotonic
 * clock. Whatever keeps rounds from succeeding (partition, pause, lost Postgres, a node too slow to
 * apply) ends the same way: no lease, fenced.
 */
import { Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK_JUMP_MS, monotonicMs, wallGapMs, wallStrays } from '../platform/clock.js';
import { Config } from '../platform/config/config.js';
import { DomainError } from '../platform/errors.js';
import { Metrics } from '../platform/metrics.js';
import { AuthorityState } from './authority-state.js';
import { AuthorityStream } from './authority-stream.js';
import { Clocks } from './clocks.js';
import type { LoggedEvent, NumberedEvent } from './events.js';
import { requireNewestPast } from './evidence.js';
import { HistoryReplacement } from './history-replacement.js';
import { NodeRegistry } from './node-registry.js';
import type { RoundAnswer } from './node-registry.js';

const CATCH_UP_CHUNK = 1_000;
const EVENTS_KEPT = 64;
/** In one round; a database that goes on changing has to wait for the next. */
const START_OVER_MAX = 3;
/**
 * Nobody looked at the lease for this long: the process stood still, and what it has buffered is
 * older than it looks.
 */
const STALL_MS = 250;
/** How long a frame or call waits for a proof before it is refused. */
const PROVE_WITHIN_MS = 300;
const PRUNE_EVERY_MS = 60_000;

@Injectable()
export class Lease implements BeforeApplicationShutdown {
  private readonly logger = new Logger(Lease.name);
  /** B of this node. Others may have been given another. */
  readonly boundMs: number;
  private readonly intervalMs: number;
  private leaseUntilMs = 0;
  private wasFenced = true;
  /** Events that arrived by the stream ahead of their turn. */
  private readonly early = new Map<number, LoggedEvent>();
  private closed: Record<string, number> = {};
  /** Hashes of the latest events, by number. */
  private readonly applied = new Map<number, string>();
  private running: Promise<void> | null = null;
  private again = false;
  private lookedMs = monotonicMs();
  /**
   * The lease was found missing since it was last extended: what was held back meanwhile has to be
   * told.
   */
  private lapsed = true;
  private lapsedSinceMs = monotonicMs();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  /** Development only. */
  private roundsFromMs = 0;
  private lastPruneMs = monotonicMs();
  private readonly onChange: ((fenced: boolean) => void)[] = [];
  private readonly onProof: (() => void)[] = [];
  private readonly onSleep: ((sleptMs: number) => void)[] = [];
  private readonly onAnotherHistory: (() => Promise<void>)[] = [];
  /** The history was replaced, and not everything was judged again since. */
  private unjudged = false;

  constructor(
    config: Config,
    private readonly registry: NodeRegistry,
    private readonly state: AuthorityState,
    private readonly stream: AuthorityStream,
    private readonly replacement: HistoryReplacement,
    private readonly clocks: Clocks,
    private readonly metrics: Metrics,
  ) {
    this.boundMs = config.authorityLeaseMs;
    this.intervalMs = Math.min(400, this.boundMs / 5);
  }

  /**
   * Compared before every frame, fan-out and REST action. A wall clock that strays from the
   * monotonic one was set, is wrong, or the machine slept: that ends the lease, and the next round
   * tells (clocks.ts).
   */
  get fenced(): boolean {
    return this.look(monotonicMs());
  }

  /** The same for who has just read the monotonic clock. */
  look(nowMs: number): boolean {
    if (wallStrays(nowMs)) this.leaseUntilMs = 0;
    return this.fencedAt(nowMs);
  }

  /**
   * The same without the wall clock: before each socket write. Whoever looks and finds the lease
   * proves that the process runs, so a turn of the event loop that is long because much arrived is
   * not a stall.
   */
  fencedAt(nowMs: number): boolean {
    if (nowMs < this.leaseUntilMs && nowMs - this.lookedMs <= STALL_MS) {
      this.lookedMs = nowMs;
      return false;
    }
    if (!this.lapsed) this.lapsedSinceMs = nowMs;
    this.lapsed = true;
    return true;
  }

  /**
   * From the timing wheel, and where a slice of socket writes begins. Looks at both clocks, and
   * asks for a new proof after a stall. Monotonic ms.
   */
  beat(): number {
    const nowMs = monotonicMs();
    if (this.noticeStall(nowMs)) void this.round();
    else if (this.look(nowMs) && nowMs - this.lapsedSinceMs > PROVE_WITHIN_MS) this.tellFence();
    return nowMs;
  }

  private noticeStall(nowMs: number): boolean {
    const lateMs = nowMs - this.lookedMs;
    this.lookedMs = nowMs;
    if (lateMs <= STALL_MS || this.timer === null) return false;
    this.logger.warn({
      msg: 'the process stood still, proving authority again',
      late_ms: Math.round(lateMs),
    });
    this.leaseUntilMs = 0;
    return this.fencedAt(nowMs);
  }

  /** How long the node has been without a lease, or 0. */
  get fencedForMs(): number {
    return this.fenced ? monotonicMs() - this.lapsedSinceMs : 0;
  }

  /**
   * Waits a moment for a proof: a frame that was buffered while the process stood still is late,
   * not wrong.
   */
  async prove(): Promise<void> {
    if (!this.fenced) return;
    let timer: NodeJS.Timeout | undefined;
    // An answer that has arrived by then is read before anybody is refused: timers come first in a
    // turn of the event loop.
    const late = new Promise<void>(
      (resolve) => (timer = setTimeout(() => setImmediate(resolve), PROVE_WITHIN_MS)),
    );
    await Promise.race([this.round(), late]);
    clearTimeout(timer);
    this.requireLease();
  }

  requireLease(fenced = this.fenced): void {
    if (fenced) throw new DomainError('auth_unavailable', { retryAfterMs: this.intervalMs * 2 });
  }

  /**
   * Called when the node becomes fenced or unfenced; the former at the latest 350 ms after the
   * lease ran out.
   */
  onFence(listener: (fenced: boolean) => void): void {
    this.onChange.push(listener);
  }

  /** Called when the lease is back after anything may have been held back for lack of it. */
  onProven(listener: () => void): void {
    this.onProof.push(listener);
  }

  /**
   * Called when the machine slept, before anything is proven again: the monotonic clock stood still
   * while tokens grew older.
   */
  onSlept(listener: (sleptMs: number) => void): void {
    this.onSleep.push(listener);
  }

  /**
   * What must be judged again by the database as it is now, after its history was replaced and
   * before anybody is served.
   */
  onHistoryReplaced(judge: () => Promise<void>): void {
    this.onAnotherHistory.push(judge);
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
    this.timer = setInterval(() => void this.round(), this.intervalMs);
    if (this.fenced) throw new Error('the authority log could not be read to its head at start');
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
      if (this.unjudged) await this.judgeAgain();
      if (this.reached(answer) && this.isSteady(gapMs)) this.extend(beganMs + this.boundMs);
    } catch (error) {
      this.logger.warn({ msg: 'authority round failed', error: (error as Error).message });
    } finally {
      this.tellFence();
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

  private extend(untilMs: number): void {
    this.leaseUntilMs = Math.max(this.leaseUntilMs, untilMs);
    this.stream.keepPosition(this.state.at);
    if (!this.lapsed || this.fenced) return;
    this.lapsed = false;
    for (const listener of this.onProof) listener();
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
    this.leaseUntilMs = 0;
    this.tellFence();
    if (verdict === 'behind')
      this.logger.warn({ msg: 'behind the authority log, reloading the snapshot' });
    else {
      this.unjudged = true;
      await this.replacement.write(this.state.at, verdict, this.state.endedFacts);
      this.closed = {};
      this.applied.clear();
    }
    const snapshot = await this.registry.register();
    this.early.clear();
    this.state.reload(snapshot);
  }

  private async judgeAgain(): Promise<void> {
    await Promise.all(this.onAnotherHistory.map((judge) => judge()));
    this.unjudged = false;
  }

  /**
   * A round across which the clocks parted may be older than the monotonic clock says: it proves
   * nothing, the next one may.
   */
  private isSteady(gapMs: number): boolean {
    if (Math.abs(wallGapMs() - gapMs) <= CLOCK_JUMP_MS) return true;
    this.leaseUntilMs = 0;
    this.again = true;
    return false;
  }

  private noticeSleep(sleptMs: number): void {
    if (sleptMs === 0) return;
    this.leaseUntilMs = 0;
    for (const listener of this.onSleep) listener(sleptMs);
  }

  private tellFence(): void {
    const fenced = this.fenced;
    if (fenced === this.wasFenced) return;
    this.wasFenced = fenced;
    this.metrics.authorityFenced.set(fenced ? 1 : 0);
    this.logger.log({
      msg: fenced ? 'fenced: authority cannot be proven' : 'authority is proven',
      position: this.state.position,
    });
    for (const listener of this.onChange) listener(fenced);
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
    this.leaseUntilMs = 0;
    await this.registry.leave().catch(() => undefined);
  }
}

function remember(hashes: Map<number, string>, n: number, hash: string): void {
  hashes.set(n, hash);
  if (hashes.size > EVENTS_KEPT) hashes.delete(hashes.keys().next().value!);
}
