/**
 * deploy/nginx.conf before two nodes: rolling restarts under many clients, a distance of 20 ms, a
 * path of a shared host, and logs without a token. `npm test` runs a cut with 40 clients and one
 * restart; FAULTS=full has 300 and restarts both.
 */
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { describeWith } from '../support/needs.js';
import { NGINX, startNginx } from '../support/nginx.js';
import type { Nginx } from '../support/nginx.js';
import { startCluster, startNode } from '../support/node-process.js';
import type { Cluster } from '../support/node-process.js';
import { RawClient } from '../support/raw-client.js';
import { sdkClient } from '../support/sdk-client.js';
import { eventually } from '../support/eventually.js';
import { World } from '../support/world.js';
import type { SignedIn } from '../support/world.js';
import { TcpProxy } from './tcp-proxy.js';

const full = process.env['FAULTS'] === 'full';
const CLIENTS = full ? 300 : 40;
const PER_ROOM = full ? 30 : 10;
const PUBLISH_EVERY_MS = full ? 3_000 : 500;
/** From the end of a node to the last of its clients on another one. */
const BACK_WITHIN_MS = 15_000;

/** Takes the certificate of the test. */
class TrustingWebSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { rejectUnauthorized: false });
  }
}

interface Answer {
  status: number;
  body: any;
  cookies: string[];
}

async function ask(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const content = body === undefined ? {} : { 'content-type': 'application/json' };
  const asked = request(url, {
    method,
    rejectUnauthorized: false,
    headers: { ...content, ...headers },
  });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(asked, 'response');
  const said = await text(answer);
  return {
    status: answer.statusCode,
    body: said.startsWith('{') ? JSON.parse(said) : said,
    cookies: answer.headers['set-cookie'] ?? [],
  };
}

