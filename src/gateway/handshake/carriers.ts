/**
 * The ways a credential can come with the upgrade request (contract section 4). The first four
 * exclude each other; the cookie counts only where a browser that may connect sent it and nothing
 * else did; else the first message decides.
 */
import type { IncomingMessage } from 'node:http';
import { CLOSE_CODES } from '@wardroom/protocol/codes';
import { BEARER_SUBPROTOCOL_PREFIX, PROTOCOL } from '@wardroom/protocol/limits';
import { bearerOf } from '../../auth/guard/bearer.js';
import type { Cookies } from '../../auth/guard/cookies.js';
import { DomainError } from '../../platform/errors.js';

/**
 * `off`: `?token=` from a page, while QUERY_TOKEN is off. A browser cannot read a 400, so it is
 * told after the upgrade.
 */
export type Carrier =
  | { kind: 'off' }
  | { kind: 'header' | 'subprotocol' | 'query' | 'cookie'; token: string }
  | { kind: 'ticket'; ticket: string }
  | { kind: 'message' };

export interface CarrierOptions {
  queryToken: boolean;
  cookies: Pick<Cookies, 'readAccess'>;
}

export function carrierOf(request: IncomingMessage, url: URL, options: CarrierOptions): Carrier {
  const found = [
    ...fromHeader(request),
    ...fromSubprotocol(request),
    ...fromQuery(request, url, options.queryToken),
  ];
  if (found.length > 1) throw new DomainError('two_credentials');
  return found[0] ?? fromCookie(request, url, options.cookies) ?? { kind: 'message' };
}

function fromHeader({ headers }: IncomingMessage): Carrier[] {
  return headers.authorization === undefined
    ? []
    : [{ kind: 'header', token: bearerOf(headers.authorization) }];
}

function fromSubprotocol({ headers }: IncomingMessage): Carrier[] {
  const header = headers['sec-websocket-protocol'];
  if (header === undefined) return [];
  const offered = header.split(',').map((name) => name.trim());
  const bearers = offered.filter((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  if (bearers.length > 0 && !offered.includes(PROTOCOL))
    throw new DomainError('invalid_request', {
      status: 400,
      detail: 'bearer. without wardroom.v1',
    });
  return bearers.map((name) => ({
    kind: 'subprotocol',
    token: name.slice(BEARER_SUBPROTOCOL_PREFIX.length),
  }));
}

function fromQuery(
  { headers }: IncomingMessage,
  { search, searchParams }: URL,
  queryToken: boolean,
): Carrier[] {
  if (search === '') return [];
  const tokens = searchParams.getAll('token');
  if (tokens.length > 0 && !queryToken) {
    if (headers.origin === undefined)
      throw new DomainError('invalid_request', {
        status: 400,
        message: CLOSE_CODES.carrier_off.message,
      });
    return [{ kind: 'off' }];
  }
  return [
    ...searchParams.getAll('ticket').map((ticket): Carrier => ({ kind: 'ticket', ticket })),
    ...tokens.map((token): Carrier => ({ kind: 'query', token })),
  ];
}

/**
 * The Origin was found allowed before; without one no cookie counts (cross-site WebSocket
 * hijacking).
 */
function fromCookie(
  { headers }: IncomingMessage,
  { searchParams }: URL,
  cookies: CarrierOptions['cookies'],
): Carrier | undefined {
  if (headers.origin === undefined || searchParams.get('auth') === 'message') return undefined;
  const token = cookies.readAccess(headers.cookie);
  return token === undefined ? undefined : { kind: 'cookie', token };
}
