/**
 * The password once more, when the server asks for it (`step_up_required`). Everything that waits
 * for it goes on then. Knows no DOM.
 */
import { signal } from '@preact/signals';
import type { Caller } from './rest.js';
import { troubleOf } from './words.js';

interface Proof {
  /** Seconds; null: the server never asks. */
  readonly expires_in: number | null;
}

export class StepUp {
  /** Somebody waits for the password. */
  readonly isAsking = signal(false);
  /** Why it was not taken. */
  readonly refused = signal<string | null>(null);
  readonly isSending = signal(false);
  #asked: Promise<boolean> | null = null;
  #answer: (given: boolean) => void = () => undefined;

  constructor(private readonly caller: () => Caller) {}

  /** Resolves when the server took the password; false: its person gave up. */
  ask(): Promise<boolean> {
    this.#asked ??= new Promise<boolean>((resolve) => {
      this.#answer = resolve;
      this.refused.value = null;
      this.isAsking.value = true;
    });
    return this.#asked;
  }

  /** Asks now, unless the last time counts for so long: for what is not to be interrupted. */
  async ensure(seconds: number): Promise<boolean> {
    const { expires_in: left } = await this.caller().call<Proof>('/v1/auth/step-up');
    return left === null || left >= seconds || this.ask();
  }

  async give(password: string): Promise<void> {
    if (!this.isAsking.value || this.isSending.value) return;
    this.isSending.value = true;
    try {
      await this.caller().call('/v1/auth/step-up', { method: 'POST', body: { password } });
      this.#end(true);
    } catch (error) {
      this.refuse(error);
    } finally {
      this.isSending.value = false;
    }
  }

  refuse(error: unknown): void {
    const { code, text } = troubleOf(error);
    this.refused.value = code === 'invalid_credentials' ? 'The password is wrong.' : text;
  }

  giveUp(): void {
    this.#end(false);
  }

  #end(given: boolean): void {
    this.isAsking.value = false;
    this.#asked = null;
    this.#answer(given);
  }
}
