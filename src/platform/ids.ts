import { v7 } from 'uuid';

/** UUIDv7: sorted by time, so an index grows at its end. */
export const newId = (): string => v7();

/** For what happened at `atMs`, wall clock, and is written later: `seq` (32 bits) orders ids of one millisecond. */
export const idAt = (atMs: number, seq: number): string => v7({ msecs: atMs, seq });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Tells an id from a slug; slugs may not look like ids. */
export const isId = (text: string): boolean => UUID.test(text);
