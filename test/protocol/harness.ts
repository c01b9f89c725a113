/**
 * Clients of the protocol tests. Every frame that a server sends to any of them is checked against
 * the schema of its frame, and `goodbye` may only stand at the end; they are closed after each
 * test.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, expect } from '@jest/globals';
import {
  CLOSE_CODES,
  ERROR_CODES,
  LIMITS,
  SERVER_FRAMES,
  closeReasonSchema,
} from '@wardroom/protocol';
import type { CloseCode, ErrorCode } from '@wardroom/protocol';
import { RawClient } from '../support/raw-client.js';
import type { RawOptions } from '../support/raw-client.js';
import type { Answer } from '../support/world.js';

const PATIENCE_MS = 10_000;
const opened: RawClient[] = [];

afterEach(() => {
  const clients = opened.splice(0);
  for (const client of clients) client.ws.terminate();
  for (const client of clients) expectLegalFrames(client.frames);
});

export async function open(url: string, options: RawOptions = {}): Promise<RawClient> {
  const client = await RawClient.open(url, options);
  opened.push(client);
  return client;
}

/** Authenticated by header. */
export async function live(
  url: string,
  token: string,
  options: RawOptions = {},
): Promise<RawClient> {
  const client = await open(url, { ...options, token });
  await client.next('auth_ok');
  return client;
}

/**
 * The shape of a token, signed by nobody; another one each time, because a repeated one is a loop.
 */
export const badToken = (): string =>
  `eyJhbGciOiJFUzI1NiJ9.e30.${randomBytes(32).toString('base64url')}`;

export function expectLegalFrames(frames: { type: string }[]): void {
  frames.forEach((frame, i) => {
    const schema = SERVER_FRAMES[frame.type as keyof typeof SERVER_FRAMES];
    const trouble = schema === undefined ? 'unknown type' : schema.safeParse(frame).error?.message;
    if (trouble !== undefined)
      throw new Error(`the server sent ${JSON.stringify(frame)}: ${trouble}`);
    if (frame.type === 'goodbye' && i < frames.length - 1)
      throw new Error(`frames after goodbye: ${JSON.stringify(frames.slice(i))}`);
  });
}

/**
 * Code, action and sentence of the table, the `id` of the question, and nothing that is not
 * declared.
 */
export function expectError(frame: any, code: ErrorCode, rest: Record<string, unknown> = {}): void {
  const { action, message } = ERROR_CODES[code];
  const retry = action === 'retry' ? { retry_after_ms: expect.any(Number) } : {};
  expect(frame).toEqual({
    type: 'error',
    code,
    action,
    message,
    ...(frame.id === undefined ? {} : { id: frame.id }),
    ...retry,
    ...rest,
  });
  if (action === 'retry') expect(frame.retry_after_ms).toBeGreaterThan(0);
}

/**
 * Status, JSON reason of at most 123 bytes, and a `goodbye` that says the same as the last frame.
 */
export async function expectClosed(client: RawClient, code: CloseCode): Promise<any> {
  const closed = await within(
    client.closed,
    `a close with ${code}; got ${JSON.stringify(client.frames)}`,
  );
  const { status, action, message } = CLOSE_CODES[code];
  expect({ status: closed.code, reason: closed.raw }).toEqual({
    status,
    reason: expect.stringContaining(`"${code}"`),
  });
  expect(Buffer.byteLength(closed.raw)).toBeLessThanOrEqual(LIMITS.closeReasonBytes);
  expect(closeReasonSchema.parse(closed.reason)).toMatchObject({ code, action });
  expect(client.frames.at(-1)).toEqual({ type: 'goodbye', message, ...closed.reason });
  expect(client.of('goodbye')).toHaveLength(1);
  return closed.reason;
}

/** The upgrade was refused with an HTTP answer. */
export async function expectRefused(
  opening: Promise<unknown>,
  code: ErrorCode,
  status: number = ERROR_CODES[code].status,
): Promise<any> {
  const refusal: any = await opening.then(
    () => ({ status: 101 }),
    (error: unknown) => error,
  );
  expect(refusal.status).toBe(status);
  expectProblem(refusal.status, (name) => refusal.headers[name] ?? null, refusal.body, code);
  return refusal;
}

/** The same of a REST answer. */
export function expectAnswer(
  { status, headers, body }: Answer,
  code: ErrorCode,
  expectedStatus: number = ERROR_CODES[code].status,
): void {
  expect(status).toBe(expectedStatus);
  expectProblem(status, (name) => headers.get(name), body, code);
}

/** RFC 9457 with the members of the contract and no others. */
export function expectProblem(
  status: number,
  header: (name: string) => string | null,
  body: any,
  code: ErrorCode,
): void {
  const { action, message } = ERROR_CODES[code];
  const { retry_after_ms, decision_id, errors, ...always } = body;
  expect(always).toEqual({
    type: `urn:wardroom:${code}`,
    title: code.replaceAll('_', ' '),
    status,
    detail: message,
    code,
    action,
    request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(header('content-type')).toMatch(/^application\/problem\+json/);
  expect(header('cache-control')).toBe('no-store');
  if (action === 'retry') expect(retry_after_ms).toBeGreaterThan(0);
  if (status === 429 || status === 503)
    expect(Number(header('retry-after'))).toBe(Math.max(1, Math.ceil(retry_after_ms / 1000)));
  if (status === 401) expect(header('www-authenticate')).toBe('Bearer error="invalid_token"');
  if (decision_id !== undefined) expect(decision_id).toMatch(/^[0-9a-f-]{36}$/);
  if (errors !== undefined) expect(errors.length).toBeGreaterThan(0);
}

/** Asks again until the answer is yes; for what is only seen from outside (metrics, health). */
export async function eventually<T>(
  ask: () => Promise<T>,
  yes: (answer: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (yes(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`never saw ${what}; last: ${JSON.stringify(answer)}`);
  }
}

export async function within<T>(promise: Promise<T>, what: string, ms = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
