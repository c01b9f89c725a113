/** A store of the SDK as a signal, for as long as it is followed. */
import { type ReadonlySignal, signal } from '@preact/signals';

interface Followed<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}

export function follow<T>(store: Followed<T>): [ReadonlySignal<T>, () => void] {
  const value = signal(store.getSnapshot());
  const stop = store.subscribe(() => (value.value = store.getSnapshot()));
  return [value, stop];
}
