/*
 * The authority protocol of docs/authority.md, for SPIN. Two scenes of one protocol; README.md beside this file says what
 * each process stands for, what is left out and how to run.
 *
 *   SESSION  one session is ended. P1 and the guard of effects: once the receipt says `effective`, no node accepts or sends
 *            anything for it, and nothing of it commits.
 *   ROOM     members are removed from a room. P2: a removed member receives no durable event committed after the removal,
 *            no transient one after the receipt, and commits nothing under rights that are gone.
 *
 * -DROOM chooses the second scene. -DREWIND adds to the first that Postgres steps back: it comes back without its newest commits. Every BUG_* flag breaks one rule; the checker must then find a violation.
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
#define SLOTS 2  /* rows of `nodes`. A crash without a successor is a pause without an end */

/* Postgres. The head is taken as the last statement of a transaction, so a commit and its number are one step. */
byte head;      /* authority_head.n */
byte ended;     /* n of the event that ended the session; 0: alive */
byte sharers;   /* FOR SHARE on its row: effects between guard and commit */
bool locked;    /* the revocation holds its row */

bool effective; /* the receipt has been given */

/*
 * The step back. Event n has a hash; all that matters of it is whether it was written before the step or after. So `fresh` is the
 * hash at a position, and `kept` the number up to which the log is what it was.
 */
#define NEVER 255
byte kept = NEVER;
byte lostHead;  /* what the stream may still bring of the lost log */
byte lostEnded;
#define fresh(number) (number > kept)

mtype = { idle, sent, half, answered };                        /* a lease round */
mtype = { away, verified, registered, live };                  /* a connection of the session */
mtype = { none, submitted, guarded, done };                    /* one effect of the session */
mtype = { running, reloading, snapshot, rowed, dead, unborn }; /* a process */

typedef Node {
  mtype process = running;
  byte position;      /* applied up to here, in memory */
  bool fresh;         /* the hash at it */
  bool knows;         /* the session is in the local set of ended ones */
  byte lease;         /* ticks left */
  mtype round = idle;
  byte roundAge;      /* ticks since it began */
  byte roundHead;     /* what it read */
  bool roundFresh;
  mtype connection = away;
  mtype effect = none;
  byte snapPosition;  /* of a start or reload: what its transaction saw */
  bool snapFresh;
  bool snapKnows;
  /* its row in `nodes`, and what the waiter has seen of it */
  bool row;
  byte silence;       /* ticks since the last version of its row that a look after the COMMIT may show was written: the waiter that sees everything at once is the one that gives up first */
  bool listed;        /* in `nodes` at that look */
  bool settled;       /* confirmed or fenced, for the receipt */
};
Node node[SLOTS];

#define n node[i]

/* Synchronous: the set, then every connection that is registered. */
inline apply(event, end) {
  n.position = event;
  if
  :: n.position == end ->
    n.knows = true;
    if
    :: n.connection == registered || n.connection == live -> n.connection = away
    :: else
    fi
  :: else
  fi
}

/* Memory is gone; the row, what is under way in Postgres, and the next process are not. */
inline die() {
  n.process = dead;
  n.position = 0;
  n.fresh = false;
  n.knows = false;
  n.lease = 0;
  n.round = idle;
  n.roundAge = 0;
  n.roundHead = 0;
  n.roundFresh = false;
  n.connection = away;
  node[1].process = reloading
}

/*
 * What a node says of itself, by its row or through Redis: true when it says so, and late or lost when the waiter looks
 * later. A row that registers again says what its snapshot saw, before that is loaded.
 */
#define applied(k) (node[k].process == rowed -> node[k].snapPosition : (node[k].process == dead -> 0 : node[k].position))
#ifdef BUG_CONFIRMED
#define holds(k) true /* the waiter compares numbers across a replaced history */
#else
/* The hash that it names is the one that the log has there now. */
#define holds(k) ((node[k].process == rowed -> node[k].snapFresh : node[k].fresh) == fresh(applied(k)))
#endif

inline settle(k) {
  if
  :: node[k].listed && (applied(k) >= ended && holds(k) || node[k].silence >= WAIT) -> node[k].settled = true
  :: else
  fi
}
#define open(k) (node[k].listed && node[k].row && !node[k].settled)

