/**
 * The configuration as text, for people: each variable with its value in effect and where it came
 * from. A secret is `set` or `not set`.
 */
import { SECRETS } from './variables.js';
import type { Name, Parsed } from './variables.js';

/** `file`: NAME_FILE. */
export type ValueSource = 'environment' | 'file' | 'default';

export interface EffectiveValue {
  readonly name: Name;
  /** Null: none. */
  readonly value: string | null;
  readonly source: ValueSource;
  readonly secret: boolean;
}

export function effectiveValues(
  env: Parsed,
  sources: Readonly<Record<string, ValueSource>>,
): EffectiveValue[] {
  return (Object.keys(env) as Name[]).map((name) => {
    const secret = isSecret(name);
    const text = textOf(env[name]);
    const value = secret ? (text === null ? 'not set' : 'set') : text;
    return { name, value, source: sources[name] ?? 'default', secret };
  });
}

export const isSecret = (name: string): boolean => SECRETS.some((secret) => secret === name);

/** One spelling of each value: `0300` is 300, and a bound that is off is 0. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (value === Infinity) return '0';
  if (!Array.isArray(value)) return wordOf(value);
  return value.length === 0 ? null : value.map(wordOf).join(',');
}

const wordOf = (value: unknown): string =>
  typeof value === 'object' && value !== null ? nameOf(value) : String(value as string | number);

/** Of an issuer, and of a node of the try-out page, its URL. */
const nameOf = (item: object): string => {
  const { issuer, url } = item as { issuer?: string; url?: string };
  return issuer ?? url ?? JSON.stringify(item);
};
