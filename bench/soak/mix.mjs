/**
 * The mixed load: what happens how often. Everything is a few times a second, so that it can run
 * beside other work.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Mean times a second, over all people, at pace 1. */
const RATES = {
  publish: 14,
  signal: 14,
  churn: 4,
  drop: 1.5,
  loseRoom: 0.5,
  logout: 0.25,
  revoke: 0.25,
};
const TICK_MS = 50;
/**
 * V8 compiles what is seldom only after thousands of calls, for the first quarter of an hour. So
 * everything happens more often at first, and long enough before memory is judged as usual that
 * what more of it left has gone: what grows then is data.
 */
export const FAST = { pace: 5, minutes: 3.5 };

/** Until `soak.stopping`; resolves when what it began has ended. */
export async function mixedLoad(soak, people) {
  const running = new Set();
  const alone = (person, work) => {
    person.busy = true;
    const job = work
      .catch((error) => {
        if (!soak.stopping)
          soak.ledger.violation('an operation failed', { user: person.email, error: error.stack });
      })
      .finally(() => {
        person.busy = false;
        running.delete(job);
      });
    running.add(job);
  };
  const acts = {
    publish: (person, seat, room) => seat.publish(room),
    signal: (person, seat, room) => seat.signal(room),
    churn: (person, seat, room) =>
      seat.subscribed.has(room) && Math.random() < 0.5
        ? seat.unsubscribe(room)
        : seat.subscribe(room),
    drop: (person, seat) => alone(person, seat.drop(Math.random() < 0.3)),
    loseRoom: (person, seat, room) => alone(person, person.loseRoom(room)),
    logout: (person) => alone(person, person.endSession(false)),
    revoke: (person) => alone(person, person.endSession(true)),
  };
  while (!soak.stopping) {
    for (const [name, rate] of Object.entries(RATES)) {
      for (let due = (soak.pace * rate * TICK_MS) / 1000; due > 0; due -= 1) {
        if (Math.random() >= due) continue;
        const person = pick(people);
        const seat = pick(person.seats);
        if (!person.busy && seat.live) acts[name](person, seat, pick(person.rooms));
      }
    }
    const now = performance.now();
    for (const person of people) {
      for (const seat of person.seats) seat.checkPending(now);
      if (!person.leaving && now >= person.refreshAt)
        person
          .refresh()
          .catch((error) =>
            soak.ledger.violation('a refresh failed', { user: person.email, error: error.message }),
          );
    }
    await sleep(TICK_MS);
  }
  await Promise.all(running);
}

const pick = (list) => list[Math.floor(Math.random() * list.length)];