/* A round that writes its row after the look reads the head after it, so it changes nothing for the waiter. */
#ifdef BUG_SIGHTING
#define wrote(k) skip /* the waiter counts from whatever it saw first, and does not look again after the COMMIT */
#else
#define wrote(k) if :: ended == 0 -> node[k].silence = 0 :: else fi
#endif

inline tick(k) {
  if :: node[k].lease > 0 -> node[k].lease-- :: else fi;
  if :: node[k].round != idle && node[k].roundAge < B -> node[k].roundAge++ :: else fi;
  if :: node[k].row && node[k].silence < B -> node[k].silence++ :: else fi
}

proctype Clock() {
  do
  :: d_step { tick(0); tick(1) }
  od
}

/* The writer of the event that is not about the session. */
proctype Other() {
  head++
}

/* The event and its number; the look of the waiter after it. */
inline end() {
  head++;
  ended = head;
  node[0].listed = node[0].row;
  node[1].listed = node[1].row
}

#ifdef REWIND
/*
 * Once, to any number that was. What was said of a lost end is void, and whoever waited for it begins anew (503 `retry`). Another
 * process of Postgres answers, so what the waiter saw of the nodes counts from here.
 */
proctype StepBack() {
  atomic {
    kept = 0;
    do
    :: kept < head -> kept++
    :: break
    od;
    lostHead = head;
    lostEnded = ended;
    head = kept;
    if
    :: ended > kept ->
      ended = 0;
      effective = false;
      node[0].listed = false;
      node[1].listed = false;
      node[0].settled = false;
      node[1].settled = false
    :: else
    fi;
#ifdef BUG_SILENCE
    node[0].silence = B; node[1].silence = B /* it believes the old rows that came back, and that it saw them long ago */
#else
    node[0].silence = 0; node[1].silence = 0
#endif
  }
}
#endif

/* The writer and waiter: lock the row (no effect may be inside), end it, number, COMMIT; then look until all is settled. */
proctype Revoke() {
#ifndef BUG_GUARD
  atomic { sharers == 0 -> locked = true };
#endif
  atomic { end(); locked = false };
  do
  :: d_step { ended > 0 && !effective -> settle(0); settle(1); effective = !(open(0) || open(1)) }
#ifdef REWIND
  :: d_step { ended == 0 -> end() }
#else
  :: effective -> break
#endif
  od
}

/* The round's second statement: its answer contradicts what the node remembers. */
#ifdef BUG_ROUND_NUMBER
#define contradicted false
#else
#define contradicted (n.position > head || n.fresh != fresh(n.position))
#endif

/* The very event that the answer names as the head is applied: also when the stream brought another meanwhile. */
#if defined(BUG_HEAD_NUMBER) || defined(BUG_ROUND_NUMBER)
#define reached (n.position >= n.roundHead) /* numbers compared across a replaced history */
#else
#define reached (n.position >= n.roundHead && (n.fresh && fresh(n.roundHead)) == n.roundFresh)
#endif

