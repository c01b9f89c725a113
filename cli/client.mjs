/** REST calls of the command, with errors that say what to do. */

export class CliError extends Error {
  /** @param {1 | 2 | 3} exitCode */
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

const PATIENCE_MS = 10_000;
/** A control character in an answer could repaint a terminal. */
export const printable = (text) =>
  String(text).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');

export class Client {
  /** @type {string | undefined} */
  token;

  constructor({ url, curl }) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new CliError(2, `--url: not an address of HTTP: ${url}`);
    this.url = url.replace(/\/$/, '');
    this.curl = curl;
  }

  get(path, query = {}) {
    const named = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(named).toString();
    return this.call('GET', search === '' ? path : `${path}?${search}`);
  }

  post(path, body) {
    return this.call('POST', path, body);
  }

  /** @returns the answer, or an empty object where `--curl` prints instead. */
  async call(method, path, body) {
    if (this.curl) {
      process.stdout.write(`${this.curlOf(method, path, body)}\n`);
      return {};
    }
    const headers = {
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    let response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const cause = error.cause?.code ?? error.cause?.message ?? error.message;
      throw new CliError(3, `${this.url} cannot be reached: ${printable(cause)}`);
    }
    const text = await response.text();
    const answer = parsed(text);
    if (response.ok) return answer ?? {};
    const code = printable(answer?.code ?? response.status);
    const detail = printable(answer?.detail ?? `${method} ${path} answered ${response.status}`);
    if (response.status === 404)
      throw new CliError(1, `Nothing has this name: ${detail} (${code})`);
    if (code === 'invalid_credentials') throw new CliError(3, `${detail} (${code})`);
    if (response.status === 401)
      throw new CliError(3, `The credential is refused: ${detail} (${code}). Run: wardroom login`);
    if (response.status === 403) throw new CliError(3, `Not allowed: ${detail} (${code})`);
    if (response.status === 422 || response.status === 400)
      throw new CliError(2, `${detail} ${fieldsOf(answer)}(${code})`);
    throw new CliError(3, `${detail} (${code}, request ${printable(answer?.request_id ?? '-')})`);
  }

  /** The token is named, not shown. */
  curlOf(method, path, body) {
    const parts = ['curl', '-sS', '-H', '"Authorization: Bearer $WARDROOM_TOKEN"'];
    if (method !== 'GET') parts.push('-X', method);
    if (body !== undefined)
      parts.push(
        '-H',
        quoted('Content-Type: application/json'),
        '-d',
        quoted(JSON.stringify(body)),
      );
    return [...parts, quoted(`${this.url}${path}`)].join(' ');
  }
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const fieldsOf = (answer) =>
  (answer?.errors ?? [])
    .map(({ path, message }) => `${printable(path)}: ${printable(message)} `)
    .join('');

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
