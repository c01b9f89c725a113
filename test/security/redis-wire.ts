/** Redis as a holder of its password sees it: names, commands, and bytes of their own. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { newId } from '../../src/platform/ids.js';
import { MessageSeal } from '../../src/platform/stores/message-seal.js';
import { COUNTERS, RedisNames } from '../../src/platform/stores/redis/redis-names.js';
import { Installation } from '../../src/platform/stores/installation.js';
import type { Insight } from '../support/redis-insight.js';

const MIB = 1024 * 1024;

/**
 * Every key and channel that src/ uses, without what is in braces or behind a counter's name.
 * A run has to leave each in Redis, and each is attacked.
 */
export const KINDS = [
  'authority',
  'authority:confirmed',
  'authority:position',
  'decision:{}',
  'entry:address:',
  'entry:tenant:',
  'invitations:',
  'issuers:address:',
  'jti:{}',
  'login:address:',
  'login:crowd:',
  'login:known:{}',
  'login:success:',
  'login:user:',
  'loop:',
  'nodes:answers:{}',
  'nodes:questions',
  'probe:{}:authority-confirmations',
  'probe:{}:nodes',
  'probe:{}:rooms',
  'rate:{}',
  'recovery:account:',
  'recovery:address:',
  'room:{}',
  'session:{}',
  'ticket:{}',
];

/** MONITOR: every command of every client, names and values. */
export class Wire {
  readonly names = new Set<string>();
  private readonly lines: string[] = [];
  private constructor(private readonly monitor: Redis) {}

  static async of(url: string): Promise<Wire> {
    const base = new Redis(url);
    const monitor = await base.monitor();
    base.disconnect();
    const wire = new Wire(monitor);
    monitor.on('monitor', (_time: string, args: string[]) => wire.see(args));
    return wire;
  }

  private see(args: string[]): void {
    for (const name of args) if (name.startsWith('wardroom:')) this.names.add(name);
    this.lines.push(args.join(' '));
  }

  get text(): string {
    return this.lines.join('\n');
  }

  stop(): void {
    this.monitor.disconnect();
  }
}

export const kindOf = (name: string, prefix: string): string =>
  name
    .slice(prefix.length)
    .replace(/\{[^}]*\}/, '{}')
    .replace(/^rate:\w+:/, 'rate:')
    .replace(/^((?:login|entry|issuers|recovery):(?!known)\w+:|loop:|invitations:).*/, '$1');

/** Every kind of name that RedisNames can make. */
export function kindsMade(): string[] {
  const names = new RedisNames(new Installation('i'));
  const methods = Object.getOwnPropertyNames(RedisNames.prototype).filter(
    (name) => !['constructor', 'counter'].includes(name),
  );
  const made = [
    names.authority,
    names.confirmations,
    names.questions,
    names.position,
    ...COUNTERS.map((name) => `${names.counter(name)}:x`),
    // @ts-expect-error each takes one or two strings
    ...methods.map((method): string => names[method]('rooms', 'rooms')),
  ];
  return [...new Set(made.map((name) => kindOf(name, names.prefix)))].sort();
}

/**
 * The purpose and context that the value of a name is sealed for; for a name that carries no sealed
 * value it does not matter.
 */
export function aboutOf(name: string, kind: string): string {
  const inBraces = /\{([^}]*)\}/.exec(name)?.[1] ?? '';
  const uses: Record<string, string> = {
    authority: 'authority\n',
    'authority:confirmed': 'confirmation\n',
    'authority:position': 'position\n',
    'room:{}': `room\n${inBraces}`,
    'ticket:{}': `ticket\n${inBraces}`,
    'session:{}': `mark\n${inBraces}`,
    'decision:{}': `decision\n${inBraces}`,
    'jti:{}': `logout_token\n${inBraces}`,
  };
  return uses[kind] ?? '';
}

/** All the ways in which bytes can be wrong that are not an installation's own. */
export function forgeriesOf(ours: Insight, room: string, about: string): (string | Buffer)[] {
  const other = new MessageSeal(
    [randomBytes(32).toString('hex')],
    ours.prefix.split(':')[1]!,
    newId(),
  );
  const real = ours.seal(about, { kind: 'presence_query', node: 'n', room });
  const flipped = Buffer.from(real);
  flipped[flipped.length - 1]! ^= 1;
  const later = Buffer.from(real);
  later[2] = 9;
  return [
    '',
    'x',
    'garbage',
    'null',
    `${newId()}{"kind":"from-a-newer-version"}`,
    '{"node":"x","position":1000000000,"closed":{}}',
    randomBytes(300),
    Buffer.alloc(MIB / 16, 0xff),
    other.seal(about, '{"position":1000000000,"closed":{}}'),
    real.subarray(0, 40),
    flipped,
    later,
    ours.seal('elsewhere', { position: 1e9, closed: {} }),
    // Ours, and of a shape that this version does not know.
    ours.seal(about, { kind: 'from-a-newer-version' }),
    ours.seal(about, [[[]]]),
  ];
}
