/** `wardroom token inspect`: why a token would be refused. */
import { CliError } from './client.mjs';
import { facts } from './text.mjs';

const USAGE = 'token inspect [TOKEN | -]';
const CHARS_MAX = 16_384;

export const TOKEN_COMMANDS = {
  token: {
    usage: USAGE,
    summary: 'why a token would be refused; read from stdin, where other users do not see it',
    args: [1, 2],
    async run({ client, args: [what, given = '-'], print }) {
      if (what !== 'inspect') throw new CliError(2, `Usage: wardroom ${USAGE}`);
      if (client.curl) {
        client.show('POST', '/v1/admin/tokens/inspect', { token: '…' });
        return;
      }
      const token = given === '-' ? await fromStdin() : given;
      print([await client.post('/v1/admin/tokens/inspect', { token })], tokenText);
    },
  },
};

function tokenText([{ sentence, header, claims, session, user, tenant, key, ...row }]) {
  const shown = {
    ...row,
    ...prefixed('header', header),
    ...prefixed('claims', claims),
    ...prefixed('key', key),
    ...prefixed('session', session),
    ...prefixed('user', user),
    ...prefixed('tenant', tenant),
  };
  return facts(
    sentence,
    Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== null)),
  );
}

const prefixed = (name, members) =>
  Object.fromEntries(
    Object.entries(members ?? {}).map(([member, value]) => [`${name}.${member}`, value]),
  );

async function fromStdin() {
  let text = '';
  for await (const piece of process.stdin.setEncoding('utf8')) {
    text += piece;
    if (text.length > CHARS_MAX) throw new CliError(2, 'That is longer than any token.');
  }
  return text.trim();
}
