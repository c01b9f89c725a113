/**
 * Somebody with a session: logs in, keeps the token fresh, loses rooms and sessions and gets them
 * back.
 */
import { ADMIN, userId } from '../seed.mjs';
import { call } from './http.mjs';
import { PASSWORD, roomsOf } from './nodes.mjs';
import { Seat } from './seat.mjs';

/** From the receipt; the promise is that the TCP connection is destroyed within a second. */
const CLOSED_WITHIN_MS = 1_500;

export class Person {
  /** True from the call that ends the session until the next login. */
  leaving = false;
  busy = false;
  /** By room, or 'session': when the receipt arrived. */
  barriers = new Map();
  removed = new Set();
  changedAt = new Map();
  token = '';
  refreshToken = '';
  session = '';
  refreshAt = Infinity;

  constructor(soak, index) {
    this.soak = soak;
    this.user = userId(index);
    this.email = `u${index}@bench.test`;
    this.rooms = roomsOf(index);
    this.seats = Array.from(
      { length: index % 3 === 0 ? 2 : 1 },
      (_, i) => new Seat(soak, this, `u${index}/${i}`),
    );
  }

  async start() {
    await this.login();
    await Promise.all(this.seats.map((seat) => seat.open()));
  }

  async login() {
    for (;;) {
      const { status, body } = await call(
        this.soak.anyNode().url,
        'POST',
        '/v1/auth/login',
        undefined,
        {
          tenant: 'bench',
          email: this.email,
          password: PASSWORD,
        },
      );
      if (status === 200) return this.hold(body);
      this.soak.ledger.note(`login: ${status} ${body.code}`);
      if (status < 500 && status !== 429)
        throw new Error(`login answered ${status} ${JSON.stringify(body)}`);
      await this.soak.pause(body.retry_after_ms ?? 500);
    }
  }

  hold({
    access_token: token,
    refresh_token: refreshToken,
    session_id: session,
    refresh_after_ms: after,
  }) {
    Object.assign(this, { token, refreshToken, session, refreshAt: performance.now() + after });
  }

  async refresh() {
    const { session } = this;
    this.refreshAt = Infinity;
    const answer = await call(this.soak.anyNode().url, 'POST', '/v1/auth/refresh', undefined, {
      refresh_token: this.refreshToken,
    }).catch((error) => {
      this.soak.ledger.note(`refresh: ${error.message}`);
      return { status: 503, body: {} };
    });
    if (this.session !== session || this.leaving) return;
    const { status, body } = answer;
    if (status === 503 || status === 429) {
      this.soak.ledger.note(`refresh: ${status} ${body.code}`);
      this.refreshAt = performance.now() + (body.retry_after_ms ?? 500);
      return;
    }
    if (status !== 200) {
      this.soak.ledger.violation('a refresh was refused', { user: this.email, status, body });
      return;
    }
    this.soak.ledger.counts.refreshes += 1;
    this.hold(body);
    for (const seat of this.seats) seat.refresh();
  }

  /**
   * Whether a frame of that time may have met this person outside the room: they are out, or were
   * added again only later.
   */
  wasOutside(room, at) {
    return this.removed.has(room) || this.leaving || at < (this.changedAt.get(room) ?? -Infinity);
  }

  /**
   * The session ends by its owner's logout or by an admin's call; after the receipt it is silent,
   * closed and refused everywhere.
   */
  async endSession(byAdmin) {
    const { soak, token, seats } = this;
    const { ledger } = soak;
    this.leaving = true;
    const node = soak.anyNode();
    const { status, body } = byAdmin
      ? await call(node.url, 'POST', '/v1/admin/revocations', soak.mint(ADMIN), {
          session: this.session,
          reason: 'soak',
        })
      : await call(node.url, 'POST', '/v1/auth/logout', token, {});
    this.receipt('session', status, body, node);
    for (const seat of seats) {
      if (!(await seat.closesWithin(CLOSED_WITHIN_MS)))
        ledger.violation('a socket outlives its session', { seat: seat.name });
      seat.pending.clear();
      seat.socket?.terminate();
      seat.socket = null;
    }
    await Promise.all(
      soak.nodes.map(async (each) => {
        const { status } = await call(each.url, 'GET', '/v1/me', token);
        if (status !== 401)
          ledger.violation('the token of an ended session is accepted', {
            user: this.email,
            node: each.name,
            status,
          });
      }),
    );
    await soak.pause(Math.random() * 2000);
    if (soak.stopping) return;
    await this.login();
    this.barriers.delete('session');
    this.leaving = false;
    await Promise.all(seats.map((seat) => seat.open()));
  }

  /** Removed from a room and, a moment later, added again. */
  async loseRoom(room) {
    const { soak } = this;
    const path = `/v1/rooms/${room}/members`;
    this.removed.add(room);
    const node = soak.anyNode();
    const { status, body } = await call(
      node.url,
      'DELETE',
      `${path}/${this.user}`,
      soak.mint(ADMIN),
    );
    this.receipt(room, status, body, node);
    await soak.pause(200);
    const seat = this.seats.find(({ live }) => live);
    seat?.publish(room);
    await soak.pause(300 + Math.random() * 1000);
    this.barriers.delete(room);
    const added = await call(soak.anyNode().url, 'POST', path, soak.mint(ADMIN), {
      user: this.user,
      role: 'member',
    });
    if (added.status >= 400)
      soak.ledger.violation('a member could not be added again', {
        status: added.status,
        body: added.body,
      });
    this.changedAt.set(room, performance.now());
    this.removed.delete(room);
    for (const each of this.seats) if (each.live) each.subscribe(room);
  }

  receipt(what, status, body, node) {
    const { ledger } = this.soak;
    if (status !== 200)
      return ledger.violation('taking a right away was refused', {
        user: this.email,
        what,
        status,
        body,
        node: node.name,
      });
    ledger.counts.receipts += 1;
    this.soak.receiptMs.add(body.ms);
    if (body.effective) this.barriers.set(what, performance.now());
    else ledger.note('a receipt was pending');
  }
}
