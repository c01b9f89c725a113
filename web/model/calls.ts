/**
 * REST calls of a deed: made as one of the people, an admin of the tenant or an operator, and drawn
 * in the run.
 */
import type { TryNode } from './nodes.js';
import { claimsOf, type Person, trySignIn } from './person.js';
import { type ReceiptView, type Run, stepsOfReceipt } from './sequence.js';

export interface Call {
  as: Person | 'admin' | 'operator';
  method: 'POST' | 'PATCH' | 'DELETE' | 'GET';
  path: string;
  body?: unknown;
}

type People = { id: string; email: string; name: string }[];

interface Answer {
  ok: boolean;
  status: number;
  body: Record<string, unknown> & { receipt?: ReceiptView | null; code?: string; detail?: string };
}

export class Calls {
  readonly #tokens = new Map<'admin' | 'operator', string>();
  readonly #names = new Map<string, string>();

  constructor(private readonly nodes: readonly TryNode[]) {}

  get node(): TryNode {
    return this.nodes[0]!;
  }

  nameOf(user: string): string {
    return this.#names.get(user) ?? `…${user.slice(-4)}`;
  }

  /** The signing key in use, by the token of the admin. */
  async signingKey(): Promise<string> {
    this.#tokens.delete('admin');
    return claimsOf(await this.#token('admin')).kid;
  }

  /** Makes the call and draws it. Answers whether it was accepted. */
  async draw(run: Run, call: Call, nameOf: (node: string) => string): Promise<boolean> {
    const calledMs = performance.now() - run.startedMs;
    const who = typeof call.as === 'string' ? call.as : call.as.name;
    run.add({
      ms: Math.round(calledMs),
      text: `${call.method} ${shortPath(call.path)}`,
      note: `as ${who}, on node ${this.node.name}`,
      tone: 'plain',
    });
    run.addCurl(curlOf(this.node.url, call));
    run.wait(
      `waiting for the receipt of ${this.nodes.map(({ name }) => `node ${name}`).join(' and ')}`,
    );
    const answer = await this.send(call).catch(() => null);
    run.wait(null);
    const answeredMs = performance.now() - run.startedMs;
    if (answer === null) {
      run.add({
        ms: Math.round(answeredMs),
        text: 'no answer',
        note: 'the node could not be reached',
        tone: 'bad',
      });
      return false;
    }
    if (!answer.ok) {
      run.add({
        ms: Math.round(answeredMs),
        text: `refused: ${answer.status} ${answer.body.code ?? ''}`,
        note: answer.body.detail ?? '',
        tone: 'bad',
      });
      return false;
    }
    const receipt = receiptOf(answer.body);
    if (receipt === null)
      run.add({
        ms: Math.round(answeredMs),
        text: `answer ${answer.status}`,
        note: 'adds rights only: no receipt is needed',
        tone: 'plain',
      });
    else
      run.add(
        ...stepsOfReceipt(
          receipt,
          { calledMs, answeredMs, firstEffectMs: run.firstEffectMs(calledMs) },
          nameOf,
        ),
      );
    return true;
  }

  /**
   * Makes the call without drawing it. A token of the backstage that has ended is replaced once.
   */
  async send(call: Call): Promise<Answer> {
    const { as } = call;
    if (typeof as !== 'string') return this.#send(call, await as.accessToken());
    const answer = await this.#send(call, await this.#token(as));
    if (answer.status !== 401) return answer;
    this.#tokens.delete(as);
    return this.#send(call, await this.#token(as));
  }

  /** Changes of an earlier visit to ben are undone, so that the page starts from the same point. */
  async restoreBen(): Promise<void> {
    const { body } = await this.send({
      as: 'admin',
      method: 'GET',
      path: `/v1/admin/tenants/${this.node.tenant}/users?limit=200`,
    });
    for (const { id, name } of (body['items'] ?? []) as People) this.#names.set(id, name);
    const ben = ((body['items'] ?? []) as People).find(({ email }) => email.startsWith('ben@'))?.id;
    if (ben === undefined) return;
    await this.send({
      as: 'admin',
      method: 'PATCH',
      path: `/v1/admin/users/${ben}`,
      body: { state: 'active' },
    });
    const member = `/v1/rooms/${this.node.room}/members`;
    await this.send({
      as: 'admin',
      method: 'POST',
      path: member,
      body: { user: ben, role: 'member' },
    });
    await this.send({
      as: 'admin',
      method: 'PATCH',
      path: `${member}/${ben}`,
      body: { muted_until: null },
    });
  }

  async #token(who: 'admin' | 'operator'): Promise<string> {
    const token = this.#tokens.get(who) ?? (await trySignIn(this.node.url, who)).access_token!;
    this.#tokens.set(who, token);
    return token;
  }

  async #send({ method, path, body }: Call, token: string): Promise<Answer> {
    const answer = await fetch(this.node.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: 'omit',
    });
    return { ok: answer.ok, status: answer.status, body: (await answer.json()) as Answer['body'] };
  }
}

function receiptOf(body: Answer['body']): ReceiptView | null {
  if (body.receipt !== undefined) return body.receipt;
  return 'effective' in body ? (body as unknown as ReceiptView) : null;
}

/** Ids by their last four digits: the whole path is in the curl. */
const shortPath = (path: string): string =>
  path.replace(/[0-9a-f]{8}-[0-9a-f-]{23}([0-9a-f]{4})/g, '…$1');

/** A command to paste: the token comes from a variable, never from the page. */
export function curlOf(url: string, { as, method, path, body }: Call): string {
  const who = typeof as === 'string' ? as : as.name;
  const json =
    body === undefined ? '' : ` -H 'content-type: application/json' -d '${JSON.stringify(body)}'`;
  return `curl -s -X ${method} '${url}${path}' -H "authorization: Bearer $${who.toUpperCase()}"${json}`;
}
