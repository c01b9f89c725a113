/**
 * JSON logs by pino, behind Nest's LoggerService. Redaction is by construction: known secret fields
 * are removed by name, and whatever still looks like one of our tokens is removed from every string
 * (promise P6).
 */
import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { REDACTED, redactText } from './redact-text.js';
import { inSourceLines } from './source-lines.js';

const FIELDS = new Set(
  (
    'password current new token access_token refresh_token ticket id_token logout_token authorization cookie set-cookie ' +
    'x-csrf-token sec-websocket-protocol secret body password_hash passwordhash'
  ).split(' '),
);
/**
 * The part of any value that can be logged. The result holds plain data only, so nothing runs when
 * it is written.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'function') return undefined;
  if (value === null || typeof value !== 'object') return value;
  if (depth > 6) return '[deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value.toJSON();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return '[bytes]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      redactText(key),
      FIELDS.has(key.toLowerCase()) ? REDACTED : redact(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): object {
  const { errors } = error as Partial<AggregateError>;
  return {
    type: error.name,
    message: redactText(error.message),
    stack: redactText(inSourceLines(error.stack ?? '')),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
    ...(errors === undefined ? {} : { errors: redact(errors, depth + 1) }),
  };
}

export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'wardroom', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: {
      // Here and not in `formatters.log`, which sees neither the arguments of a format nor the
      // message of an Error.
      logMethod(this: Logger, [first, ...rest]: Parameters<pino.LogFn>, method: pino.LogFn) {
        const about: unknown = first;
        const args: unknown[] =
          about instanceof Error
            ? [{ error: about }, ...(rest.length === 0 ? [about.message] : rest)]
            : [about, ...rest];
        method.apply(this, args.map((arg) => redact(arg)) as Parameters<pino.LogFn>);
      },
    },
  };
  return redactBindings(destination === undefined ? pino(options) : pino(options, destination));
}

/**
 * The bindings of a child pass neither hook nor formatter of its parent; its own children inherit
 * this.
 */
function redactBindings(log: Logger): Logger {
  const { child, setBindings } = log as unknown as {
    child: (this: Logger, ...args: unknown[]) => Logger;
    setBindings: (this: Logger, bindings: pino.Bindings) => void;
  };
  const redacting = {
    child(this: Logger, bindings: pino.Bindings, ...options: unknown[]) {
      return child.call(this, redact(bindings), ...options);
    },
    setBindings(this: Logger, bindings: pino.Bindings) {
      setBindings.call(this, redact(bindings) as pino.Bindings);
    },
  };
  return Object.assign(log, redacting) as Logger;
}

/** Lines of Nest about its own wiring at start: useful while the wiring is changed. */
const WIRING = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'WebSocketsController',
  'NestApplication',
]);

/** Nest calls `log(message, ...params, context)`; ours pass one object with `msg`. */
export class NestLog implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...params: unknown[]) {
    this.write(WIRING.has(String(params.at(-1))) ? 'debug' : 'info', message, params);
  }
  error(message: unknown, ...params: unknown[]) {
    this.write('error', message, params);
  }
  warn(message: unknown, ...params: unknown[]) {
    this.write('warn', message, params);
  }
  debug(message: unknown, ...params: unknown[]) {
    this.write('debug', message, params);
  }
  verbose(message: unknown, ...params: unknown[]) {
    this.write('trace', message, params);
  }
  fatal(message: unknown, ...params: unknown[]) {
    this.write('fatal', message, params);
  }

  private write(
    level: 'info' | 'error' | 'warn' | 'debug' | 'trace' | 'fatal',
    message: unknown,
    params: unknown[],
  ) {
    const context = params.at(-1);
    const fields = typeof context === 'string' ? { context } : {};
    const stack =
      params.length > 1 && typeof params[0] === 'string' ? { stack: inSourceLines(params[0]) } : {};
    if (message instanceof Error) this.pino[level]({ ...fields, error: message }, message.message);
    else if (message !== null && typeof message === 'object')
      this.pino[level]({ ...fields, ...stack, ...message });
    else this.pino[level]({ ...fields, ...stack }, String(message));
  }
}
