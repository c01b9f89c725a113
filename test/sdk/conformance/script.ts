/** The scripts of sdk/conformance/, read and checked. Their README says what each step means. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Json = Record<string, any>;
export interface Step extends Json {
  step: string;
}
export interface Case {
  name: string;
  client?: { tokens?: 'callback' | 'tickets' | 'session'; max_attempts?: number };
  steps: Step[];
}
export interface Script {
  file: string;
  about: string;
  cases: Case[];
}

export const FOLDER = fileURLToPath(new URL('../../../sdk/conformance/', import.meta.url));
const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Json;
const templates = read('templates.json');

export function scripts(): Script[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json') && file !== 'templates.json')
    .map((file) => ({ file, ...(read(file) as Omit<Script, 'file'>) }));
}

/** Values that a case has learned: `$name` in a match stands for one, and later means it. */
export class Names {
  readonly #known = new Map<string, unknown>();

  /** A value of a script as it is sent: templates filled in, names replaced. */
  meant(value: unknown): any {
    if (typeof value === 'string' && value.startsWith('$')) return this.#known.get(value);
    if (Array.isArray(value)) return value.map((item) => this.meant(item) as unknown);
    if (typeof value !== 'object' || value === null) return value;
    const { $like, $repeat, times, ...fields } = value as Json;
    if ($repeat !== undefined) return String($repeat).repeat(times as number);
    const filled = Object.entries(fields).map(([name, field]) => [name, this.meant(field)]);
    return {
      ...($like === undefined ? {} : (templates[$like] as Json)),
      ...Object.fromEntries(filled),
    };
  }

  /** Where `actual` is not as `wanted`, or undefined. More fields than wanted are no difference. */
  difference(wanted: unknown, actual: unknown, path = ''): string | undefined {
    if (typeof wanted === 'string' && wanted.startsWith('$')) {
      if (actual === undefined) return `${path} is missing`;
      this.#known.set(wanted, actual);
      return undefined;
    }
    if (Array.isArray(wanted) && (!Array.isArray(actual) || actual.length !== wanted.length))
      return `${path} is ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`;
    if (typeof wanted === 'object' && wanted !== null && !('$repeat' in wanted)) {
      for (const [name, field] of Object.entries(wanted)) {
        const inner = (actual as Json | undefined)?.[name] as unknown;
        const found = this.difference(field, inner, `${path}.${name}`);
        if (found) return found;
      }
      return undefined;
    }
    return actual === this.meant(wanted)
      ? undefined
      : `${path} is ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`;
  }
}