/** How often each, of the access log. */
function statuses(log: string): string {
  const counts: Record<string, number> = {};
  for (const [, status] of log.matchAll(/" (\d{3}) /g))
    counts[status!] = (counts[status!] ?? 0) + 1;
  return JSON.stringify(counts);
}

const at = (url: string): string => new URL(url).host;

describeWith(NGINX, 'deploy/nginx.conf before two nodes')('behind nginx', () => {
  let cluster: Cluster;
  let world: World;
  let ada: SignedIn;
  beforeAll(async () => {
    cluster = await startCluster(2, {
      PUBLIC_URL: 'https://rooms.example.com',
      TRUSTED_PROXIES: '127.0.0.1',
      ALLOWED_ORIGINS: 'https://app.example.com',
    });
    world = await World.create({ base: cluster.nodes[0]!.url });
    ada = await world.user('ada');
  });

  afterEach(async () => {
    for (const crowd of crowds.splice(0)) crowd.stop();
    for (const line of lines.splice(0)) await line.stop();
  });

  const ports = (): [string, string] => [at(cluster.nodes[0]!.url), at(cluster.nodes[1]!.url)];

  test(`a rolling restart: ${CLIENTS} clients are back, nothing acknowledged is lost, and nobody meets a 502`, async () => {
    const nginx = await startNginx(ports());
    const crowd = await Crowd.connect(nginx, world, CLIENTS);
    for (const i of full ? [0, 1] : [1]) {
      const { url } = cluster.nodes[i]!;
      await cluster.nodes[i]!.stop();
      await eventually(
        'every client is live on the other node',
        () => crowd.allLive(),
        BACK_WITHIN_MS,
      );
      cluster.nodes[i] = await startNode(
        { ...cluster.env, PORT: new URL(url).port },
        { until: 'file' },
      );
    }
    await crowd.finish();
    expect(nginx.output()).not.toMatch(/" (502|504) /);
    const figures = `${crowd.acknowledged} publishes acknowledged, longest away ${Math.round(crowd.longestAwayMs)} ms, answers ${statuses(nginx.output())}`;
    process.stderr.write(`nginx: ${CLIENTS} clients, ${figures}\n`);
  }, 180_000);

  test('20 ms away: no call over a connection that nginx kept meets a node that just closed it', async () => {
    lines.push(...(await Promise.all(cluster.nodes.map(({ url }) => TcpProxy.before(url)))));
    for (const line of lines) line.delay(20);
    const nginx = await startNginx([
      at(lines[0]!.urlThrough('http://x')),
      at(lines[1]!.urlThrough('http://x')),
    ]);
    // Around the 5 s after which Node closes an idle connection by itself, and what is left of it
    // when both have crossed the line.
    const gapsMs = Array.from({ length: full ? 120 : 40 }, (_, i) => 4_900 + i * (full ? 2 : 6));
    const post = () =>
      ask(`${nginx.url}/v1/auth/ticket`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ada.token}` },
      });
    const statuses = await Promise.all(
      gapsMs.map(async (gapMs) => {
        const first = await post();
        await new Promise((resolve) => setTimeout(resolve, gapMs));
        return [first.status, (await post()).status];
      }),
    );
    expect(statuses.flat().filter((status) => status !== 200)).toEqual([]);
  }, 30_000);

  test('under a path that nginx strips: cookies, refresh, CSRF and the WebSocket work, and links carry the path', async () => {
    const own = await startCluster(2, {
      PUBLIC_URL: 'https://example.com/chat',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    const nginx = await startNginx([at(own.nodes[0]!.url), at(own.nodes[1]!.url)], '/chat');
    const there = await World.create({ base: own.nodes[0]!.url });
    const { email, password } = await there.user('ada');
    const browser = new Browser(nginx.url, 'https://example.com');
    const login = await browser.ask('POST', '/v1/auth/login', {
      tenant: there.tenant.slug,
      email,
      password,
      transport: 'cookie',
    });
    expect(login.status).toBe(200);
    expect((await browser.ask('GET', '/v1/me')).status).toBe(200);
    expect((await browser.ask('POST', '/v1/auth/refresh')).status).toBe(200);
    const socket = await RawClient.open(`${nginx.url.replace(/^https/, 'wss')}/v1/ws`, {
      rejectUnauthorized: false,
      origin: 'https://example.com',
      headers: { cookie: browser.cookiesFor('/chat/v1/ws') },
    });
    await socket.next('auth_ok');
    socket.close();
    expect(browser.cookiesFor('/other')).toMatch(/^wr_csrf=[^;]+$/);
    expect(
      (await browser.ask('GET', '/.well-known/oauth-authorization-server')).body.jwks_uri,
    ).toBe('https://example.com/chat/.well-known/jwks.json');
    const jwks = await browser.ask('GET', '/.well-known/jwks.json');
    expect(jwks.body.keys).not.toHaveLength(0);
  });

  test('in the clear it is refused by the node, as a call and as a handshake', async () => {
    const nginx = await startNginx(ports());
    expect((await fetch(`${nginx.clearUrl}/v1/me`)).status).toBe(403);
    await expect(
      RawClient.open(`${nginx.clearUrl.replace('http', 'ws')}/ws`),
    ).rejects.toMatchObject({ status: 403, body: { code: 'https_required' } });
  });

  test('no log of nginx holds what is in a query, also where a node cannot be reached', async () => {
    const gone = await TcpProxy.before(cluster.nodes[0]!.url);
    const nobody = at(gone.urlThrough('http://x'));
    await gone.stop();
    for (const nodes of [ports(), [nobody, nobody] as [string, string]]) {
      const nginx = await startNginx(nodes);
      const secret = `wr_tk_${'s'.repeat(43)}`;
      for (const path of ['/v1/ws', '/ws', '/v1/me', '/nowhere'])
        await ask(`${nginx.url}${path}?ticket=${secret}&token=${secret}`, {
          headers: { referer: `https://x/?token=${secret}` },
        });
      await RawClient.open(`${nginx.url.replace(/^https/, 'wss')}/v1/ws?ticket=${secret}`, {
        rejectUnauthorized: false,
      }).then(
        (client) => client.closed,
        () => undefined,
      );
      await eventually('five lines of log', () => nginx.output().split('upstream=').length > 5);
      expect(nginx.output()).toContain('"GET /v1/ws"');
      expect(nginx.output()).not.toContain(secret);
      expect(nginx.output()).not.toContain('?');
    }
  });
});

/** Keeps cookies as a browser does: by path. */
class Browser {
  private readonly jar = new Map<string, { value: string; path: string }>();

  constructor(
    private readonly base: string,
    private readonly origin: string,
  ) {}

  cookiesFor(path: string): string {
    const sent = [...this.jar].filter(
      ([, { path: of }]) => path === of || path.startsWith(of.endsWith('/') ? of : `${of}/`),
    );
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ');
  }

  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const url = new URL(`${this.base}${path}`);
    const headers = {
      origin: this.origin,
      cookie: this.cookiesFor(url.pathname),
      'x-csrf-token': this.jar.get('wr_csrf')?.value ?? '',
    };
    const answer = await ask(url.href, { method, headers, body });
    for (const line of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      this.jar.set(name!, { value: value!, path: /; Path=([^;]*)/.exec(line)![1]! });
    }
    return answer;
  }
}

const crowds: Crowd[] = [];
const lines: TcpProxy[] = [];

