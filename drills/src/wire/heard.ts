/**
 * Everything the server said in this run, and every secret that the run used: drill D12 looks for
 * the second in the first.
 */
export interface Finding {
  readonly secret: string;
  readonly where: string;
}

/** A text that is longer is a page of messages, which hold nothing that a drill did not write. */
const TEXT_CHARS_MAX = 65_536;
/** Shorter ones are words that may stand anywhere. */
const SECRET_CHARS_MIN = 16;
/** A JWT has no business in an answer, whoever it belongs to. */
const JWT = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}/;
/** The answers whose purpose is a credential, and its fields. */
const ISSUING = /^\/v1\/auth\/(login|refresh|ticket)$/;
const ISSUED = new Set(['access_token', 'refresh_token', 'ticket']);

export class Heard {
  readonly #said: { where: string; text: string }[] = [];
  readonly #secrets = new Map<string, string>();

  get texts(): number {
    return this.#said.length;
  }

  keep(kind: string, secret: string): void {
    if (secret.length >= SECRET_CHARS_MIN) this.#secrets.set(secret, kind);
  }

  /** A frame or the reason of a close. */
  frame(text: string): void {
    this.#note('a frame', text);
  }

  close(reason: string): void {
    this.#note('a close reason', reason);
  }

  /**
   * Headers and body of an answer. An issued credential is kept and not held against the server.
   */
  answer(path: string, status: number, headers: Headers, text: string): void {
    const [place = path] = path.split('?');
    const where = `the answer ${status} of ${place}`;
    this.#note(where, [...headers].map(([name, value]) => `${name}: ${value}`).join('\n'));
    this.#note(where, status === 200 && ISSUING.test(place) ? this.#withoutIssued(text) : text);
  }

  findings(): Finding[] {
    const findings: Finding[] = [];
    for (const { where, text } of this.#said) {
      for (const [secret, kind] of this.#secrets)
        if (text.includes(secret)) findings.push({ secret: kind, where });
      if (JWT.test(text)) findings.push({ secret: 'something like a token', where });
    }
    return findings;
  }

  #withoutIssued(text: string): string {
    const answer = JSON.parse(text) as Record<string, unknown>;
    for (const name of ISSUED) {
      const value = answer[name];
      if (typeof value !== 'string') continue;
      this.keep(name.replace('_', ' '), value);
      delete answer[name];
    }
    return JSON.stringify(answer);
  }

  #note(where: string, text: string): void {
    if (text !== '' && text.length <= TEXT_CHARS_MAX) this.#said.push({ where, text });
  }
}
