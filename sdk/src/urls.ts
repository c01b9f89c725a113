import { WS_PATH } from '@wardroom/protocol/limits';

export interface ServerUrls {
  /** Without a slash at its end; paths start with `/v1/`. */
  readonly rest: string;
  readonly socket: string;
}

/**
 * From `https://host`, `wss://host`, or either with `/v1/ws`. Credentials never travel in a URL, so
 * none is accepted.
 */
export function serverUrls(url: string | URL): ServerUrls {
  const parsed = new URL(url);
  const secure = parsed.protocol === 'https:' || parsed.protocol === 'wss:';
  if (!secure && parsed.protocol !== 'http:' && parsed.protocol !== 'ws:')
    throw new TypeError(`url: ${parsed.protocol}// is neither http(s) nor ws(s)`);
  if (parsed.username || parsed.password || parsed.search)
    throw new TypeError('url: user, password or query is not allowed');
  let path = parsed.pathname.replace(/\/+$/, '');
  if (path.endsWith(WS_PATH)) path = path.slice(0, -WS_PATH.length);
  const place = parsed.host + path;
  return {
    rest: `${secure ? 'https' : 'http'}://${place}`,
    // `auth=message`: the credential follows as a frame; a cookie the browser may add is not looked
    // at.
    socket: `${secure ? 'wss' : 'ws'}://${place}${WS_PATH}?auth=message`,
  };
}
