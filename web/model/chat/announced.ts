/** The announcements of the chat for screen readers. */
import type { Texts } from './texts/en.js';

export function intentsOf({ said }: Texts) {
  return {
    ended: { text: said.banner, politeness: 'assertive' },
    banner: { text: said.banner, politeness: 'polite' },
    read_only: { text: said.banner, politeness: 'polite', delivery: 'settled' },
    live: { text: () => said.live, politeness: 'polite' },
    message: { text: said.message, politeness: 'polite', delivery: 'settled' },
    elsewhere: { text: said.elsewhere, politeness: 'polite', delivery: 'settled' },
    mentioned: { text: said.mentioned, politeness: 'polite' },
    failed: { text: said.failed, politeness: 'assertive' },
    opened: { text: said.opened, politeness: 'polite' },
    found: { text: said.found, politeness: 'polite', delivery: 'settled' },
  } as const;
}
export type ChatIntents = ReturnType<typeof intentsOf>;
