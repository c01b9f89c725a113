/** All drills, in their order. */
import { expiresIdle } from './d01-expires-idle.js';
import { expiresBusy } from './d02-expires-busy.js';
import { logout } from './d03-logout.js';
import { rightsLost } from './d04-rights-lost.js';
import { refreshAway } from './d05-refresh-away.js';
import { wrongClock } from './d06-wrong-clock.js';
import { refreshReplayed } from './d07-refresh-replayed.js';
import { revokedInHandshake } from './d08-revoked-in-handshake.js';
import { replayedOperations } from './d09-replayed-operations.js';
import { oldEvents } from './d10-old-events.js';
import { slowReader } from './d11-slow-reader.js';
import { silence } from './d12-silence.js';
import type { Drill } from './drill.js';

export const DRILLS: readonly Drill[] = [
  expiresIdle,
  expiresBusy,
  logout,
  rightsLost,
  refreshAway,
  wrongClock,
  refreshReplayed,
  revokedInHandshake,
  replayedOperations,
  oldEvents,
  slowReader,
  silence,
];
