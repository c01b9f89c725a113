/**
 * One connection of a person: opens, subscribes from where it was, publishes, and hands everything
 * it hears to the ledger.
 */
import { WebSocket } from 'ws';

const RESEND_AFTER_MS = 15_000;
/** An `unsubscribed` may have crossed the call that adds the member again. */
const CROSSING_MS = 2_000;
const TRY_AGAIN_LATER = 1013;
let operations = 0;

export class Seat {
  socket = null;
  live = false;
  /** By room: the last number heard. It survives reconnects. */
  seen = new Map();
  subscribed = new Set();
  asked = new Map();
  /**
   * Publishes without an answer, by op_id; they are sent again with the same name after a
   * reconnect.
   */
  pending = new Map();
  leaving = false;
  goodbye = '';

  constructor(soak, person, name) {
    this.soak = soak;
    this.person = person;
    this.name = name;
  }

  /** Resolves when authenticated; a refusal that says so is tried again. */
  async open() {
    for (;;) {
      try {
        await this.openOn(this.soak.anyNode());
        break;
      } catch (error) {
        if (this.soak.stopping || this.person.leaving) return;
        this.soak.ledger.note(`open: ${error.message}`);
        await this.soak.pause(500);
      }
    }
    for (const room of this.person.rooms) if (this.wants(room)) this.subscribe(room);
    for (const publish of this.pending.values()) this.sendPublish(publish);
  }

