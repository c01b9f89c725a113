/**
 * The built command against two nodes behind TLS and the shipped configuration of nginx. `npm test`
 * runs three drills; FAULTS=full runs all.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { DRILLS } from '../../drills/src/index.js';
import { describeWith } from '../support/needs.js';
import { NGINX, startNginx } from '../support/nginx.js';
import type { Nginx } from '../support/nginx.js';
import { startCluster } from '../support/node-process.js';

const command = fileURLToPath(new URL('../../dist/drill.js', import.meta.url));
const CHOSEN = process.env['FAULTS'] === 'full' ? DRILLS.map(({ id }) => id) : ['D3', 'D8', 'D12'];
const OPERATOR = {
  email: 'operator@system.test',
  password: randomBytes(18).toString('base64url'),
};

describeWith(NGINX, 'drills behind nginx and TLS')('behind nginx and TLS', () => {
  let nginx: Nginx;

  beforeAll(async () => {
    const cluster = await startCluster(2, {
      PUBLIC_URL: 'https://rooms.example.com',
      TRUSTED_PROXIES: '127.0.0.1',
      AUTH_GRACE_SECONDS: '3',
      BOOTSTRAP_OPERATOR_EMAIL: OPERATOR.email,
      BOOTSTRAP_OPERATOR_PASSWORD: OPERATOR.password,
    });
    const [a, b] = cluster.nodes.map(({ url }) => new URL(url).host);
    nginx = await startNginx([a!, b!]);
  });

  test(`${CHOSEN.length} drills find nothing`, async () => {
    const args = ['--url', nginx.url, '--only', CHOSEN.join(','), '--allowance-ms', '1200'];
    const { code, out } = await drill([...args, '--format', 'ndjson'], nginx.certificate);
    const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>);
    const steps = lines.filter(({ type }) => type === 'step');
    expect(steps.length).toBeGreaterThan(3 * CHOSEN.length);
    expect(steps.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ type: 'run', verdict: 'passed' });
    expect(code).toBe(0);
  }, 95_000);
});

/** With this certificate, which no authority signed. */
function drill(args: string[], certificate: string): Promise<{ code: number; out: string[] }> {
  const env = {
    PATH: process.env['PATH']!,
    NODE_EXTRA_CA_CERTS: certificate,
    WARDROOM_OPERATOR_EMAIL: OPERATOR.email,
    WARDROOM_OPERATOR_PASSWORD: OPERATOR.password,
  };
  return new Promise((resolve) =>
    execFile(process.execPath, [command, ...args], { env }, (error, stdout, stderr) => {
      if (stderr !== '') console.error(stderr);
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout.trimEnd().split('\n') });
    }),
  );
}
