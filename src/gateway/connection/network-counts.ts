/** How many there are of each client network. */
import { networkOf } from '../../platform/http/client-address.js';

export class NetworkCounts {
  private readonly counts = new Map<string, number>();

  of(address: string): number {
    return this.counts.get(networkOf(address)) ?? 0;
  }

  add(address: string): void {
    const network = networkOf(address);
    this.counts.set(network, (this.counts.get(network) ?? 0) + 1);
  }

  remove(address: string): void {
    const network = networkOf(address);
    const left = (this.counts.get(network) ?? 0) - 1;
    if (left > 0) this.counts.set(network, left);
    else this.counts.delete(network);
  }
}