proctype Gateway(byte i) {
  do
  /* ---- the lease round: began, executed by Postgres, answered, applied to the head, extended */
  :: atomic { n.process == running && n.round == idle -> n.round = sent; n.roundAge = 0 }
#ifdef BUG_ROUND
  /* the head first, or in one statement: its snapshot is older than its commit */
  :: d_step { n.round == sent -> n.roundHead = head; n.round = half }
  :: d_step { n.round == half -> wrote(i); n.round = answered }
#else
  /* first the row, committed; then the head, in a statement of its own */
  :: d_step { n.round == sent -> wrote(i); n.round = half }
  :: d_step { n.round == half && !contradicted -> n.roundHead = head; n.roundFresh = fresh(head); n.round = answered }
#endif
#ifdef REWIND
  /* ---- the history was replaced: fenced, what it knows is ended again, everything is loaded and judged anew */
  :: d_step { n.round == half && n.process == running && contradicted ->
      n.lease = 0; n.round = idle; n.roundAge = 0; n.process = reloading;
      if
      :: n.knows && ended == 0 -> end()
      :: else
      fi }
#endif
#ifdef BUG_LEASE
  :: d_step { n.process == running && n.round == answered ->
#else
  :: d_step { n.process == running && n.round == answered && reached ->
#endif
      n.lease = MAX(n.lease, B - n.roundAge); n.round = idle; n.roundAge = 0; n.roundHead = 0; n.roundFresh = false }
  /* ---- the next event, from Postgres or from the stream; the stream may be ahead, late or silent */
  :: d_step { n.process != dead && n.process != unborn && n.process != rowed && n.position < head && n.fresh == fresh(n.position) ->
      apply(n.position + 1, ended); n.fresh = fresh(n.position) }
#ifdef BUG_GAP
  :: d_step { n.process == running && n.position + 1 < head -> apply(head, ended) }
#endif
#ifdef REWIND
  /* the stream brings what is lost: it follows on where the node has seen nothing newer */
  :: d_step { n.process == running && kept <= n.position && n.position < lostHead && !n.fresh -> apply(n.position + 1, lostEnded) }
#endif
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
  :: d_step { n.process == running && n.connection == registered && n.lease > 0 -> n.connection = (n.knows -> away : live) }
#endif
  /* ---- a frame in or out: state and lease are compared in the very step (P1) */
  :: d_step { n.process == running && n.connection == live && n.lease > 0 -> assert(!effective) }
#ifndef REWIND
  /* ---- an effect: accepted here, guarded and committed in Postgres whenever it gets there, whatever became of us */
  :: d_step { n.process == running && n.connection == live && n.lease > 0 && i == 0 && n.effect == none -> n.effect = submitted }
#ifdef BUG_GUARD
  :: d_step { n.effect == submitted -> n.effect = guarded }
  :: d_step { n.effect == guarded -> assert(!effective); n.effect = done }
#else
  :: d_step { n.effect == submitted && !locked && ended == 0 -> sharers++; n.effect = guarded }
  :: d_step { n.effect == submitted && ended > 0 -> n.effect = done }
  :: d_step { n.effect == guarded -> assert(!effective); sharers--; n.effect = done }
#endif
#endif
  /* ---- crash, clean stop; the next process is another row */
#ifdef RESTART
  :: d_step { i == 0 && n.process == running -> die() }
  :: d_step { i == 0 && n.process == running -> die(); n.row = false }
#endif
  /* ---- behind the pruned log: nobody is served, snapshot and row in one transaction, sets replaced, connections judged again */
#ifdef RELOAD
  :: d_step { i == 0 && n.process == running && n.round == idle -> n.process = reloading; n.lease = 0 }
#endif
  :: d_step { n.process == reloading -> n.snapPosition = head; n.snapFresh = fresh(head); n.snapKnows = (ended > 0); n.process = snapshot }
  :: d_step { n.process == snapshot -> n.row = true; wrote(i); n.process = rowed }
  :: d_step { n.process == rowed ->
      n.position = n.snapPosition; n.fresh = n.snapFresh; n.knows = n.snapKnows; n.snapPosition = 0; n.snapFresh = false; n.snapKnows = false; n.process = running;
      if
      :: n.knows && (n.connection == registered || n.connection == live) -> n.connection = away
      :: else
      fi }
  od
}

init {
  atomic {
    node[0].row = true;
#if defined(RESTART) || defined(SOLO)
    node[1].process = unborn;
#else
    node[1].row = true;
#endif
    run Gateway(0);
    run Gateway(1);
#ifdef REWIND
    run StepBack();
#endif
    run Clock();
#ifndef ALONE
    run Other();
#endif
    run Revoke()
  }
}

#else
/* --------------------------------------------------------------------------------------------------------------- ROOM */

#define EVENTS 2   /* shrinking changes of the room; each moves the epoch by one and is one event of the log, so n = epoch */
#define NONE 9

mtype = { unknown, member, stranger };   /* a member in a picture of the cache */
mtype = { shut, opening, ready };        /* a room channel */
mtype = { nobody, him, other };          /* whom a load or a change is about */

/* Postgres. The room's row is locked by every change and every commit of an event, so each is one step. */
byte epoch;                /* rooms.authz_epoch = authority_head.n */
bool isMember = true;      /* X, in Postgres */
mtype subject[EVENTS + 1]; /* whom event n took rights from: him (X) or another */
byte removedAt;            /* n of the last removal of X */
bool receipt;              /* its receipt is effective, and X has not been added again */

/* One durable event, at any time (the promise is about each alone): its epoch, and whether X may not have it. */
byte stored = NONE;
bool forbidden;
bool delivered;

/* An addition of rights, announced without a number, about X or about somebody else: one at a time is on its way. */
byte grown = NONE;
mtype grownOf = nobody;

/* The node that X is connected to. `lease` stands for what scene SESSION proves: the waiter calls a node fenced only when it
 * has none, and it has one again only at the head. */
byte position;
#ifdef TRANSIENT
#define RELOADED false
bool lease;
#else
#define RELOADED true
bool lease = true;
#endif
byte pictureEpoch = NONE; /* membership cache: the room's entry, true as of this epoch */
mtype x = unknown;        /* X in that picture */
mtype loading = nobody;   /* one load under way: what it read, and what the log brought meanwhile */
byte loadEpoch;
mtype loadX;
byte overtaken;
mtype channel = shut;
byte channelEpoch;        /* applied by the channel */
byte channelHead;         /* epoch that came with the head it was positioned at */
bool subscribed;          /* X is in the channel's list */
byte publishEpoch = NONE; /* one publish of X on its way to Postgres, with the epoch of the facts that allowed it */

/* The other node: somebody there sends transient frames, judged by its own picture. */
byte farPosition;
bool farLease;
byte transientEpoch = NONE;

/* Promises. */
#define deliverEvent() if :: subscribed -> assert(!forbidden) :: else fi
#define deliverTransient() if :: subscribed -> assert(!receipt) :: else fi

inline forgetPicture() {
  pictureEpoch = NONE;
  x = unknown
}

/* MembershipCache.advance: what follows on directly changes one member; a leap forgets the picture. */
inline advance(to, who) {
  if
  :: loading != nobody -> overtaken = MAX(to, overtaken)
  :: else
  fi;
  if
  :: pictureEpoch == NONE
  :: pictureEpoch != NONE && to > pictureEpoch + 1 -> forgetPicture()
  :: pictureEpoch != NONE && to <= pictureEpoch + 1 ->
    pictureEpoch = MAX(to, pictureEpoch);
    if
    :: who == him -> x = unknown
    :: else
    fi
  fi
}

/* An addition of rights says nothing of the changes before it: one that is ahead of the picture forgets it. */
inline applyGrown(to, who) {
#ifdef BUG_GROWN
  advance(to, who)
#else
  if
  :: pictureEpoch != NONE && to > pictureEpoch -> forgetPicture()
  :: pictureEpoch != NONE && to <= pictureEpoch && who == him -> x = unknown
  :: else
  fi
#endif
}

proctype Changes() {
  do
  /* remove X, or take something from somebody else */
  :: d_step { epoch < EVENTS && isMember -> epoch++; isMember = false; subject[epoch] = him; removedAt = epoch; receipt = false }
  :: d_step { epoch < EVENTS -> epoch++; subject[epoch] = other }
  /* add X again: what was said meanwhile is his to read from now on */
  :: d_step { !isMember && epoch < EVENTS -> isMember = true; receipt = false; forbidden = false; grown = epoch; grownOf = him }
  :: d_step { grown == NONE -> grown = epoch; grownOf = other }
#ifdef DURABLE
  /* somebody whose rights nobody touches publishes, anywhere */
  :: d_step { stored == NONE -> stored = epoch; forbidden = !isMember }
#endif
#ifdef TRANSIENT
  /* the waiter of the last removal: each node has confirmed or is fenced */
  :: d_step { !isMember && !receipt && (position >= removedAt || !lease) && (farPosition >= removedAt || !farLease) -> receipt = true }
#endif
  od
}

proctype Far() {
  do
  :: d_step { farPosition < epoch -> farPosition++ }
  :: d_step { farPosition == epoch -> farLease = true }
  :: d_step { farLease -> farLease = false }
  /* the picture of its sender may be ahead of its log, never behind */
  :: d_step { farLease && transientEpoch == NONE -> transientEpoch = farPosition }
  :: d_step { farLease && transientEpoch == NONE -> transientEpoch = epoch }
  od
}

proctype Near() {
  do
  /* ---- the next event of the log, from the stream or from Postgres: cache first, then the list, then the epoch */
  :: d_step { position < epoch ->
      position++;
      advance(position, subject[position]);
      if
      :: subject[position] == him -> subscribed = false
      :: else
      fi;
      if
      :: channel != shut -> channelEpoch = MAX(channelEpoch, position)
      :: else
      fi }
#ifdef TRANSIENT
  :: d_step { position == epoch -> lease = true }
  :: d_step { lease -> lease = false }
#endif
#ifdef RELOAD
  /* ---- behind the pruned log: a new snapshot instead of the events */
  :: d_step { position < epoch ->
      lease = RELOADED;
      position = epoch;
#ifndef BUG_RELOAD
      forgetPicture();
      if
      :: loading != nobody -> overtaken = epoch
      :: else
      fi;
      subscribed = subscribed && isMember;
      if
      :: channel != shut -> channelEpoch = epoch
      :: else
      fi
#endif
    }
#endif
  /* ---- additions of rights: late, lost, or ahead of the log */
  :: d_step { grown != NONE -> applyGrown(grown, grownOf); grown = NONE; grownOf = nobody }
  /* ---- facts: a load reads one snapshot, of X or of somebody else in the room, and settles later */
  :: d_step { loading == nobody -> loading = him; loadEpoch = epoch; loadX = (isMember -> member : stranger) }
  :: d_step { loading == nobody -> loading = other; loadEpoch = epoch; loadX = unknown }
  :: d_step { loading != nobody ->
      if
#ifdef BUG_LOAD
      :: false
#else
      :: loadEpoch < overtaken || (pictureEpoch != NONE && loadEpoch < pictureEpoch)
#endif
      :: else ->
        if
        :: pictureEpoch == NONE || loadEpoch > pictureEpoch -> pictureEpoch = loadEpoch; x = unknown
        :: else
        fi;
        if
        :: loading == him -> x = loadX
        :: else
        fi
      fi;
      loading = nobody; loadEpoch = 0; loadX = unknown; overtaken = 0 }
#ifndef PUBLISH
  /* ---- the channel: listens, reads the head, is positioned; closes when nobody is left */
  :: d_step { channel == shut -> channel = opening; channelEpoch = 0; channelHead = epoch }
  :: d_step { channel == opening -> channel = ready; channelEpoch = MAX(channelEpoch, channelHead); channelHead = 0 }
  :: d_step { channel == ready && !subscribed -> channel = shut; channelEpoch = 0 }
  /* ---- subscribe: decided and inserted in one step, by a picture that is not behind the channel */
  :: d_step { lease && channel == ready && x == member && pictureEpoch >= channelEpoch -> subscribed = true }
#endif
  /* ---- fan-out: the new-enemy rule */
#ifdef BUG_EPOCH
#define applied(e) true
#else
#define applied(e) (e <= channelEpoch)
#endif
#ifdef DURABLE
  :: d_step { lease && channel == ready && stored != NONE && !delivered && applied(stored) -> deliverEvent(); delivered = true }
#endif
#ifdef TRANSIENT
  :: d_step { lease && channel == ready && transientEpoch != NONE && applied(transientEpoch) -> deliverTransient(); transientEpoch = NONE }
  :: d_step { transientEpoch != NONE -> transientEpoch = NONE }
#endif
#ifdef PUBLISH
  /* ---- a publish of X: judged here, committed there if the epoch is still that of the facts */
  :: d_step { lease && x == member && publishEpoch == NONE -> publishEpoch = pictureEpoch }
#ifdef BUG_STALE
  :: d_step { publishEpoch != NONE -> assert(isMember); publishEpoch = NONE }
#else
  :: d_step { publishEpoch != NONE && publishEpoch == epoch -> assert(isMember); publishEpoch = NONE }
  :: d_step { publishEpoch != NONE && publishEpoch != epoch -> publishEpoch = NONE }
#endif
#endif
  od
}

init {
  atomic {
    run Changes();
#ifdef TRANSIENT
    run Far();
#endif
    run Near()
  }
}

#endif
