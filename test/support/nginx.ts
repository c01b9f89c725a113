/**
 * Debian's nginx with deploy/nginx.conf, of which only addresses and paths are replaced. Ends with
 * the test file.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { startChild, stopChild } from '../../scripts/lib/children.mjs';
import { freePort } from '../../scripts/stores/machine.mjs';
import { CertificateFiles, makeCertificate } from './certificates.js';
import { eventually } from './eventually.js';

const SHIPPED = new URL('../../deploy/nginx.conf', import.meta.url);
const SBIN = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { env: SBIN }).status === 0;
export const NGINX = {
  met: works('nginx', '-v') && works('openssl', 'version'),
  reason: 'nginx or openssl is not on PATH',
};

const clean: (() => unknown)[] = [];
afterAll(async () => {
  for (const one of clean.splice(0).reverse()) await one();
});

export interface Nginx {
  url: string;
  /** Without TLS. */
  clearUrl: string;
  /** File of the certificate, which no authority signed. */
  certificate: string;
  /** Access and error log. */
  output(): string;
}

/**
 * `nodes`: two addresses `host:port`. `prefix`: the path that it strips, as docs/operations.md
 * says.
 */
export async function startNginx(nodes: readonly [string, string], prefix = ''): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-nginx-'));
  clean.push(() => rmSync(folder, { recursive: true, force: true }));
  const { env } = new CertificateFiles(makeCertificate());
  const [port, clearPort] = [await freePort(), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join(' ');
  const conf = replaceAll(readFileSync(SHIPPED, 'utf8'), [
    ['node-a:3000', nodes[0]],
    ['node-b:3000', nodes[1]],
    ['listen 8443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['listen 8080', `listen 127.0.0.1:${clearPort}`],
    ['/etc/nginx/tls/fullchain.pem', env.TLS_CERT_FILE],
    ['/etc/nginx/tls/privkey.pem', env.TLS_KEY_FILE],
    ['http {', `http { ${temporary}`],
    ...(prefix === ''
      ? []
      : [
          [
            '    location / {',
            `    location ${prefix}/ { proxy_pass http://wardroom/; proxy_read_timeout 1h; }\n    location / {`,
          ] as const,
        ]),
  ]);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, conf);
  const asRoot = process.getuid?.() === 0 ? ' user root;' : '';
  // It opens /dev/stdout by name, which a pipe of Node does not allow.
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'a');
  const args = [
    '-p',
    folder,
    '-c',
    file,
    '-e',
    'stderr',
    '-g',
    `daemon off; pid ${join(folder, 'pid')};${asRoot}`,
  ];
  const child = startChild('nginx', args, { env: SBIN, stdio: ['ignore', log, log] });
  closeSync(log);
  clean.push(() => stopChild(child));
  const output = () => readFileSync(logFile, 'utf8');
  const clearUrl = `http://127.0.0.1:${clearPort}`;
  await eventually('nginx answers', async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${output()}`);
    return fetch(`${clearUrl}${prefix}/livez`).then(
      () => true,
      () => false,
    );
  });
  return {
    url: `https://127.0.0.1:${port}${prefix}`,
    clearUrl: `${clearUrl}${prefix}`,
    certificate: env.TLS_CERT_FILE,
    output,
  };
}

function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((rest, [from, to]) => {
    if (!rest.includes(from)) throw new Error(`deploy/nginx.conf does not hold "${from}"`);
    return rest.replaceAll(from, to);
  }, text);
}
