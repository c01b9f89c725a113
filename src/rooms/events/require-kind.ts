import { DomainError } from '../../platform/errors.js';

const OF_THE_SERVER = 'system';

/** `system` and what begins with `system.` says that the server speaks; people are refused it. */
export function requireKind(kind: string): void {
  if (kind === OF_THE_SERVER || kind.startsWith(`${OF_THE_SERVER}.`))
    throw new DomainError('kind_refused');
}
