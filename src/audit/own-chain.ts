/**
 * The chain that this node writes, and the newest head of it that Postgres has said to be
 * committed. Appends of transactions that are under way, or whose outcome is unknown, do not count:
 * the chain in the database is never shorter than this.
 */
import { genesisHash } from './audit-hash.js';
import type { Head } from './audit-hash.js';

export class OwnChain {
  head: Head;

  constructor(readonly id: string) {
    this.head = { n: 0n, hash: genesisHash(id) };
  }

  /** In any order: the answers of two connections may overtake each other. */
  committed(head: Head): void {
    if (head.n > this.head.n) this.head = head;
  }
}

/** Appended, but perhaps not committed. */
export interface Appended {
  readonly chain: OwnChain;
  readonly head: Head;
}

/** The answer of `append_audit`. `pg` gives the number as a text. */
export interface AppendAnswer {
  head_n: string | bigint;
  head_hash: string | null;
  /**
   * False: the chain lacks the head that was passed, nothing was appended, and `head_n` is what is
   * left.
   */
  whole: boolean;
}
