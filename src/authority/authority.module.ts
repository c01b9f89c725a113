import { Module } from '@nestjs/common';
import { AuthorityLog } from './authority-log.js';
import { AuthorityState } from './authority-state.js';
import { AuthorityStream } from './authority-stream.js';
import { Clocks } from './clocks.js';
import { HistoryReplacement } from './history-replacement.js';
import { Lease } from './lease.js';
import { NodeRegistry } from './node-registry.js';
import { Receipts } from './receipts.js';
import { NodeObservations } from './node-observations.js';

@Module({
  providers: [
    AuthorityStream,
    AuthorityState,
    NodeObservations,
    NodeRegistry,
    Clocks,
    AuthorityLog,
    HistoryReplacement,
    Lease,
    Receipts,
  ],
  exports: [AuthorityState, NodeRegistry, AuthorityLog, HistoryReplacement, Lease, Receipts],
})
export class AuthorityModule {}
