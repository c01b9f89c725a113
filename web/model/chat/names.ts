/** Names of users, asked for once each when somebody shows them. */
import { signal } from '@preact/signals';
import type { WardroomClient } from '@wardroom/client';

export class Names {
  readonly #known = signal<ReadonlyMap<string, string>>(new Map());
  readonly #asked = new Set<string>();

  constructor(
    private readonly client: Pick<WardroomClient, 'api'>,
    private readonly unknown: () => string,
  ) {}

  /** The name, or a word for somebody until it is known. */
  of(user: string | undefined): string {
    if (user === undefined) return this.unknown();
    const known = this.#known.value.get(user);
    if (known === undefined) this.#ask(user);
    return known ?? this.unknown();
  }

  learn(people: Iterable<readonly [id: string, name: string]>): void {
    const news = [...people].filter(([id, name]) => this.#known.peek().get(id) !== name);
    if (news.length > 0) this.#known.value = new Map([...this.#known.peek(), ...news]);
  }

  #ask(user: string): void {
    if (this.#asked.has(user)) return;
    this.#asked.add(user);
    void this.client.api.users.get(user).then(
      ({ id, name }) => this.learn([[id, name]]),
      // Guests may not ask; a member list or a later visit may know it.
      () => undefined,
    );
  }
}
