interface Target {
  addEventListener(type: string, listener: (event: { persisted?: boolean }) => void): void;
  removeEventListener(type: string, listener: (event: { persisted?: boolean }) => void): void;
}

/**
 * Calls `woken` when the network is back, the page becomes visible, or it returns from the
 * back/forward cache. Does nothing where there are no such events (Node). Returns the function that
 * ends it.
 */
export function onPageWake(woken: () => void): () => void {
  const { document } = globalThis as { document?: Target & { visibilityState: string } };
  const self = globalThis as Partial<Target>;
  const seen = () => {
    if (document?.visibilityState === 'visible') woken();
  };
  const shown = ({ persisted }: { persisted?: boolean }) => {
    if (persisted) woken();
  };
  self.addEventListener?.('online', woken);
  self.addEventListener?.('pageshow', shown);
  document?.addEventListener('visibilitychange', seen);
  return () => {
    self.removeEventListener?.('online', woken);
    self.removeEventListener?.('pageshow', shown);
    document?.removeEventListener('visibilitychange', seen);
  };
}
