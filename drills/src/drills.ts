/** All drills, in their order. */
import { expiresIdle } from './drills/d01-expires-idle.js';
import { expiresBusy } from './drills/d02-expires-busy.js';
import { logout } from './drills/d03-logout.js';
import { rightsLost } from './drills/d04-rights-lost.js';
import { refreshAway } from './drills/d05-refresh-away.js';
import { wrongClock } from './drills/d06-wrong-clock.js';
import { refreshReplayed } from './drills/d07-refresh-replayed.js';
import { revokedInHandshake } from './drills/d08-revoked-in-handshake.js';
import { replayedOperations } from './drills/d09-replayed-operations.js';
import { oldEvents } from './drills/d10-old-events.js';
import { slowReader } from './drills/d11-slow-reader.js';
import { silence } from './drills/d12-silence.js';
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
