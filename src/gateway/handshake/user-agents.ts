/** User agents of connections: one string for all that send the same one. */
import { detached } from '../../platform/text.js';

const LENGTH_MAX = 256;
/** Beyond that it starts over: a crowd of invented ones is not kept. */
const SHARED_MAX = 1_000;

export class UserAgents {
  private readonly shared = new Map<string, string>();

  of(header: string | undefined): string | null {
    if (header === undefined) return null;
    const known = this.shared.get(header);
    if (known !== undefined) return known;
    const userAgent = detached(header.slice(0, LENGTH_MAX));
    if (this.shared.size >= SHARED_MAX) this.shared.clear();
    // A long one is not kept whole, not even as a key.
    this.shared.set(userAgent, userAgent);
    return userAgent;
  }
}
