/**
 * `npm start`: a running server with demo users on a machine that has nothing but Node. For trying
 * out; see docs/operations.md for a deployment.
 */
import './lib/require-node.mjs';
import { ensureBuilt, ensureInstalled } from './lib/install.mjs';

ensureInstalled();
if (!ensureBuilt()) {
  console.error('The build failed; see the messages above.');
  process.exit(1);
}

const { stopChildren, stopOnSignals } = await import('./lib/children.mjs');
const { startStores } = await import('./lib/stores.mjs');
const { freePort } = await import('./stores/machine.mjs');
const {
  dataFolder,
  demandPort,
  keepStores,
  keptSecret,
  nodeEnvironment,
  operator,
  password,
  startServer,
  untilReady,
} = await import('./lib/try-out.mjs');
const { people, seed } = await import('./seed.mjs');

const stopping = stopOnSignals(() => console.log('\nStopping ...'));
let failed = false;
try {
  const port = Number(process.env.PORT || 3000) || (await freePort());
  const internalPort = Number(process.env.INTERNAL_PORT || 3001);
  const host = process.env.HOST || '127.0.0.1';
  await demandPort(port, host, 'PORT');
  await demandPort(internalPort, host, 'INTERNAL_PORT');

  const stores = await startStores({ dir: dataFolder, log: console.log });
  keepStores(stores);
  const server = startServer(
    nodeEnvironment(stores, { PORT: String(port), INTERNAL_PORT: String(internalPort) }),
  );
  const url = `http://localhost:${port}`;
  await untilReady(url, server);
  server.child.once('exit', () => {
    if (stopping() || failed) return;
    console.error(`The server ended by itself:\n${server.lastLines()}`);
    void stopChildren().then(() => process.exit(1));
  });
  const passwordOf = (email) => keptSecret(`${email}.password`, password);
  const unknown = await seed(url, operator, passwordOf);
  console.log(welcome(url, stores, passwordOf, unknown));
} catch (error) {
  failed = true;
  if (!stopping()) {
    console.error(error.message);
    await stopChildren();
    process.exit(1);
  }
}

function welcome(url, stores, passwordOf, unknown) {
  const body = JSON.stringify({
    tenant: 'demo',
    email: 'ada@demo.test',
    password: passwordOf('ada@demo.test'),
  });
  const login = `curl -s ${url}/v1/auth/login -H 'content-type: application/json' -d '${body}'`;
  const token = `$(${login} | node -pe 'JSON.parse(require("fs").readFileSync(0)).access_token')`;
  const users = [
    ['system', operator.email, operator.password],
    ...people.map(({ email }) => ['demo', email, passwordOf(email)]),
  ];
  const kept = stores.privatePostgres
    ? 'Postgres keeps its data in .wardroom/'
    : 'Postgres is the one of DATABASE_URL';
  return `
Wardroom runs. Open

  ${url}

and click "Log out ada, tab 1": her other tab closes, with the receipt of every node. There are also

  ${url}/chat       a chat: sign in to "demo" as ada or ben, in two browsers
  ${url}/console    for operators: sign in to "system"; sessions, why a socket closed, drills
  ${url}/docs       the guides and both API documents

  tenant   user                   password
${users.map(([tenant, email, secret]) => `  ${tenant.padEnd(8)} ${email.padEnd(22)} ${unknown.includes(email) ? '(changed since)' : secret}`).join('\n')}
  rooms of demo: lobby (public; ada and ben have joined), staff (private; admin and ada)

Log in:

  ${login}

Connect a WebSocket as ada:

  npx wscat -c ${url.replace('http', 'ws')}/v1/ws -s wardroom.v1 -H "Authorization: Bearer ${token}"

and type, line by line:

  {"type":"subscribe","id":"1","room":"lobby"}
  {"type":"publish","id":"2","room":"lobby","op_id":"hello-${Date.now()}","body":"hello"}

Signing keys and audit, in another shell:

  npm run keys -- list
  npm run audit -- verify

This is for trying out: ${kept}, Redis ${stores.privateRedis ? 'keeps nothing' : 'is the one of REDIS_URL'}, and the
passwords above are in files in .wardroom/. For a deployment bring your own stores and secrets (docker-compose.yml, .env.example).
The log is in .wardroom/server.log. Ctrl-C stops everything.
`;
}
