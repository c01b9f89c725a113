/**
 * Conditions on every delivery, acknowledgement and close, checked when it happens. Times are of
 * one clock, that of this process: a frame *sent* after a receipt arrived must not reach a user
 * that the receipt names.
 */
const KEPT = 50;

export class Ledger {
  counts = {
    deliveries: 0,
    signals: 0,
    published: 0,
    acknowledged: 0,
    duplicates_acknowledged: 0,
    receipts: 0,
    reconnects: 0,
    refreshes: 0,
    replayed: 0,
    subscribes: 0,
  };
  /**
   * Not a broken promise, but worth knowing: refusals that say `retry`, receipts that had to wait,
   * pauses.
   */
  trouble = {};
  violations = { count: 0, first: [] };
  /** By room: seq -> message_id, and op_id -> seq of what was acknowledged. */
  rooms = new Map();

  violation(what, details) {
    this.violations.count += 1;
    if (this.violations.first.length >= KEPT) return;
    const line = { at: new Date().toISOString(), what, ...details };
    this.violations.first.push(line);
    console.error('VIOLATION', JSON.stringify(line));
  }

  note(what) {
    this.trouble[what] = (this.trouble[what] ?? 0) + 1;
  }

  room(id) {
    let room = this.rooms.get(id);
    if (room === undefined)
      this.rooms.set(id, (room = { messages: new Map(), acks: new Map(), head: 0, verified: 0 }));
    return room;
  }

  /**
   * A durable event at a seat: the next number, the message that everybody else saw under it, and
   * nobody it was taken from.
   */
  delivered(seat, { room, seq, message_id: message, body }) {
    this.counts.deliveries += 1;
    const last = seat.seen.get(room);
    if (last === undefined)
      this.violation('a delivery before `subscribed`', { seat: seat.name, room, seq });
    else if (seq !== last + 1)
      this.violation(seq <= last ? 'a duplicate' : 'a gap', {
        seat: seat.name,
        room,
        seq,
        after: last,
      });
    seat.seen.set(room, seq);
    this.known(room, seq, message);
    this.afterReceipt(seat, room, body.sent_at);
  }

  signalled(seat, { room, body }) {
    this.counts.signals += 1;
    this.afterReceipt(seat, room, body.sent_at);
  }

  afterReceipt({ person, name }, room, sentAt) {
    const barrier = person.barriers.get(room) ?? person.barriers.get('session');
    if (barrier !== undefined && sentAt > barrier)
      this.violation('a delivery after the receipt', { seat: name, room, ms: sentAt - barrier });
  }

  known(roomId, seq, message) {
    const room = this.room(roomId);
    const other = room.messages.get(seq);
    if (other === undefined) room.messages.set(seq, message);
    else if (other !== message)
      this.violation('two messages under one number', { room: roomId, seq, message, other });
    if (seq > room.head) room.head = seq;
  }

  acknowledged(seat, publish, { room, seq, message_id: message, op_id: op, duplicate }) {
    this.counts.acknowledged += 1;
    if (duplicate) this.counts.duplicates_acknowledged += 1;
    this.known(room, seq, message);
    // Events that history has shown already were compared by `known`.
    if (seq > this.room(room).verified) this.room(room).acks.set(op, seq);
    // It was sent once; only what was first sent after the receipt must not have been accepted.
    const barrier = seat.person.barriers.get(room) ?? seat.person.barriers.get('session');
    if (barrier !== undefined && publish.sentAt > barrier)
      this.violation('a publish was accepted after the receipt', { seat: seat.name, room });
  }

  /**
   * A page of history: in order, nothing twice, every acknowledged publish up to its end at its
   * number.
   */
  verify(roomId, items) {
    const room = this.room(roomId);
    for (const { seq, message_id: message, op_id: op } of items) {
      if (seq <= room.verified) this.violation('history repeats itself', { room: roomId, seq });
      const acked = room.acks.get(op);
      if (acked !== undefined && acked !== seq)
        this.violation('an acknowledged publish is in history under another number', {
          room: roomId,
          op,
          seq,
          acked,
        });
      this.known(roomId, seq, message);
      room.acks.delete(op);
      room.verified = seq;
    }
    for (const [op, seq] of room.acks) {
      if (seq <= room.verified) {
        this.violation('an acknowledged publish is not in history', { room: roomId, op, seq });
        room.acks.delete(op);
      }
    }
    // The rest is not needed any more: a soak must not grow itself.
    for (const seq of room.messages.keys())
      if (seq < room.verified - 5_000) room.messages.delete(seq);
  }
}
