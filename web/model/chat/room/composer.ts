/** The line that is being written: a message, a reply, or the new text of an old message. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { troubleOf } from '../../trouble.js';
import type { Drafts } from './drafts.js';
import { type Message, textOf } from '../layout.js';
import { completeAt, type Completion, EVERYBODY, mentionsIn, type Person } from './mentions.js';

export interface ComposerPort {
  send(text: string, options: { replyTo?: string; mentions?: string[] | 'room' }): void;
  edit(message: string, body: { text: string }): Promise<unknown>;
  /** A key was pressed, or the text is done with. */
  typed(): void;
  stopped(): void;
  /** The newest message of one's own that may be edited. */
  lastOwn(): Message | undefined;
  people(): readonly Person[];
  /** Why nothing may be sent now; null: it may. */
  readonly locked: { readonly value: string | null };
}

export class Composer {
  readonly text: ReadonlySignal<string>;
  readonly editing = signal<Message | null>(null);
  readonly replyTo = signal<Message | null>(null);
  readonly completion = signal<Completion | null>(null);
  /** Which of the completions is chosen. */
  readonly chosen = signal(0);
  /** Why an edit was refused. */
  readonly refused = signal<string | null>(null);
  readonly #text = signal('');

  constructor(
    /** Its draft's name. */
    private readonly place: string,
    private readonly port: ComposerPort,
    private readonly drafts: Drafts,
  ) {
    this.#text.value = drafts.get(place);
    this.text = computed(() => this.#text.value);
  }

  write(text: string, caret = text.length): void {
    this.#text.value = text;
    if (this.editing.value === null) {
      this.drafts.set(this.place, text);
      if (text !== '') this.port.typed();
    }
    this.completion.value = completeAt(text, caret, this.port.people());
    this.chosen.value = 0;
  }

  /** The draft of this place, after somebody signed in. */
  restore(): void {
    if (this.#text.value === '') this.#text.value = this.drafts.get(this.place);
  }

  /** Takes one of the completions. Answers where the caret goes. */
  complete(person = this.completion.value?.people[this.chosen.value]): number | null {
    const at = this.completion.value;
    if (at === null || person === undefined) return null;
    const text = this.#text.value;
    const rest = text.slice(at.from + 1).replace(/^[^\s]*/u, '');
    const before = `${text.slice(0, at.from)}@${person.name} `;
    this.write(before + rest.trimStart(), 0);
    this.completion.value = null;
    return before.length;
  }

  move(by: 1 | -1): void {
    const count = this.completion.value?.people.length ?? 1;
    this.chosen.value = (this.chosen.value + by + count) % count;
  }

  /** Sends what is written, or stores the edit. Answers whether anything was done. */
  submit(): boolean {
    const text = this.#text.value.trim();
    if (text === '' || this.port.locked.value !== null) return false;
    const edited = this.editing.value;
    if (edited !== null) {
      void this.#edit(edited, text);
      return true;
    }
    const ids = mentionsIn(text, this.port.people());
    const mentions = ids.includes(EVERYBODY) ? 'room' : ids;
    const replyTo = this.replyTo.value?.id;
    this.port.send(text, {
      ...(replyTo !== undefined && { replyTo }),
      ...(mentions.length > 0 && { mentions }),
    });
    this.port.stopped();
    this.replyTo.value = null;
    this.#clear();
    return true;
  }

  edit(message: Message | undefined = this.port.lastOwn()): boolean {
    if (message?.id === undefined || message.body === null) return false;
    this.refused.value = null;
    this.replyTo.value = null;
    this.editing.value = message;
    this.#text.value = textOf(message.body);
    return true;
  }

  reply(message: Message): void {
    this.stop();
    this.replyTo.value = message;
  }

  /** Closes the completion, the edit or the reply, one at a time. Answers whether there was one. */
  stop(): boolean {
    if (this.completion.value !== null) {
      this.completion.value = null;
      return true;
    }
    const was = this.editing.value ?? this.replyTo.value;
    if (this.editing.value !== null) {
      this.editing.value = null;
      this.#text.value = this.drafts.get(this.place);
    }
    this.replyTo.value = null;
    this.refused.value = null;
    return was !== null;
  }

  async #edit(message: Message, text: string): Promise<void> {
    try {
      if (text !== textOf(message.body)) await this.port.edit(message.id!, { text });
      if (this.editing.value?.id === message.id) this.stop();
    } catch (thrown) {
      this.refused.value = troubleOf(thrown).code;
    }
  }

  #clear(): void {
    this.#text.value = '';
    this.completion.value = null;
    this.drafts.set(this.place, '');
  }
}
