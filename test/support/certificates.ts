/** Certificates of a test's own for `localhost` and 127.0.0.1, made by openssl. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

export const OPENSSL = {
  met: spawnSync('openssl', ['version']).status === 0,
  reason: 'openssl is not on PATH',
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface Certificate {
  cert: string;
  key: string;
  /** SHA-256, as `TLSSocket.getPeerCertificate` says it. */
  fingerprint: string;
}

export function makeCertificate(days = 30): Certificate {
  const folder = folderOfTest();
  const [keyFile, certFile] = [join(folder, 'made.key'), join(folder, 'made.pem')];
  const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days ${days} -keyout ${keyFile} -out ${certFile}`;
  execFileSync(
    'openssl',
    [...args.split(' '), '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    { stdio: 'ignore' },
  );
  const cert = readFileSync(certFile, 'utf8');
  return {
    cert,
    key: readFileSync(keyFile, 'utf8'),
    fingerprint: new X509Certificate(cert).fingerprint256,
  };
}

/** A pair of files that is replaced by rename. */
export class CertificateFiles {
  private readonly folder = folderOfTest();
  readonly env = {
    TLS_CERT_FILE: join(this.folder, 'fullchain.pem'),
    TLS_KEY_FILE: join(this.folder, 'privkey.pem'),
  };

  constructor(pair: Pick<Certificate, 'cert' | 'key'>) {
    this.replace(pair);
  }

  replace({ cert, key }: Pick<Certificate, 'cert' | 'key'>): void {
    put(this.env.TLS_CERT_FILE, cert);
    put(this.env.TLS_KEY_FILE, key);
  }
}

function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-tls-'));
  folders.push(folder);
  return folder;
}
