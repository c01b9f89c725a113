/**
 * A certified OpenID provider (node-oidc-provider) as another company runs it. Its own pages sign
 * in anybody by any password; claims of a person are told at UserInfo alone.
 *
 *   node oidc-provider.mjs PORT CLIENT SECRET REDIRECT_URI
 */
import { Provider } from 'oidc-provider';

const [port, clientId, secret, redirectUri] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: clientId, client_secret: secret, redirect_uris: [redirectUri] }],
  claims: { email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: `Mx ${id}` }),
  }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
