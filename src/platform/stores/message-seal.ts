/**
 * Seals everything that this installation writes into Redis: AES-256-GCM under a key that
 * SECRET_KEY, installation and sending node give, bound to a purpose and a context (a room, a
 * ticket, a history). Redis can neither read it, nor change it, nor move it elsewhere. A copy of it
 * is still a copy: each reader decides what a repetition means.
 *
 *   "WR" | version | sender (16) | number (6) | time in ms (6) | ciphertext | tag (16)
 *
 * Each process has a key of its own and counts what it seals, so no nonce is used twice.
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { wallMs } from '../clock.js';
import { deriveKey } from '../sealed-box.js';

const MAGIC = 0x5752;
const VERSION = 1;
const SENDER_AT = 3;
const NUMBER_AT = 19;
const TIME_AT = 25;
const HEAD_BYTES = 31;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const NUMBER_BYTES = 6;
/** Of this and other nodes; the oldest is derived again when it speaks again. */
const SENDERS_MAX = 256;

export interface Opened {
  /** Id of the node that sealed it. */
  sender: string;
  /** Counts up with everything that this node seals. */
  number: number;
  /** By the wall clock of that node. */
  atMs: number;
  text: string;
}

/**
 * Why a box does not open: `unsealed` is nothing of ours, `forged` has another key, place or
 * content.
 */
export type SealProblem = 'unsealed' | 'version' | 'forged';

interface Sender {
  id: string;
  keys: KeyObject[];
}

export class MessageSeal {
  private readonly sender: Buffer;
  private readonly key: KeyObject;
  private number = 0;
  private readonly senders = new Map<string, Sender>();

  /**
   * `secrets`: the first seals, each opens. `node` must be new for each process: it makes its keys.
   */
  constructor(
    private readonly secrets: readonly string[],
    private readonly installation: string,
    node: string,
  ) {
    this.sender = Buffer.from(node.replaceAll('-', ''), 'hex');
    this.key = this.derive(secrets[0]!, this.sender.toString('latin1'));
  }

  seal(about: string, text: string): Buffer {
    const head = Buffer.allocUnsafe(HEAD_BYTES + about.length);
    head.writeUInt16BE(MAGIC);
    head[2] = VERSION;
    this.sender.copy(head, SENDER_AT);
    head.writeUIntBE((this.number += 1), NUMBER_AT, NUMBER_BYTES);
    head.writeUIntBE(Math.floor(wallMs()), TIME_AT, NUMBER_BYTES);
    head.write(about, HEAD_BYTES, 'latin1');
    const cipher = createCipheriv('aes-256-gcm', this.key, nonceOf(head)).setAAD(head);
    const body = cipher.update(text, 'utf8');
    cipher.final();
    return Buffer.concat([head.subarray(0, HEAD_BYTES), body, cipher.getAuthTag()]);
  }

  /** `about` as it was given to `seal`. */
  open(about: string, box: Buffer): Opened | SealProblem {
    if (box.length < HEAD_BYTES + TAG_BYTES || box.readUInt16BE() !== MAGIC) return 'unsealed';
    if (box[2] !== VERSION) return 'version';
    const name = box.toString('latin1', SENDER_AT, NUMBER_AT);
    const known = this.senders.get(name);
    const sender = known ?? {
      id: uuidOf(box),
      keys: this.secrets.map((secret) => this.derive(secret, name)),
    };
    for (const key of sender.keys) {
      const text = decrypt(key, about, box);
      if (text === null) continue;
      if (known === undefined) this.remember(name, sender);
      return {
        sender: sender.id,
        number: box.readUIntBE(NUMBER_AT, NUMBER_BYTES),
        atMs: box.readUIntBE(TIME_AT, NUMBER_BYTES),
        text,
      };
    }
    return 'forged';
  }

  /** Told by its head alone: an echo of our own need not be opened. */
  isOwn(box: Buffer): boolean {
    return (
      box.length >= HEAD_BYTES &&
      box.compare(this.sender, 0, this.sender.length, SENDER_AT, NUMBER_AT) === 0
    );
  }

  private derive(secret: string, sender: string): KeyObject {
    return createSecretKey(deriveKey(secret, `wardroom redis ${this.installation}`, sender));
  }

  private remember(name: string, sender: Sender): void {
    if (this.senders.size >= SENDERS_MAX) this.senders.delete(this.senders.keys().next().value!);
    this.senders.set(name, sender);
  }
}

function decrypt(key: KeyObject, about: string, box: Buffer): string | null {
  const head = Buffer.concat([box.subarray(0, HEAD_BYTES), Buffer.from(about, 'latin1')]);
  const end = box.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(box), { authTagLength: TAG_BYTES })
    .setAAD(head)
    .setAuthTag(box.subarray(end));
  const body = decipher.update(box.subarray(HEAD_BYTES, end));
  try {
    decipher.final();
    return body.toString('utf8');
  } catch {
    return null;
  }
}

function nonceOf(head: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  head.copy(nonce, NONCE_BYTES - NUMBER_BYTES, NUMBER_AT, TIME_AT);
  return nonce;
}

function uuidOf(box: Buffer): string {
  const hex = box.subarray(SENDER_AT, NUMBER_AT).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
