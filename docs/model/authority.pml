/*
 * The authority protocol of docs/authority.md, for SPIN. Two scenes of one protocol; README.md beside this file says what
 * each process stands for, what is left out and how to run.
 *
 *   SESSION  one session is ended. P1 and the guard of effects: once the receipt says `effective`, no node accepts or sends
 *            anything for it, and nothing of it commits.
 *   ROOM     members are removed from a room. P2: a removed member receives no durable event committed after the removal,
 *            no transient one after the receipt, and commits nothing under rights that are gone.
 *
 * -DROOM chooses the second scene. Every BUG_* flag breaks one rule; the checker must then find a violation.
 * Every line of a `do` is one atomic step; between two steps anything may happen, for as long as it likes: that is a pause,
 * a slow store and a partition at once. A message that is never delivered is a lost one.
 */
#define MAX(a, b) ((a) > (b) -> (a) : (b))

#ifndef ROOM
/* ------------------------------------------------------------------------------------------------------------ SESSION */

#ifndef B
#define B 2 /* the lease bound, in ticks; rounds and waits count the same ticks */
#endif
#ifdef BUG_WAIT
#define WAIT (B - 1) /* the waiter gives a silent node up too soon */
#else
#define WAIT B
#endif

#define EVENTS 2 /* one ends the session, the other is anything else; in either order */
#define SLOTS 3  /* rows of `nodes`: two nodes, and the one that is started after the second has died */

/* Postgres. The head is taken as the last statement of a transaction, so a commit and its number are one step. */
byte head;      /* authority_head.n */
byte ended;     /* n of the event that ended the session; 0: alive */
byte sharers;   /* FOR SHARE on its row: effects between guard and commit */
bool locked;    /* the revocation holds its row */

bool effective; /* the receipt has been given */

mtype = { idle, sent, half, answered };                        /* a lease round */
mtype = { away, verified, registered, live, over };            /* a connection of the session */
mtype = { none, submitted, guarded, done };                    /* one effect of the session */
mtype = { running, reloading, snapshot, rowed, dead, unborn }; /* a process */

typedef Node {
  mtype process = running;
  byte position;      /* applied up to here, in memory */
  bool knows;         /* the session is in the local set of ended ones */
  byte lease;         /* ticks left */
  mtype round = idle;
  byte roundAge;      /* ticks since it began */
  byte roundHead;     /* what it read */
  mtype connection = away;
  mtype effect = none;
  byte snapPosition;  /* of a start or reload: what its transaction saw */
  bool snapKnows;
  /* its row in `nodes`, and what the waiter has seen of it */
  bool row;
  byte rowPosition;
  bool fresh;         /* `at` moved since the waiter's last look */
  byte silence;       /* ticks since the waiter first saw the present `at` */
  bool settled;       /* confirmed or fenced, for the receipt */
  bool confirmed;     /* told through Redis, for the receipt */
};
Node node[SLOTS];

#define n node[i]

/* Synchronous: the set, then every connection that is registered. */
inline apply(event) {
  n.position = event;
  if
  :: event == ended ->
    n.knows = true;
    if
    :: n.connection == registered || n.connection == live -> n.connection = over
    :: else
    fi
  :: else
  fi
}

/* The waiter remembers when it first saw the present `at` of a row. */
inline look(k) {
  if
  :: node[k].row && node[k].fresh -> node[k].fresh = false; node[k].silence = 0
  :: else
  fi
}

inline settle(k) {
  if
  :: node[k].row && (node[k].rowPosition >= ended || node[k].confirmed || node[k].silence >= WAIT) -> node[k].settled = true
  :: else
  fi
}
#define open(k) (node[k].row && !node[k].settled)

inline tick(k) {
  if :: node[k].lease > 0 -> node[k].lease-- :: else fi;
  if :: node[k].round != idle && node[k].roundAge < B -> node[k].roundAge++ :: else fi;
  if :: node[k].row && node[k].silence < B -> node[k].silence++ :: else fi
}

active proctype Clock() {
  do
  :: d_step { tick(0); tick(1); tick(2) }
  od
}

/* The writer of the event that is not about the session. */
active proctype Other() {
  head++
}

/* The writer and waiter: lock the row (no effect may be inside), end it, number, COMMIT; then look until all is settled. */
active proctype Revoke() {
  /* sightings are kept between receipts: looks happen before the commit, too */
  do
  :: d_step { look(0); look(1); look(2) }
  :: break
  od;
#ifndef BUG_GUARD
  atomic { sharers == 0 -> locked = true };
#endif
  atomic { head++; ended = head; locked = false };
  do
  :: d_step { !effective -> look(0); look(1); look(2); settle(0); settle(1); settle(2); effective = !(open(0) || open(1) || open(2)) }
  :: effective -> break
  od
}

