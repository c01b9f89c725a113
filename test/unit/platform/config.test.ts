import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Config, ConfigError } from '../../../src/platform/config/config.js';
import { VARIABLES } from '../../../src/platform/config/variables.js';

const folder = mkdtempSync(join(tmpdir(), 'wardroom-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secretKey = 'k'.repeat(32);
const good = {
  DATABASE_URL: 'postgres://u:p@db/wardroom',
  REDIS_URL: 'redis://cache:6379',
  SECRET_KEY: secretKey,
};

describe('Config.parse', () => {
  test('takes the defaults of the contract', () => {
    const config = Config.parse(good);
    expect(config).toMatchObject({
      mode: 'development',
      port: 3000,
      host: '127.0.0.1',
      internalPort: 3001,
      accessTtlSeconds: 300,
      sessionIdleSeconds: 604_800,
      sessionAbsoluteSeconds: 2_592_000,
      refreshOverlapSeconds: 10,
      authDeadlineMs: 5000,
      authWarningSeconds: 300,
      authGraceSeconds: 30,
      authorityLeaseMs: 5000,
      fenceCloseMs: 30_000,
      queryToken: false,
      frameBytesMax: 65_536,
      queueBytesMax: 1_048_576,
      connectionsMax: 50_000,
      connectionsPerIpMax: 500,
      unauthenticatedMax: 2000,
      unauthenticatedPerIpMax: 50,
      subscriptionsMax: 200,
      publishRate: 20,
      frameRate: 100,
      loginFailuresPerMinute: 10,
      bootstrapOperator: null,
      autoMigrate: true,
      logLevel: 'info',
    });
  });

  test('lists every bad name at once', () => {
    const problems = problemsOf({
      PORT: '70000',
      INTERNAL_PORT: 'x',
      DATABASE_URL: 'mysql://db/x',
      NODE_ENV: 'prod',
      ALLOWED_ORIGINS: 'https://a.example/path',
      TRUSTED_PROXIES: 'everyone',
      QUERY_TOKEN: 'yes',
      LOG_LEVEL: 'loud',
    });
    const names = problems.map((problem) => problem.split(':')[0]);
    expect(names).toEqual(
      expect.arrayContaining([
        'NODE_ENV',
        'PORT',
        'INTERNAL_PORT',
        'DATABASE_URL',
        'REDIS_URL',
        'ALLOWED_ORIGINS',
        'TRUSTED_PROXIES',
        'QUERY_TOKEN',
        'LOG_LEVEL',
      ]),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('says of a missing variable that it is required, and takes an empty one for missing', () => {
    expect(problemsOf({ ...good, DATABASE_URL: '' })).toEqual(['DATABASE_URL: is required']);
  });

  test.each(Object.keys(VARIABLES))('never prints the value of %s', (name) => {
    const value = 'sw0rdf!sh-\u0000';
    try {
      Config.parse({ ...good, [name]: value });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(`${(error as Error).message}${JSON.stringify(error)}`).not.toContain('sw0rdf');
    }
  });

  test('never prints a secret that breaks a rule', () => {
    const problems = problemsOf({
      ...good,
      SECRET_KEY: 'sw0rdf!sh',
      BOOTSTRAP_OPERATOR_EMAIL: 'o@system.test',
      BOOTSTRAP_OPERATOR_PASSWORD: 'sw0rdf!sh',
    });
    expect(problems.join()).toContain('BOOTSTRAP_OPERATOR_PASSWORD');
    expect(problems.join()).not.toContain('sw0rdf');
  });

  test.each(['SECRET_KEY', 'DATABASE_URL', 'REDIS_URL', 'BOOTSTRAP_OPERATOR_PASSWORD'])(
    'reads %s from a file, before the variable itself',
    (name) => {
      const file = join(folder, name);
      const values: Record<string, string> = {
        SECRET_KEY: 'f'.repeat(32),
        DATABASE_URL: 'postgres://file/x',
        REDIS_URL: 'rediss://file',
        BOOTSTRAP_OPERATOR_PASSWORD: 'from-a-file-12',
      };
      writeFileSync(file, `${values[name]}\n`);
      const config = Config.parse({
        ...good,
        BOOTSTRAP_OPERATOR_EMAIL: 'o@system.test',
        BOOTSTRAP_OPERATOR_PASSWORD: 'a-password-12345',
        [`${name}_FILE`]: file,
      });
      expect([
        ...config.secretKeys,
        config.databaseUrl,
        config.redisUrl,
        config.bootstrapOperator?.password,
      ]).toContain(values[name]);
    },
  );

  test('names a secret file that cannot be read', () => {
    expect(problemsOf({ ...good, SECRET_KEY_FILE: join(folder, 'none') })).toContain(
      'SECRET_KEY_FILE: cannot be read',
    );
  });

  test('takes several secret keys, the first is current, and refuses a short one among them', () => {
    expect(
      Config.parse({ ...good, SECRET_KEY: `${'a'.repeat(32)},${'b'.repeat(40)}` }).secretKeys,
    ).toEqual(['a'.repeat(32), 'b'.repeat(40)]);
    expect(problemsOf({ ...good, SECRET_KEY: `${'a'.repeat(32)},short` })).toEqual([
      'SECRET_KEY: every key needs at least 32 bytes',
    ]);
  });

  test('listens on every address in production only', () => {
    const production = Config.parse({ ...good, NODE_ENV: 'production' });
    expect([production.host, production.internalHost]).toEqual(['0.0.0.0', '127.0.0.1']);
    const elsewhere = Config.parse({
      ...good,
      NODE_ENV: 'production',
      HOST: '::1',
      INTERNAL_HOST: '10.0.0.1',
    });
    expect([elsewhere.host, elsewhere.internalHost]).toEqual(['::1', '10.0.0.1']);
  });

  test('names values that are bad alone, files that cannot be read and values that do not fit together in one start', () => {
    const bad = {
      ...good,
      NODE_ENV: 'production',
      TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/99',
      HOST: '1.2.3',
      ISSUERS_FILE: join(folder, 'none'),
      TLS_CERT_FILE: join(folder, 'none'),
      TLS_KEY_FILE: join(folder, 'none'),
      REDIS_URL_FILE: join(folder, 'none'),
      SECRET_KEY: 'short',
      PUBLIC_URL: 'http://rooms.example.com',
      PORT: '3001',
    };
    const names = [
      'HOST',
      'TRUSTED_PROXIES',
      'ISSUERS_FILE',
      'TLS_CERT_FILE',
      'REDIS_URL_FILE',
      'SECRET_KEY',
      'PUBLIC_URL',
      'PORT, INTERNAL_PORT',
    ];
    expect(problemsOf(bad).map((problem) => problem.split(':')[0])).toEqual(
      expect.arrayContaining(names),
    );
    expect(problemsOf(bad)).toHaveLength(names.length);
  });

  test('wants https in production, unless plain HTTP is allowed there', () => {
    const http = { ...good, NODE_ENV: 'production', PUBLIC_URL: 'http://rooms.example.com' };
    expect(problemsOf(http)).toEqual([
      expect.stringMatching(/^PUBLIC_URL: has to be https in production/),
    ]);
    expect(problemsOf({ ...http, ALLOW_INSECURE_HTTP: 'on' })).toEqual([]);
    expect(problemsOf({ ...http, NODE_ENV: 'development' })).toEqual([]);
    expect(problemsOf({ ...http, PUBLIC_URL: 'https://rooms.example.com' })).toEqual([]);
  });

  test('takes an empty secret file for a mistake', () => {
    writeFileSync(join(folder, 'empty'), '\n');
    expect(problemsOf({ ...good, SECRET_KEY_FILE: join(folder, 'empty') })).toEqual([
      'SECRET_KEY_FILE: is empty',
    ]);
  });

  test('demands a secret key', () => {
    const { SECRET_KEY: _, ...without } = good;
    expect(problemsOf({ ...without, NODE_ENV: 'production' }).join()).toMatch(
      /^SECRET_KEY: is required/,
    );
  });

  test('refuses any origin (`*`) in production', () => {
    expect(Config.parse({ ...good, ALLOWED_ORIGINS: '*' }).allowedOrigins).toEqual(['*']);
    expect(problemsOf({ ...good, NODE_ENV: 'production', ALLOWED_ORIGINS: '*' })).toEqual([
      'ALLOWED_ORIGINS: `*` is refused in production',
    ]);
  });

  test('takes several exact origins and refuses what is not one', () => {
    expect(
      Config.parse({ ...good, ALLOWED_ORIGINS: 'https://a.example, https://b.example:8443' })
        .allowedOrigins,
    ).toEqual(['https://a.example', 'https://b.example:8443']);
    for (const bad of ['https://a.example/', 'a.example', 'https://*.example'])
      expect(problemsOf({ ...good, ALLOWED_ORIGINS: bad })).toHaveLength(1);
  });

  test('lets a token live less than 30 s in tests only', () => {
    expect(
      Config.parse({ ...good, NODE_ENV: 'test', ACCESS_TTL_SECONDS: '2' }).accessTtlSeconds,
    ).toBe(2);
    expect(problemsOf({ ...good, ACCESS_TTL_SECONDS: '29' }).join()).toContain(
      'ACCESS_TTL_SECONDS',
    );
    expect(problemsOf({ ...good, NODE_ENV: 'test', ACCESS_TTL_SECONDS: '1' }).join()).toContain(
      'ACCESS_TTL_SECONDS',
    );
    expect(problemsOf({ ...good, ACCESS_TTL_SECONDS: '901' }).join()).toContain(
      'ACCESS_TTL_SECONDS',
    );
  });

  test('serves the try-out page in development, elsewhere only when it is asked for, and refuses it in production', () => {
    expect(Config.parse(good).tryPage).toBe(true);
    expect(Config.parse({ ...good, NODE_ENV: 'test' }).tryPage).toBe(false);
    expect(Config.parse({ ...good, NODE_ENV: 'test', TRY_PAGE: 'on' }).tryPage).toBe(true);
    expect(Config.parse({ ...good, WEB: 'off' }).tryPage).toBe(false);
    expect(problemsOf({ ...good, NODE_ENV: 'production', TRY_PAGE: 'on' }).join()).toContain(
      'TRY_PAGE',
    );
    expect(
      problemsOf({
        ...good,
        TRY_NODES: '[{"name":"a","url":"http://192.0.2.1","internal_url":null}]',
      }).join(),
    ).toContain('TRY_NODES');
    expect(problemsOf({ ...good, TRY_NODES: 'not json' }).join()).toContain('TRY_NODES');
  });

  test('turns a limit off with 0', () => {
    expect(Config.parse({ ...good, PUBLISH_RATE: '0', MAX_CONNECTIONS: '0' })).toMatchObject({
      publishRate: Infinity,
      connectionsMax: Infinity,
    });
  });

  test('wants the bootstrap operator whole or not at all', () => {
    expect(problemsOf({ ...good, BOOTSTRAP_OPERATOR_EMAIL: 'o@system.test' }).join()).toContain(
      'set both or none',
    );
  });

  test('wants the mail server and the sender of mails together, both well-formed', () => {
    const SMTP_URL = 'smtp://post:secret@mail.example.com';
    const MAIL_FROM = 'Wardroom <no-reply@example.com>';
    expect(Config.parse({ ...good, SMTP_URL, MAIL_FROM }).mail).toEqual({
      url: SMTP_URL,
      from: MAIL_FROM,
    });
    expect(Config.parse(good).mail).toBeNull();
    for (const half of [{ SMTP_URL }, { MAIL_FROM }])
      expect(problemsOf({ ...good, ...half }).join()).toContain('SMTP_URL, MAIL_FROM');
    for (const from of ['Wardroom', 'W <a@example.com>\r\nBcc: b@example.com', 'a@b <c>'])
      expect(problemsOf({ ...good, SMTP_URL, MAIL_FROM: from }).join()).toContain('MAIL_FROM:');
    expect(problemsOf({ ...good, SMTP_URL: 'http://mail', MAIL_FROM }).join()).not.toContain(
      'http://mail',
    );
  });

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(Config.parse(good))).toBe(true);
  });
});

describe('.env.example', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../.env.example'), 'utf8');
  const named = [...text.matchAll(/^#? ?([A-Z_]+)=/gm)].map((match) => match[1]);

  test('names every variable once and no other', () => {
    const ofCompose = ['POSTGRES_PASSWORD', 'VALKEY_PASSWORD'];
    expect([...named].sort()).toEqual([...Object.keys(VARIABLES), ...ofCompose].sort());
  });

  test('gives the meaning of each variable in the words of the configuration', () => {
    for (const [name, [, , meaning]] of Object.entries(VARIABLES)) {
      const above =
        text
          .slice(0, text.search(new RegExp(`^#? ?${name}=`, 'm')))
          .split('\n\n')
          .at(-1) ?? '';
      expect(above.replaceAll(/\n?# /g, ' ')).toContain(meaning);
    }
  });
});

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    Config.parse(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
