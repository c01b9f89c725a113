/** A server that answers what a test lays out for each call, and keeps what was asked. */
import type { Caller } from '../../../../web/model/console/rest.js';

export type Script = (path: string, call: { method?: string; body?: unknown }) => unknown;

export class ScriptedCaller implements Caller {
  readonly calls: { method: string; path: string; body?: unknown }[] = [];

  constructor(private readonly script: Script) {}

  async call<T>(path: string, call: { method?: string; body?: unknown } = {}): Promise<T> {
    const { method = 'GET', body } = call;
    this.calls.push({ method, path, ...(body === undefined ? {} : { body }) });
    return (await this.script(path, call)) as T;
  }
}

export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly retryAfterMs?: number,
  ) {
    super(`refused with ${code}`);
  }
}
