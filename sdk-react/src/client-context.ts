import { createContext, useContext } from 'react';
import type { WardroomClient } from '@wardroom/client';

/** `<WardroomContext value={client}>` gives the hooks below it their client. */
export const WardroomContext = createContext<WardroomClient | null>(null);

/** The client of the nearest `WardroomContext`. */
export function useClient(): WardroomClient {
  const client = useContext(WardroomContext);
  if (client) return client;
  throw new Error('useClient: there is no <WardroomContext value={client}> above');
}
