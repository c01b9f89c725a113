import { expect, test } from '@jest/globals';
import { Config } from '../../../src/platform/config/config.js';

test.each([
  ['ALLOWED_ORIGIN', 'ALLOWED_ORIGINS'],
  ['PUBLIC_URI', 'PUBLIC_URL'],
  ['TRUSTED_PROXYS', 'TRUSTED_PROXIES'],
  ['SECRETKEY', 'SECRET_KEY'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DATABASE_URL_FIEL', 'DATABASE_URL_FILE'],
  ['allowed_origins', 'ALLOWED_ORIGINS'],
  ['MAX_CONECTIONS_PER_IP', 'MAX_CONNECTIONS_PER_IP'],
])('%s is told to be %s', (name, meant) => {
  expect(Config.misspelt({ [name]: 'sw0rdf!sh' })).toEqual([
    `${name} is not read. Is ${meant} meant?`,
  ]);
});

test('a variable of others is left alone, and so is every variable of ours', () => {
  const others =
    'PATH HOME HOSTNAME PORT HOST TERM NODE_OPTIONS NODE_VERSION PGHOST PGPORT REDIS_PORT REDIS_HOST POSTGRES_PASSWORD VALKEY_PASSWORD LOGNAME PORTS';
  const names = [
    ...others.split(' '),
    'KUBERNETES_SERVICE_HOST',
    'npm_config_loglevel',
    'PUBLIC_URL',
    'SECRET_KEY_FILE',
    'TLS_KEY_FILE',
    'TLS_CERT_FILE',
  ];
  expect(Config.misspelt(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
});
