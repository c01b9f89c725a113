/**
 * A certificate chain and its private key. Errors thrown here are a sentence for the operator,
 * without paths and contents.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** Of the server's own certificate, the first of the chain. */
  readonly expiresAt: Date;
}

export function readTlsPair({ certFile, keyFile }: TlsFiles): TlsPair {
  return tlsPair(read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile));
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Error(`${name}: cannot be read`);
  }
}

export function tlsPair(cert: string, key: string): TlsPair {
  let expiresAt: Date;
  try {
    expiresAt = new Date(new X509Certificate(cert).validTo);
  } catch {
    throw new Error('TLS_CERT_FILE: is not a certificate in PEM');
  }
  try {
    createSecureContext({ cert, key });
  } catch {
    throw new Error(
      'TLS_KEY_FILE: is not the private key of the certificate, in PEM and without a passphrase',
    );
  }
  return { cert, key, expiresAt };
}
