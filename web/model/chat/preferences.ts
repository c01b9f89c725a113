/** Colours and language of this device. */
import { computed, effect, signal } from '@preact/signals';
import type { Area } from './room/drafts.js';
import { en, type Texts } from './texts/en.js';

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'de';
const KEY = 'wardroom.chat.preferences';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

export class Preferences {
  readonly theme = signal<Theme>('system');
  readonly language = signal<Language>('en');
  readonly notify = signal(false);
  readonly #loaded = signal<Partial<Record<Language, Texts>>>({ en });
  /** English until the other language is there. */
  readonly texts = computed<Texts>(() => this.#loaded.value[this.language.value] ?? en);

  constructor(
    area: Area,
    languages: readonly string[],
    load: (language: Language) => Promise<Texts>,
  ) {
    const preferred = languages[0]?.slice(0, 2) ?? 'en';
    if (preferred in LANGUAGES) this.language.value = preferred as Language;
    this.#read(area);
    effect(() => {
      const language = this.language.value;
      if (this.#loaded.peek()[language] !== undefined) return;
      void load(language).then(
        (texts) => (this.#loaded.value = { ...this.#loaded.value, [language]: texts }),
        // The language cannot be loaded now: English stays.
        () => undefined,
      );
    });
    effect(() => {
      const kept = {
        theme: this.theme.value,
        language: this.language.value,
        notify: this.notify.value,
      };
      area.setItem(KEY, JSON.stringify(kept));
    });
  }

  #read(area: Area): void {
    try {
      const kept = JSON.parse(area.getItem(KEY) ?? '{}') as Record<string, unknown>;
      if (THEMES.includes(kept['theme'] as Theme)) this.theme.value = kept['theme'] as Theme;
      if ((kept['language'] as string) in LANGUAGES)
        this.language.value = kept['language'] as Language;
      this.notify.value = kept['notify'] === true;
    } catch {
      // Unreadable: as if there were none.
    }
  }
}
