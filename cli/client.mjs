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
  /**
   * The password of whoever is signed in, for what the server does not do without; undefined: it
   * cannot be asked for.
   * @type {(() => Promise<string>) | undefined}
   */
  askPassword;

  constructor({ url, curl }) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new CliError(2, `--url: not an address of HTTP: ${url}`);
    this.url = url.replace(/\/$/, '');
    this.curl = curl;
  }

  get(path, query = {}) {
    return this.call('GET', withQuery(path, query));
  }

  /**
   * The lines of an answer as they come; nothing where `--curl` prints instead. It may take as long
   * as it takes to read, and its beginning no longer than any call.
   */
  async *lines(path, query = {}) {
    const whole = withQuery(path, query);
    if (this.curl) return this.show('GET', whole);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new Error('no answer')), PATIENCE_MS);
    const response = await this.send('GET', whole, undefined, stop.signal);
    clearTimeout(timer);
    if (!response.ok) throw refused('GET', path, response, await response.text());
    let rest = '';
    try {
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        const texts = (rest + piece).split('\n');
        rest = texts.pop() ?? '';
        yield* texts;
      }
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw new CliError(3, `The answer was cut: ${printable(causeOf(error))}.`);
    }
  }

  post(path, body) {
    return this.call('POST', path, body);
  }

  /** @returns the answer, or an empty object where `--curl` prints instead. */
  async call(method, path, body) {
    if (this.curl) {
      this.show(method, path, body);
      return {};
    }
    let [response, text] = await this.answered(method, path, body);
    if (isStepUp(response, text) && this.askPassword !== undefined) {
      const password = await this.askPassword();
      const [proof, why] = await this.answered('POST', '/v1/auth/step-up', { password });
      if (!proof.ok) throw refused('POST', '/v1/auth/step-up', proof, why);
      [response, text] = await this.answered(method, path, body);
    }
    if (!response.ok) throw refused(method, path, response, text);
    return parsed(text) ?? {};
  }

  /** @returns {Promise<[Response, string]>} */
  async answered(method, path, body) {
    const response = await this.send(method, path, body, AbortSignal.timeout(PATIENCE_MS));
    return [response, await response.text()];
  }

  /** The request, for `--curl`. */
  show(method, path, body) {
    process.stdout.write(`${this.curlOf(method, path, body)}\n`);
  }

  async send(method, path, body, signal) {
    const headers = {
      ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    try {
      return await fetch(`${this.url}${path}`, {
        method,
        headers,
        redirect: 'error',
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new CliError(3, `${this.url} cannot be reached: ${printable(causeOf(error))}`);
    }
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

const causeOf = (error) => error.cause?.code ?? error.cause?.message ?? error.message;

function withQuery(path, query) {
  const named = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(named).toString();
  return search === '' ? path : `${path}?${search}`;
}

/** @returns {CliError} */
function refused(method, path, { status }, text) {
  const answer = parsed(text);
  const code = printable(answer?.code ?? status);
  const detail = printable(answer?.detail ?? `${method} ${path} answered ${status}`);
  if (status === 404) return new CliError(1, `Nothing has this name: ${detail} (${code})`);
  if (code === 'invalid_credentials') return new CliError(3, `${detail} (${code})`);
  if (status === 401)
    return new CliError(3, `The credential is refused: ${detail} (${code}). Run: wardroom login`);
  if (code === 'step_up_required')
    return new CliError(
      3,
      `The server asks for your password again (${code}): run it in a terminal, set WARDROOM_PASSWORD, or give --password-stdin.`,
    );
  if (status === 403) return new CliError(3, `Not allowed: ${detail} (${code})`);
  if (status === 422 || status === 400)
    return new CliError(2, `${detail} ${fieldsOf(answer)}(${code})`);
  return new CliError(3, `${detail} (${code}, request ${printable(answer?.request_id ?? '-')})`);
}

const isStepUp = ({ status }, text) => status === 403 && parsed(text)?.code === 'step_up_required';

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
