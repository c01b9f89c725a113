/** The signed-in devices of the user: this one is marked, each can be ended, with its receipt. */
import { signal } from '@preact/signals';
import type { ReceiptView, SessionView } from '@wardroom/client';
import type { CookieSession } from '../cookie-session.js';
import { troubleOf } from '../trouble.js';

export class Devices {
  readonly list = signal<readonly SessionView[] | null>(null);
  readonly receipt = signal<ReceiptView | null>(null);
  readonly refused = signal<string | null>(null);
  readonly isBusy = signal(false);

  constructor(private readonly session: CookieSession) {}

  load(): Promise<void> {
    return this.#try(async () => {
      const { items } = await this.session.client.api.sessions.list({ limit: 100 });
      this.list.value = [...items].sort((a, b) => Number(b.current) - Number(a.current));
    });
  }
  end(id: string): Promise<void> {
    return this.#end(() => this.session.client.api.sessions.end(id));
  }
  endOthers(): Promise<void> {
    return this.#end(() => this.session.signOut('others'));
  }

  async #end(run: () => Promise<ReceiptView>): Promise<void> {
    await this.#try(async () => void (this.receipt.value = await run()));
    await this.load();
  }

  async #try(run: () => Promise<unknown>): Promise<void> {
    this.isBusy.value = true;
    this.refused.value = null;
    try {
      await run();
    } catch (thrown) {
      this.refused.value = troubleOf(thrown).code;
    } finally {
      this.isBusy.value = false;
    }
  }
}
