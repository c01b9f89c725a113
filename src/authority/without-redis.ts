/**
 * The authority log for a command of the shell: it asks nothing of Redis. Nodes find a change in
 * Postgres with their next lease round. The caller adds what the log's transactions need of the
 * layers above (`AuditTrail`).
 */
import type { Provider } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { Database } from '../platform/stores/database.js';
import { Metrics } from '../platform/metrics.js';
import { NodeIdentity } from '../platform/node-identity.js';
import { AuthorityLog } from './authority-log.js';
import { AuthorityStream } from './authority-stream.js';
import { HistoryReplacement } from './history-replacement.js';
import { LeaseRounds } from './lease/lease-rounds.js';
import { Lease } from './lease/lease.js';
import { NodeRegistry } from './nodes/node-registry.js';
import { Receipts } from './receipts.js';
import { NodeObservations } from './nodes/node-observations.js';

const NO_REDIS = 'redis://redis.invalid';

/** The configuration of a node whose Redis need not be named. */
export const configWithoutRedis = (): Config =>
  Config.parse({ ...process.env, REDIS_URL: NO_REDIS, REDIS_URL_FILE: '' });

export const authorityWithoutRedis = (config: Config): Provider[] => [
  { provide: Config, useValue: config },
  Database,
  Metrics,
  NodeIdentity,
  { provide: AuthorityStream, useValue: { announce: async () => undefined } },
  { provide: Lease, useValue: { boundMs: config.authorityLeaseMs } },
  { provide: LeaseRounds, useValue: { round: async () => undefined } },
  NodeObservations,
  NodeRegistry,
  AuthorityLog,
  HistoryReplacement,
  Receipts,
];
