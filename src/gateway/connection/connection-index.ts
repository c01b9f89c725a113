/**
 * Connections by a key that few of them share: of one user or session. One is the usual case and
 * costs no set.
 */
import type { Connection } from './connection.js';

export class ConnectionIndex {
  private readonly byKey = new Map<string, Connection | Set<Connection>>();

  add(key: string, connection: Connection): void {
    const known = this.byKey.get(key);
    if (known === undefined) this.byKey.set(key, connection);
    else if (known instanceof Set) known.add(connection);
    else this.byKey.set(key, new Set([known, connection]));
  }

  remove(key: string, connection: Connection): void {
    const known = this.byKey.get(key);
    if (known === connection) this.byKey.delete(key);
    else if (known instanceof Set && known.delete(connection) && known.size === 0)
      this.byKey.delete(key);
  }

  of(key: string): Iterable<Connection> {
    const known = this.byKey.get(key);
    if (known === undefined) return [];
    return known instanceof Set ? known : [known];
  }
}