  openOn(node) {
    const { token } = this.person;
    const socket = new WebSocket(node.wsUrl, ['wardroom.v1'], {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    Object.assign(this, { socket, token, live: false, leaving: false, goodbye: '' });
    this.subscribed.clear();
    this.asked.clear();
    return new Promise((resolve, reject) => {
      this.authenticated = resolve;
      socket.on('message', (data) => {
        if (this.socket === socket) this.hear(JSON.parse(String(data)));
      });
      socket.on('error', reject);
      socket.once('close', (code) => {
        reject(new Error(`closed ${code} ${this.goodbye}`));
        if (this.socket === socket) this.closed(code);
      });
    });
  }

  wants(room) {
    return !this.person.removed.has(room) && !this.person.leaving;
  }

  closed(code) {
    const wasLive = this.live;
    Object.assign(this, { socket: null, live: false });
    this.onClosed?.();
    if (!wasLive || this.leaving || this.soak.stopping) return;
    const why = `${code} ${this.goodbye}`;
    if (this.person.leaving && code === 1008 && this.goodbye === 'session_revoked') return;
    // A node without its lease turns away who is not through the handshake yet; everybody else is
    // paused, not closed.
    if (code === TRY_AGAIN_LATER && this.goodbye === 'auth_unavailable')
      this.soak.ledger.note(`closed: ${why}`);
    else this.soak.ledger.violation('an unexpected close', { seat: this.name, why });
    void this.reopen();
  }

  async reopen() {
    this.soak.ledger.counts.reconnects += 1;
    if (!this.person.leaving) await this.open();
  }

  /** The network is lost, or the client goes politely; it comes back on any node. */
  async drop(polite) {
    if (!this.live || this.person.leaving) return;
    this.leaving = true;
    // Its outcome is unknown to the client, which asks again by the same name.
    this.publish(this.person.rooms[0]);
    if (polite) this.socket.close(1000);
    else this.socket.terminate();
    Object.assign(this, { socket: null, live: false });
    await this.soak.pause(Math.random() * 1500);
    if (this.socket === null && !this.soak.stopping) await this.reopen();
  }

  /** Resolves to whether the socket was closed within `ms`. */
  closesWithin(ms) {
    if (this.socket === null) return true;
    return Promise.race([
      new Promise((resolve) => (this.onClosed = () => resolve(true))),
      this.soak.pause(ms).then(() => this.socket === null),
    ]);
  }

  send(frame) {
    if (this.live) this.socket.send(JSON.stringify(frame));
  }

  /** The id of a frame whose refusal has to be understood. */
  asking(room, more = {}) {
    const id = `q${++operations}`;
    this.asked.set(id, { room, sentAt: performance.now(), ...more });
    return id;
  }

  subscribe(room) {
    const since = this.seen.get(room);
    const id = this.asking(room, { subscribing: true, since });
    this.soak.ledger.counts.subscribes += 1;
    this.send({ type: 'subscribe', id, room, ...(since === undefined ? {} : { since }) });
  }

  unsubscribe(room) {
    this.subscribed.delete(room);
    this.send({ type: 'unsubscribe', id: this.asking(room), room });
  }

  publish(room) {
    const sentAt = performance.now();
    const publish = { room, op: `${this.soak.run}-${++operations}`, sentAt, resentAt: sentAt };
    this.pending.set(publish.op, publish);
    this.soak.ledger.counts.published += 1;
    this.sendPublish(publish);
  }

  sendPublish(publish) {
    publish.resentAt = performance.now();
    this.send({
      type: 'publish',
      id: publish.op,
      room: publish.room,
      op_id: publish.op,
      body: { sent_at: publish.sentAt, pad: 'x'.repeat(100) },
    });
  }

  signal(room) {
    this.send({
      type: 'signal',
      id: this.asking(room),
      room,
      kind: 'soak',
      body: { sent_at: performance.now() },
    });
  }

  /** Also after an opening during which the person got a new token. */
  refresh() {
    if (!this.live || this.token === this.person.token) return;
    this.token = this.person.token;
    this.send({ type: 'auth_refresh', token: this.token });
  }

  /** An answer that never comes is a broken promise too. */
  checkPending(now) {
    if (!this.live) return;
    for (const publish of this.pending.values()) {
      if (now - publish.resentAt < RESEND_AFTER_MS) continue;
      this.soak.ledger.violation('a publish without an answer', {
        seat: this.name,
        room: publish.room,
        op: publish.op,
      });
      this.pending.delete(publish.op);
    }
  }

  hear(frame) {
    const { ledger } = this.soak;
    switch (frame.type) {
      case 'auth_ok':
        this.live = true;
        this.authenticated();
        this.refresh();
        return;
      case 'message':
        return ledger.delivered(this, frame);
      case 'signal':
        return ledger.signalled(this, frame);
      case 'ack': {
        if (frame.op_id === undefined) return void this.asked.delete(frame.id);
        const publish = this.pending.get(frame.op_id);
        if (publish === undefined)
          return ledger.violation('an acknowledgement that nobody waits for', {
            seat: this.name,
            frame,
          });
        this.pending.delete(frame.op_id);
        return ledger.acknowledged(this, publish, frame);
      }
      case 'subscribed':
        return this.nowSubscribed(frame);
      case 'unsubscribed':
        this.subscribed.delete(frame.room);
        this.asked.delete(frame.id);
        if (
          frame.code !== 'client' &&
          !this.person.wasOutside(frame.room, performance.now() - CROSSING_MS)
        )
          ledger.violation('an unexpected end of a subscription', { seat: this.name, frame });
        return;
      case 'error':
        return this.refused(frame);
      case 'auth_error':
        return this.notRefreshed(frame);
      case 'auth_expired':
        if (!this.person.leaving)
          ledger.violation(`${frame.type} although the token was refreshed in time`, {
            seat: this.name,
            frame,
          });
        return;
      case 'paused':
        return ledger.note('a node paused');
      case 'goodbye':
        this.goodbye = frame.code;
    }
  }

  /**
   * The old context lives on; a node that cannot prove its authority at the moment says when to ask
   * again.
   */
  notRefreshed(frame) {
    const { ledger } = this.soak;
    if (this.person.leaving) return;
    if (frame.action !== 'retry')
      return ledger.violation('a refresh was refused on the connection', {
        seat: this.name,
        frame,
      });
    ledger.note(`auth_error: ${frame.code}, retry`);
    const { socket } = this;
    void this.soak.pause(frame.retry_after_ms ?? 500).then(() => {
      if (this.socket !== socket) return;
      this.token = undefined;
      this.refresh();
    });
  }

  nowSubscribed({ id, room, seq, recovered, replayed }) {
    const { since } = this.asked.get(id) ?? {};
    this.asked.delete(id);
    this.subscribed.add(room);
    const { ledger } = this.soak;
    ledger.counts.replayed += replayed;
    if (!recovered) ledger.note('a replay was too long');
    this.seen.set(room, recovered ? (since ?? seq) : seq);
  }

  refused(frame) {
    const { ledger } = this.soak;
    const publish = this.pending.get(frame.id);
    const asked = this.asked.get(frame.id);
    const room = publish?.room ?? asked?.room;
    this.asked.delete(frame.id);
    if (
      frame.code === 'not_found' &&
      room !== undefined &&
      this.person.wasOutside(room, publish?.resentAt ?? asked.sentAt)
    ) {
      this.pending.delete(frame.id);
      return ledger.note('refused: not_found after a removal');
    }
    if (frame.action !== 'retry')
      return ledger.violation('an unexpected refusal', { seat: this.name, frame, room });
    ledger.note(`refused: ${frame.code}, retry`);
    void this.soak.pause(frame.retry_after_ms ?? 500).then(() => {
      if (publish !== undefined && this.pending.has(publish.op)) this.sendPublish(publish);
      else if (asked?.subscribing) this.subscribe(room);
    });
  }
}
