import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeAtEnd } from '../../../scripts/lib/children.mjs';
import { plainClient } from './adapter.mjs';
import { startApplication } from './application.mjs';

/** Where Debian puts the sources of Go libraries. */
const GOPATH = '/usr/share/gocode';
const LIBRARY = join(GOPATH, 'src/github.com/centrifugal/centrifuge');
const PACKAGES =
  'golang-go golang-github-golang-jwt-jwt-dev golang-github-centrifugal-centrifuge-dev golang-github-centrifugal-protocol-dev golang-github-fzambia-eagle-dev golang-github-igm-sockjs-go-dev golang-github-mna-redisc-dev';
const BUILD_MS = 300_000;
/** Numbers of protocol v1. */
const [SUBSCRIBE, PUBLISH, PUSH_UNSUBSCRIBED] = [1, 3, 3];
let program;

const connect = (port, token) =>
  plainClient({
    url: `ws://127.0.0.1:${port}/connection/websocket`,
    token,
    inHeader: false,
    hello: { id: 1, params: { token } },
    joining: (channel, id) => ({ id, method: SUBSCRIBE, params: { channel } }),
    publishing: (channel, body, _op, id) => ({
      id,
      method: PUBLISH,
      params: { channel, data: { body } },
    }),
    read({ id, result, error }, seat, ready) {
      if (id === 1 && error === undefined) ready();
      else if (id !== undefined) seat.answer(id, error === undefined ? 'accepted' : 'refused');
      else if (result?.type === PUSH_UNSUBSCRIBED) seat.tell('unsubscribed');
      else if (result?.data?.data !== undefined) seat.message(result.data.data.body);
    },
  });

/** Builds once. */
function missing() {
  if (program !== undefined) return undefined;
  if (!existsSync(LIBRARY)) return `not installed (Debian: ${PACKAGES})`;
  const folder = mkdtempSync(join(tmpdir(), 'wardroom-field-go-'));
  removeAtEnd(folder);
  const built = join(folder, 'centrifuge');
  const source = fileURLToPath(new URL('../centrifuge/main.go', import.meta.url));
  const run = spawnSync('go', ['build', '-o', built, source], {
    env: {
      ...process.env,
      GO111MODULE: 'off',
      GOFLAGS: '',
      GOPATH,
      GOCACHE: join(tmpdir(), 'wardroom-field-go-cache'),
    },
    encoding: 'utf8',
    timeout: BUILD_MS,
  });
  if (run.status !== 0) return `it does not build: ${(run.stderr ?? 'no go').split('\n')[0]}`;
  program = built;
  return undefined;
}

/** @type {import('./adapter.mjs').Adapter} */
export const centrifuge = {
  name: 'centrifuge',
  title: 'Centrifuge (Go library)',
  nodes: 1,
  docs: [
    'https://pkg.go.dev/github.com/centrifugal/centrifuge',
    'https://github.com/centrifugal/centrifuge/tree/master/_examples',
  ],
  setUp:
    'As the example `jwt_token` of the library: the token is verified when a client connects, and its end is `ExpireAt` of the connection. Members are asked for when a client subscribes, the subscription when it publishes.',
  means: {
    logout: '`client.Disconnect` on the connections of the session',
    remove: '`node.Unsubscribe(user, channel)`',
    repeat: null,
  },
  version: () => `centrifuge ${debianVersion()} (Debian)`,
  missing,
  start: (folder) => startApplication({ name: 'centrifuge', program: [program], folder, connect }),
};

function debianVersion() {
  const run = spawnSync(
    'dpkg-query',
    ['-W', '-f=${Version}', 'golang-github-centrifugal-centrifuge-dev'],
    { encoding: 'utf8' },
  );
  return run.status === 0 ? run.stdout.trim() : 'unknown';
}
