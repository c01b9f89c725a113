import { Module } from '@nestjs/common';
import { AuthorityDispatcher } from './authority-dispatcher.js';
import { AuthorityLog } from './authority-log.js';
import { AuthorityState } from './authority-state.js';
import { AuthorityStream } from './authority-stream.js';
import { Clocks } from './clocks.js';
import { HistoryReplacement } from './history-replacement.js';
import { LeaseRounds } from './lease/lease-rounds.js';
import { Lease } from './lease/lease.js';
import { NodeList } from './nodes/node-list.js';
import { NodeRegistry } from './nodes/node-registry.js';
import { Receipts } from './receipts.js';
import { NodeObservations } from './nodes/node-observations.js';

@Module({
  providers: [
    AuthorityStream,
    AuthorityDispatcher,
    AuthorityState,
    NodeObservations,
    NodeRegistry,
    NodeList,
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
    NodeList,
    Clocks,
    AuthorityLog,
    HistoryReplacement,
    Lease,
    LeaseRounds,
    Receipts,
  ],
})
export class AuthorityModule {}
