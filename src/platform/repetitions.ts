/**
 * Tells a copy of a message from a message. A sender's numbers grow, with gaps and perhaps a little
 * out of order.
 */

/** Numbers of a sender that are remembered; an older one counts as a copy. */
const WINDOW = 1_024;
const SENDERS_MAX = 64;

export class Repetitions {
  private readonly senders = new Map<string, Float64Array>();

  /** True once for each number. */
  isNew(sender: string, number: number): boolean {
    let seen = this.senders.get(sender);
    if (seen === undefined) {
      if (this.senders.size >= SENDERS_MAX) this.senders.delete(this.senders.keys().next().value!);
      this.senders.set(sender, (seen = new Float64Array(WINDOW)));
    }
    const place = number % WINDOW;
    if (seen[place]! >= number) return false;
    seen[place] = number;
    return true;
  }
}
