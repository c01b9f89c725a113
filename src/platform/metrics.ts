/**
 * Every metric, once. Labels are bounded: codes, outcomes and frame types of the protocol, never
 * ids or input. docs/operations.md prints this table (`npm run docs`).
 */
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * A counter for what happens per frame, delivery or connection: plain numbers by the values of its
 * labels, which prom-client, whose counting costs a microsecond, is told when it is asked.
 */
class Tally<L extends string> {
  private readonly counts = new Map<string, number>();

  constructor(
    name: string,
    help: string,
    private readonly labels: readonly L[],
    registry: Registry,
  ) {
    const { counts } = this;
    const counter = new Counter({
      name,
      help,
      labelNames: labels,
      registers: [],
      collect() {
        this.reset();
        for (const [key, count] of counts) {
          const values = key.split('\n');
          const entries = labels.map((label, i) => [label, values[i]!]);
          this.inc(Object.fromEntries(entries) as Record<L, string>, count);
        }
      },
    });
    registry.registerMetric(counter);
  }

  inc(labels: Record<L, string>, by = 1): void {
    let key = labels[this.labels[0]!];
    for (let i = 1; i < this.labels.length; i += 1) key += `\n${labels[this.labels[i]!]}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }
}

/** A gauge for what changes with every connection: told when it is asked, like a tally. */
class Level {
  value = 0;

  constructor(name: string, help: string, registry: Registry) {
    const now = () => this.value;
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(now());
      },
    });
    registry.registerMetric(gauge);
  }
}

@Injectable()
export class Metrics {
  readonly registry = new Registry();

  readonly connections = this.level('connections', 'open connections');
  readonly subscriptions = this.level('subscriptions', 'live subscriptions');
  readonly watchers = this.level('watchers', 'connections that watch the rooms of their user');
  readonly watchedRooms = this.level('watched_rooms', 'rooms of users that watch, each user apart');
  readonly handshakes = this.tally(
    'handshakes_total',
    'ways in, by outcome: phase `upgrade` answers the HTTP request; phase `auth` decides the first credential of each accepted one: `accepted`, the close code, or `left`',
    'outcome',
    'phase',
  );
  readonly carriers = this.tally(
    'carriers_total',
    'accepted upgrade requests by the carrier of their credential; off: `?token=` where QUERY_TOKEN is off',
    'carrier',
  );
  readonly reconnects = this.counter(
    'reconnects_total',
    'handshakes of a session within 60 s of the last end of one of its connections, on any node, by what that end was; known some seconds later',
    ['after'],
  );
  readonly reauth = this.counter(
    'reauth_total',
    'credentials presented again on an open connection (`auth_refresh`), by outcome: `ok`, `same_token`, or the code',
    ['outcome'],
  );
  readonly expiries = this.counter(
    'expiries_total',
    'tokens that end under a connection: warned (`auth_expiring_soon`), expired (its grace begins), renewed (after the warning or in grace), closed (4001 `token_expired`); at_connect: expired when it was presented',
    ['phase'],
  );
  readonly denials = this.counter(
    'denials_total',
    'refusals by the policy, by action and code; `subscribe` is by a frame, `read` by REST',
    ['action', 'code'],
  );
  readonly tcpRefused = this.counter(
    'tcp_refused_total',
    'TCP connections cut where they came in, by the cap that was full: address or node',
    ['cap'],
  );
  readonly framesIn = this.tally('frames_in_total', 'frames received by type', 'type');
  readonly deliveries = this.tally('deliveries_total', 'frames queued for connections', 'kind');
  readonly refusals = this.counter('refusals_total', 'errors answered, by code', ['code', 'via']);
  readonly connectionsClosed = this.counter(
    'connections_closed_total',
    'ends of connections, each once: by the server with its code, by the client with its close status, by the transport (reset, timeout, half_open)',
    ['side', 'code'],
  );
  readonly closesLost = this.counter(
    'closes_lost_total',
    'ends of connections without a row that explains them: too many waited, or came from strangers',
    [],
  );
  readonly publishSeconds = this.histogram('publish_seconds', 'publish received to commit', []);
  readonly publishBatch = new Histogram({
    name: 'wardroom_publish_batch',
    help: 'room events per database call',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers: [this.registry],
  });
  readonly busMessages = this.tally(
    'bus_messages_total',
    'messages to the other nodes of a room through Redis, by kind',
    'kind',
  );
  readonly redisErrors = this.counter(
    'redis_errors_total',
    'errors of Redis by their first word; connection, timeout, deaf (a subscriber that hears nothing), huge',
    ['kind'],
  );
  readonly redisIgnored = this.counter(
    'redis_ignored_total',
    'messages and values in Redis that were ignored: not sealed by this installation, late, of an unknown shape or version',
    ['channel', 'reason'],
  );
  readonly gapsRepaired = this.counter(
    'gaps_repaired_total',
    'gaps in a room closed from Postgres',
    [],
  );
  readonly roomResets = this.counter(
    'room_resets_total',
    'rooms of this node whose past was replaced',
    [],
  );
  readonly roomEventsLost = this.counter(
    'room_events_lost_total',
    'room events this node knew that Postgres does not have any more',
    [],
  );
  readonly replayReads = this.tally(
    'replay_reads_total',
    'pieces of replays served from memory (tail), statements that read events for replays (postgres) or whether a tail is whole (head)',
    'from',
  );
  readonly logins = this.counter(
    'logins_total',
    'sign-ins by method (password, registration, guest, exchange, try_out) and outcome code',
    ['method', 'outcome'],
  );
  readonly mails = this.counter(
    'mails_total',
    'mails by kind (password_reset, invitation) and outcome: sent, failed (the server refused it, or could not be reached three times), dropped (too many waited)',
    ['kind', 'outcome'],
  );
  readonly refreshes = this.counter('refreshes_total', 'refreshes by outcome code', ['outcome']);
  readonly authLoops = this.counter(
    'auth_loops_total',
    'clients in a loop, one for each period: `credential` was refused 10 times within 60 s (`code`: why); `refresh`: 30 refreshes of a session within 60 s; `reconnect`: 10 connections of a session within 300 s, each over within 30 s (`code`: of the last one)',
    ['kind', 'code'],
  );
  readonly auditCounted = this.counter(
    'audit_counted_total',
    'audit records that were counted in another instead of written one by one',
    ['event'],
  );
  readonly auditLost = this.counter(
    'audit_lost_total',
    'audit records that could not be written',
    [],
  );
  readonly auditTruncated = this.counter(
    'audit_truncated_total',
    'audit chains that this node found cut or rewound in Postgres',
    [],
  );
  readonly sessionsEnded = this.counter('sessions_ended_total', 'sessions ended, by reason', [
    'reason',
  ]);
  readonly authorityPosition = this.gauge(
    'authority_position',
    'applied position in the authority log',
  );
  readonly authorityFenced = this.gauge(
    'authority_fenced',
    '1 while this node cannot prove its authority',
  );
  readonly historyReplaced = this.counter(
    'authority_history_replaced_total',
    'times this node found that Postgres had lost commits, by what showed it',
    ['evidence'],
  );
  readonly authorityRoundSeconds = this.histogram(
    'authority_round_seconds',
    'duration of a lease round',
    [],
  );
  readonly clockOffset = this.gauge(
    'clock_offset_seconds',
    "this node's wall clock minus that of Postgres; over 5 s either way it is fenced",
  );
  readonly receiptSeconds = this.histogram('receipt_seconds', 'commit to receipt', ['effective']);
  readonly insecureHttp = this.gauge('insecure_http', '1 while ALLOW_INSECURE_HTTP is on');
  readonly tlsExpires = this.gauge(
    'tls_certificate_expires_seconds',
    'when the TLS certificate in use expires, seconds since 1970; 0 without TLS',
  );
  readonly tlsRefused = this.gauge(
    'tls_certificate_refused',
    '1 while the TLS files hold a pair that cannot be used; the one before stays in use',
  );
  readonly httpSeconds = this.histogram('http_seconds', 'REST calls', ['method', 'status']);

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'wardroom_' });
  }

  private tally<L extends string>(name: string, help: string, ...labels: L[]): Tally<L> {
    return new Tally(`wardroom_${name}`, help, labels, this.registry);
  }

  private level(name: string, help: string): Level {
    return new Level(`wardroom_${name}`, help, this.registry);
  }

  private counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name: `wardroom_${name}`, help, labelNames, registers: [this.registry] });
  }

  private gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: L[] = [],
  ): Gauge<L> {
    return new Gauge({ name: `wardroom_${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({
      name: `wardroom_${name}`,
      help,
      labelNames,
      buckets: SECONDS,
      registers: [this.registry],
    });
  }
}