/**
 * Clients of the SDK that publish all the time, and remember what was acknowledged and what they
 * heard.
 */
class Crowd {
  longestAwayMs = 0;
  private readonly acks = new Map<string, Map<number, string>>();
  private publishing = true;

  private constructor(private readonly members: readonly Member[]) {
    crowds.push(this);
  }

  static async connect(nginx: Nginx, world: World, count: number): Promise<Crowd> {
    const users = await world.users(...Array.from({ length: count / PER_ROOM }, (_, i) => `u${i}`));
    const rooms = await Promise.all(users.map((user) => world.room(user)));
    const members = Array.from(
      { length: count },
      (_, i) => new Member(nginx, users[i % users.length]!, rooms[i % rooms.length]!),
    );
    await Promise.all(members.map((member) => member.connect()));
    const crowd = new Crowd(members);
    for (const member of members) void crowd.publish(member);
    return crowd;
  }

  get acknowledged(): number {
    return [...this.acks.values()].reduce((sum, { size }) => sum + size, 0);
  }

  stop(): void {
    this.publishing = false;
    for (const { client } of this.members) client.close();
  }

  allLive(): boolean {
    return this.members.every(({ client }) => client.state === 'live');
  }

  /**
   * Everybody is live; a last message of each room arrives; then everything acknowledged was stored
   * and heard by each.
   */
  async finish(): Promise<void> {
    await eventually('every client is live', () => this.allLive(), 30_000);
    this.publishing = false;
    await Promise.all(this.members.map(({ published }) => published));
    const last = new Map<string, number>();
    for (const { room, roomId } of this.members)
      if (!last.has(roomId)) last.set(roomId, (await room.publish('last')).seq);
    for (const member of this.members) {
      await eventually(
        'the last message',
        () => member.heard.has(last.get(member.roomId)!),
        20_000,
      );
      const acked = this.acks.get(member.roomId) ?? new Map<number, string>();
      expect([...acked].filter(([seq, messageId]) => member.heard.get(seq) !== messageId)).toEqual(
        [],
      );
      this.longestAwayMs = Math.max(this.longestAwayMs, member.longestAwayMs);
    }
    expect(this.acknowledged).toBeGreaterThan(this.members.length);
    await this.expectStored();
  }

  private async expectStored(): Promise<void> {
    for (const [roomId, acked] of this.acks) {
      const { client } = this.members.find((member) => member.roomId === roomId)!;
      const stored = new Map<number, string>();
      for (let after = 0; ;) {
        const { items } = await client.room(roomId).history({ after, limit: 200 });
        for (const { seq, message_id } of items) stored.set(seq, message_id);
        if (items.length === 0) break;
        after = Math.max(...items.map(({ seq }) => seq));
      }
      expect([...acked].filter(([seq, messageId]) => stored.get(seq) !== messageId)).toEqual([]);
    }
  }

  private async publish(member: Member): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * PUBLISH_EVERY_MS));
    while (this.publishing) {
      member.published = member.room.publish('x').then(({ seq, message_id }) => {
        const acked = this.acks.get(member.roomId) ?? new Map<number, string>();
        this.acks.set(member.roomId, acked.set(seq, message_id));
      });
      // A client that was closed publishes no more; the test has failed by then.
      if (
        !(await member.published.then(
          () => true,
          () => false,
        ))
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS));
    }
  }
}

class Member {
  readonly client;
  readonly room;
  readonly heard = new Map<number, string>();
  published: Promise<void> = Promise.resolve();
  longestAwayMs = 0;

  constructor(
    nginx: Nginx,
    user: SignedIn,
    readonly roomId: string,
  ) {
    this.client = sdkClient(nginx.url, user, {
      webSocket: TrustingWebSocket as never,
      fetch: trustingFetch,
    });
    this.room = this.client.room(roomId);
    this.room.on('message', ({ seq, message_id }) => void this.heard.set(seq, message_id));
    let lostMs: number | null = null;
    this.client.on('state', ({ state, previous }) => {
      if (previous === 'live') lostMs = performance.now();
      if (state === 'live' && lostMs !== null)
        this.longestAwayMs = Math.max(this.longestAwayMs, performance.now() - lostMs);
    });
  }

  async connect(): Promise<void> {
    await this.client.connect();
    await this.room.subscribe();
  }
}

async function trustingFetch(url: string, { method, headers }: RequestInit): Promise<Response> {
  const { status, body } = await ask(url, {
    method: method ?? 'GET',
    headers: headers as Record<string, string>,
  });
  return new Response(JSON.stringify(body), { status });
}
