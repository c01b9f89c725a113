/**
 * The address of the page: an open room, a message in it, or a link that somebody was
 * given. Codes of links are in the fragment, which no browser sends to a server.
 */
export interface Link {
  readonly kind: 'invite' | 'register' | 'reset';
  readonly code: string;
  /** The slug of its workspace, where the link says it. */
  readonly tenant: string | null;
}
export interface Address {
  /** Id or slug. */
  readonly room: string | null;
  /** The seq of a message. */
  readonly at: number | null;
  readonly link: Link | null;
}
/** The parts of `location` that are read. */
export type Place = Pick<Location, 'pathname' | 'search' | 'hash'>;

const REF = /^[\w.~-]{1,64}$/;
const LINK = /^#(invite|register|reset)=([\w-]{1,128})$/;

/** `root` is the path of the page, e.g. `/chat`. */
export function readAddress(root: string, { pathname, search, hash }: Place): Address {
  const ref = pathname.startsWith(`${root}/`) ? pathname.slice(root.length + 1) : '';
  const query = new URLSearchParams(search);
  const at = Number(query.get('at') ?? NaN);
  const tenant = REF.exec(query.get('tenant') ?? '')?.[0] ?? null;
  const link = LINK.exec(hash);
  return {
    room: REF.test(ref) ? ref : null,
    at: Number.isSafeInteger(at) && at > 0 ? at : null,
    link: link && { kind: link[1] as Link['kind'], code: link[2]!, tenant },
  };
}

export const pathOf = (root: string, room: string | null, at: number | null = null): string =>
  `${root}${room === null ? '' : `/${room}`}${room === null || at === null ? '' : `?at=${at}`}`;
