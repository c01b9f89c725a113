/**
 * Which request is being handled, from where, and as whom: carried along everything an HTTP request
 * does, so that the audit need not be handed it through every call. Timers and frames have none.
 * Nothing is decided by it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestContext {
  readonly requestId: string;
  /** Seen through trusted proxies. */
  readonly ip: string;
  /** As the client names itself; null: it does not. */
  readonly userAgent: string | null;
  /** Set when the credential was accepted. */
  actor?: {
    readonly userId: string;
    readonly tenantId: string;
    readonly sessionId: string;
    /** The service account that acts as `userId`. */
    readonly actor?: string;
  };
}

const storage = new AsyncLocalStorage<RequestContext>();

export function inRequest(context: RequestContext, work: () => void): void {
  storage.run(context, work);
}

export const currentRequest = (): RequestContext | undefined => storage.getStore();
