/**
 * The health check of the image: whether this node is ready, by the internal listener, or by the
 * public one where that is off.
 */
import http from 'node:http';
import https from 'node:https';

const { HOST, PORT, INTERNAL_HOST, INTERNAL_PORT, TLS_CERT_FILE } = process.env;
const reach = (host) =>
  host === undefined || host === '' || host === '0.0.0.0'
    ? '127.0.0.1'
    : host === '::'
      ? '::1'
      : host;
const inside = INTERNAL_PORT !== '0';
const target = inside
  ? { host: reach(INTERNAL_HOST), port: INTERNAL_PORT || 3001 }
  : { host: reach(HOST), port: PORT || 3000 };
const client = inside || !TLS_CERT_FILE ? http : https;

// The certificate is for a name of the outside.
client
  .get(
    { ...target, path: '/readyz', timeout: 2_500, rejectUnauthorized: false },
    ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1),
  )
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
