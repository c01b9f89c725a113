/** The members of a room: names for completion, roles, mutes. */
import { computed, signal } from '@preact/signals';
import type { MemberPatch, MemberView, ReceiptView, WardroomClient } from '@wardroom/client';
import { troubleOf } from '../../trouble.js';
import type { Person } from './mentions.js';
import type { Names } from '../names.js';

const RANK = { owner: 0, moderator: 1, member: 2, viewer: 3 } as const;
const PAGE = 200;
const MUTE_MS = 3_600_000;

export class Roster {
  readonly members = signal<readonly MemberView[]>([]);
  readonly hasMore = signal(false);
  readonly error = signal<string | null>(null);
  /** The receipt of the last change. */
  readonly receipt = signal<ReceiptView | null>(null);
  readonly sorted = computed(() =>
    this.members.value
      .filter(({ role }) => role !== null)
      .sort((a, b) => RANK[a.role!] - RANK[b.role!] || a.name.localeCompare(b.name)),
  );
  #loading: Promise<void> | null = null;

  constructor(
    private readonly room: string,
    private readonly client: Pick<WardroomClient, 'api'>,
    private readonly names: Names,
    private readonly me: () => string | undefined,
  ) {}

  get others(): readonly Person[] {
    return this.sorted.value
      .filter(({ user_id: id }) => id !== this.me())
      .map(({ user_id: id, name }) => ({ id, name }));
  }

  isMuted(user: string | undefined): boolean {
    const until = this.members.value.find((member) => member.user_id === user)?.muted_until;
    return typeof until === 'string' && new Date(until).getTime() > Date.now();
  }

  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async add(user: string): Promise<void> {
    await this.#change(() => this.client.api.members.add(this.room, { user }));
  }
  async update(user: string, fields: MemberPatch): Promise<void> {
    await this.#change(() => this.client.api.members.update(this.room, user, fields));
  }
  mute(user: string, on: boolean): Promise<void> {
    const until = on ? new Date(Date.now() + MUTE_MS).toISOString() : null;
    return this.update(user, { muted_until: until });
  }
  async remove(user: string): Promise<void> {
    await this.#change(async () => ({
      receipt: await this.client.api.members.remove(this.room, user),
    }));
  }

  async #change(run: () => Promise<{ receipt: ReceiptView | null }>): Promise<void> {
    this.error.value = null;
    try {
      this.receipt.value = (await run()).receipt;
    } catch (thrown) {
      this.error.value = troubleOf(thrown).code;
    }
    await this.load();
  }

  async #load(): Promise<void> {
    try {
      const { items, next_cursor: next } = await this.client.api.members.list(this.room, {
        limit: PAGE,
      });
      this.members.value = items;
      this.hasMore.value = next !== null;
      this.names.learn(items.map(({ user_id: id, name }) => [id, name] as const));
    } catch {
      // From outside the members may be hidden.
      this.members.value = [];
    }
  }
}
