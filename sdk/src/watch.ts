import type { ServerFrames } from '@wardroom/protocol';
import type { Requests } from './connection/requests.js';

type Watching = ServerFrames['watching'];

/** News of all rooms of the user: once asked for, asked for again over each new connection. */
export class Watch {
  #asked: Promise<Watching> | undefined;
  #isAnswered = false;

  constructor(private readonly ask: Requests['ask']) {}

  /** Answers when news comes over the present connection, or the next one. */
  start(): Promise<Watching> {
    return (this.#asked ??= this.#ask());
  }

  /** There is a new connection. A request without an answer is sent over it by itself. */
  resume(): void {
    if (!this.#asked || !this.#isAnswered) return;
    this.#asked = this.#ask();
    // The list of rooms, and whoever else awaits it, learns why it failed.
    this.#asked.catch(() => {});
  }

  stop(): void {
    this.#asked = undefined;
  }

  async #ask(): Promise<Watching> {
    this.#isAnswered = false;
    try {
      const answer = await this.ask((id) => ({ type: 'watch', id }), {
        delivery: 'until_answered',
        own: true,
        onAnswer: () => (this.#isAnswered = true),
      });
      return answer as Watching;
    } catch (error) {
      this.#asked = undefined;
      throw error;
    }
  }
}
