import type { SessionStorage } from './session-storage.js';

/**
 * A storage that is full, disabled or forbidden must not cost the session: the value that could not
 * be written lives in memory, until somebody else has written another one.
 */
export class SurvivingStorage {
  /** Not written; `over` is what the storage went on holding. */
  #unwritten: { value: string | null; over: string | null } | undefined;

  constructor(
    private readonly storage: SessionStorage,
    private readonly failed: (cause: unknown) => void,
  ) {}

  async read(): Promise<string | null> {
    const stored = await this.#stored();
    if (this.#unwritten && stored === this.#unwritten.over) return this.#unwritten.value;
    this.#unwritten = undefined;
    return stored;
  }

  async write(value: string | null): Promise<void> {
    try {
      await (value === null ? this.storage.remove() : this.storage.set(value));
      this.#unwritten = undefined;
    } catch (cause) {
      // A used refresh token that stays behind would end the session when a tab presents it.
      if (value !== null) await Promise.resolve(this.#remove());
      this.#unwritten = { value, over: await this.#stored() };
      this.failed(cause);
    }
  }

  async #remove(): Promise<void> {
    try {
      await this.storage.remove();
    } catch {
      // As bad as the write that failed before, which is reported.
    }
  }

  async #stored(): Promise<string | null> {
    try {
      return await this.storage.get();
    } catch (cause) {
      if (!this.#unwritten) this.failed(cause);
      return null;
    }
  }
}
