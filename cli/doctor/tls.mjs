/** Certificates: of the files of a node, and of the address that clients use. */
import { connect } from 'node:tls';
import { line } from '../checks.mjs';
import { printable } from '../client.mjs';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

const PAGE = 'docs/operations.md#tls-proxies-paths-origins';
const WARN_DAYS = 14;
const PATIENCE_MS = 5_000;

/** @param {{ certFile: string } | null} files */
export function fileLines(files) {
  if (files === null) return [];
  const { validTo } = new X509Certificate(readFileSync(files.certFile));
  return [expiryLine('tls.file', 'The certificate of TLS_CERT_FILE is valid.', new Date(validTo))];
}

export function expiryLine(id, sentence, expiresAt, nowMs = Date.now()) {
  const days = Math.floor((expiresAt.getTime() - nowMs) / 86_400_000);
  const verdict = days < 0 ? 'fail' : days < WARN_DAYS ? 'warn' : 'ok';
  return line(id, verdict, sentence, {
    measured: `${days} days left`,
    bound: `>= 0; to look at below ${WARN_DAYS}`,
    page: PAGE,
  });
}

/** As a client meets it; nothing for an address without TLS. */
export async function addressLines(url) {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'https:') return [];
  const host = hostname.replace(/^\[|\]$/g, '');
  try {
    const expiresAt = await expiryOf(host, Number(port || 443));
    return [expiryLine('tls.service', 'The certificate of the service is valid.', expiresAt)];
  } catch (error) {
    return [
      line('tls.service', 'fail', `TLS with the service fails: ${printable(error.message)}`, {
        measured: 'refused',
        bound: 'a trusted certificate',
        page: PAGE,
      }),
    ];
  }
}

/** @returns {Promise<Date>} */
function expiryOf(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: host, timeout: PATIENCE_MS }, () => {
      resolve(new Date(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
  });
}