proctype Gateway(byte i) {
  do
  /* ---- the lease round: began, executed by Postgres, answered, applied to the head, extended */
  :: atomic { n.process == running && n.round == idle -> n.round = sent; n.roundAge = 0 }
#ifdef BUG_ROUND
  /* one statement whose snapshot is older than its commit: it reads the head, is held up, and is seen by others later */
  :: d_step { n.round == sent -> n.roundHead = head; n.round = half }
  :: d_step { n.round == half -> n.rowPosition = n.position; n.fresh = true; n.round = answered }
#else
#ifdef TWO_STEP_ROUND
  /* first `at`, committed; then the head, in a statement of its own */
  :: d_step { n.round == sent -> n.rowPosition = n.position; n.fresh = true; n.round = half }
  :: d_step { n.round == half -> n.roundHead = head; n.round = answered }
#else
  :: d_step { n.round == sent -> n.roundHead = head; n.rowPosition = n.position; n.fresh = true; n.round = answered }
#endif
#endif
#ifdef BUG_LEASE
  :: d_step { n.process == running && n.round == answered ->
#else
  :: d_step { n.process == running && n.round == answered && n.position >= n.roundHead ->
#endif
      n.lease = MAX(n.lease, B - n.roundAge); n.round = idle; n.roundAge = 0; n.roundHead = 0 }
  /* ---- the next event, from Postgres or from the stream; the stream may be ahead, late or silent */
  :: d_step { n.process != dead && n.process != unborn && n.process != rowed && n.position < head -> apply(n.position + 1) }
#ifdef BUG_GAP
  :: d_step { n.process == running && n.position + 1 < head -> apply(head) }
#endif
  /* ---- "applied up to n", through Redis, or never */
  :: d_step { n.process == running && ended > 0 && n.position >= ended && !n.confirmed -> n.confirmed = true }
#ifdef BUG_LATE
  /* an unnumbered "restored" of before arrives after the end and is believed */
  :: d_step { n.process == running && n.knows -> n.knows = false }
#endif
  /* ---- handshake: check - register - check again */
  :: d_step { n.process == running && n.connection == away && n.lease > 0 && !n.knows -> n.connection = verified }
#ifdef BUG_REGISTER
  :: d_step { n.process == running && n.connection == verified && n.lease > 0 -> n.connection = live }
#else
  :: d_step { n.process == running && n.connection == verified && n.lease > 0 -> n.connection = registered }
  :: d_step { n.process == running && n.connection == registered && n.lease > 0 -> n.connection = (n.knows -> over : live) }
#endif
  :: d_step { n.connection == over && n.process == running -> n.connection = away }
  /* ---- a frame in or out: state and lease are compared in the very step (P1) */
  :: d_step { n.process == running && n.connection == live && n.lease > 0 -> assert(!effective) }
  /* ---- an effect: accepted here, guarded and committed in Postgres whenever it gets there, whatever became of us */
  :: d_step { n.process == running && n.connection == live && n.lease > 0 && n.effect == none -> n.effect = submitted }
#ifdef BUG_GUARD
  :: d_step { n.effect == submitted -> n.effect = guarded }
  :: d_step { n.effect == guarded -> assert(!effective); n.effect = done }
#else
  :: d_step { n.effect == submitted && !locked && ended == 0 -> sharers++; n.effect = guarded }
  :: d_step { n.effect == submitted && ended > 0 -> n.effect = done }
  :: d_step { n.effect == guarded -> assert(!effective); sharers--; n.effect = done }
#endif
  /* ---- crash, clean stop; the next process is another row */
  :: d_step { i == 1 && n.process == running -> n.process = dead; n.lease = 0; n.connection = over;
      node[2].process = reloading }
  :: d_step { i == 1 && n.process == running && n.round == idle -> n.process = dead; n.lease = 0; n.connection = over; n.row = false;
      node[2].process = reloading }
  /* ---- behind the pruned log: nobody is served, snapshot and row in one transaction, sets replaced, connections judged again */
  :: d_step { i == 0 && n.process == running && n.round == idle -> n.process = reloading; n.lease = 0 }
  :: d_step { n.process == reloading -> n.snapPosition = head; n.snapKnows = (ended > 0); n.process = snapshot }
  :: d_step { n.process == snapshot -> n.row = true; n.rowPosition = n.snapPosition; n.fresh = true; n.process = rowed }
  :: d_step { n.process == rowed ->
      n.position = n.snapPosition; n.knows = n.snapKnows; n.snapPosition = 0; n.snapKnows = false; n.process = running;
      if
      :: n.knows && (n.connection == registered || n.connection == live) -> n.connection = over
      :: else
      fi }
  od
}

init {
  atomic {
    node[0].row = true;
    node[1].row = true;
    node[2].process = unborn;
    run Gateway(0);
    run Gateway(1);
    run Gateway(2)
  }
}

#endif
