import { Module } from '@nestjs/common';
import { AuthorityDispatcher } from './authority-dispatcher.js';
import { AuthorityLog } from './authority-log.js';
import { AuthorityState } from './authority-state.js';
import { AuthorityStream } from './authority-stream.js';
import { Clocks } from './clocks.js';
import { HistoryReplacement } from './history-replacement.js';
import { LeaseRounds } from './lease-rounds.js';
import { Lease } from './lease.js';
import { NodeRegistry } from './node-registry.js';
import { Receipts } from './receipts.js';
import { NodeObservations } from './node-observations.js';

@Module({
  providers: [
    AuthorityStream,
    AuthorityDispatcher,
    AuthorityState,
    NodeObservations,
    NodeRegistry,
    Clocks,
    AuthorityLog,
    HistoryReplacement,
    Lease,
    LeaseRounds,
    Receipts,
  ],
  exports: [
    AuthorityDispatcher,
    AuthorityState,
    NodeRegistry,
    AuthorityLog,
    HistoryReplacement,
    Lease,
    LeaseRounds,
    Receipts,
  ],
})
export class AuthorityModule {}
