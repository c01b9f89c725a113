import type { ExecutionContext } from '@nestjs/common';
import { operationOf } from '../../platform/http/operation.js';

const calls = new WeakMap<object, string>();

/** Method and path of the call's operation, as the tables of calls name it: `get /v1/me`. */
export function callOf(context: ExecutionContext): string {
  const handler = context.getHandler();
  const known = calls.get(handler);
  if (known !== undefined) return known;
  const { method, path } = operationOf(context.getClass(), handler);
  const call = `${method} ${path}`;
  calls.set(handler, call);
  return call;
}
