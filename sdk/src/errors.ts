import type { Action, CloseCode, ErrorCode, UnsubscribeCode } from '@wardroom/protocol/codes';

/** Codes that no server sends: what the SDK itself has to say. */
export const CLIENT_CODES = {
  connection_lost: {
    action: 'reconnect',
    message: 'The connection was lost without a word from the server.',
  },
  network: { action: 'retry', message: 'The server could not be reached.' },
  bad_answer: { action: 'none', message: 'The answer of the server was not understood.' },
  not_connected: {
    action: 'retry',
    message: 'There is no live connection, and this does not wait for one.',
  },
  queue_full: { action: 'none', message: 'Too many requests wait for an answer.' },
  token_unavailable: { action: 'retry', message: 'No new access token could be got.' },
  signed_out: { action: 'login', message: 'Nobody is signed in.' },
  session_replaced: { action: 'login', message: 'Somebody signed in anew over the same storage.' },
  closed: { action: 'none', message: 'The client was closed.' },
  gave_up: { action: 'none', message: 'The connection failed too often in a row.' },
  no_web_socket: {
    action: 'stop',
    message:
      'There is no global WebSocket here (Node 20): pass webSocket, for example that of `ws`.',
  },
} as const satisfies Record<string, { action: Action; message: string }>;

export type ClientCode = keyof typeof CLIENT_CODES;

/** Every known code; a newer server may send others. */
export type WardroomErrorCode =
  ErrorCode | CloseCode | UnsubscribeCode | ClientCode | (string & {});

/** Contract P7: what kind of trouble it is, told apart. */
export type ErrorKind = 'auth' | 'denied' | 'temporary' | 'transport' | 'client';

/** One field of a request that the server refused, from `errors` of the problem document. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface WardroomErrorFields {
  action?: Action | undefined;
  message?: string | undefined;
  retryAfterMs?: number | undefined;
  decisionId?: string | undefined;
  status?: number | undefined;
  opId?: string | undefined;
  errors?: readonly FieldError[] | undefined;
  cause?: unknown;
}

/** The only error class of the SDK. `action` says what to do next, `code` says why. */
export class WardroomError extends Error {
  override readonly name = 'WardroomError';
  readonly code: WardroomErrorCode;
  readonly action: Action;
  readonly retryAfterMs: number | undefined;
  /** Readable by operators at `/v1/admin/decisions/{id}`. */
  readonly decisionId: string | undefined;
  /** HTTP status, or the status of the WebSocket close. */
  readonly status: number | undefined;
  /** Of a publish or edit whose outcome is unknown: publishing again under it has one effect. */
  readonly opId: string | undefined;
  /** Which fields of a REST call are wrong; empty where the server names none. */
  readonly errors: readonly FieldError[];

  constructor(code: WardroomErrorCode, fields: WardroomErrorFields = {}) {
    super(fields.message ?? specOf(code)?.message ?? code, { cause: fields.cause });
    this.code = code;
    this.action = fields.action ?? specOf(code)?.action ?? 'none';
    this.retryAfterMs = fields.retryAfterMs;
    this.decisionId = fields.decisionId;
    this.status = fields.status;
    this.opId = fields.opId;
    this.errors = fields.errors ?? [];
  }

  get kind(): ErrorKind {
    if (this.code === 'connection_lost' || this.code === 'network') return 'transport';
    if (this.action === 'login' || this.action === 'refresh') return 'auth';
    if (this.code in CLIENT_CODES) return 'client';
    if (this.action === 'retry' || this.action === 'reconnect') return 'temporary';
    return 'denied';
  }
}

/** From the fields a frame, a close reason and a problem document have in common. */
export function errorFromWire(
  wire: { [field: string]: unknown; code: unknown },
  status?: number,
): WardroomError {
  const code = typeof wire['code'] === 'string' ? wire['code'] : 'bad_answer';
  return new WardroomError(code, {
    action: isAction(wire['action']) ? wire['action'] : undefined,
    message: text(wire['message']) ?? text(wire['detail']) ?? text(wire['title']),
    retryAfterMs: typeof wire['retry_after_ms'] === 'number' ? wire['retry_after_ms'] : undefined,
    decisionId: text(wire['decision_id']),
    status,
    errors: fieldErrors(wire['errors']),
  });
}

/** Any thrown value as a WardroomError; `code` is used for foreign errors. */
export function toWardroomError(thrown: unknown, code: ClientCode): WardroomError {
  return thrown instanceof WardroomError ? thrown : new WardroomError(code, { cause: thrown });
}

/** The server's tables of codes are not taken along: every refusal carries action and message. */
const ACTIONS: Record<Action, true> = {
  none: true,
  refresh: true,
  retry: true,
  reconnect: true,
  login: true,
  stop: true,
};
const isAction = (value: unknown): value is Action =>
  typeof value === 'string' && Object.hasOwn(ACTIONS, value);

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return (value as unknown[]).flatMap((item) => {
    const { path, message } = (item ?? {}) as Record<string, unknown>;
    return typeof path === 'string' && typeof message === 'string' ? [{ path, message }] : [];
  });
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

function specOf(code: string): { action: Action; message: string } | undefined {
  return Object.hasOwn(CLIENT_CODES, code) ? CLIENT_CODES[code as ClientCode] : undefined;
}
