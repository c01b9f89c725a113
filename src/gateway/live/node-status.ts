/** The state of this node that only it knows, for operators on any node. */
import { Injectable } from '@nestjs/common';
import * as z from 'zod';
import { AuthorityState } from '../../authority/authority-state.js';
import { Clocks } from '../../authority/clocks.js';
import { Lease } from '../../authority/lease/lease.js';
import { ConnectionRegistry } from '../connection/connection-registry.js';
import { Channels } from '../delivery/channels.js';
import { Drain } from '../handshake/drain.js';
import { NodeBus } from './node-bus.js';
import type { Answers } from './node-bus.js';

const statusSchema = z.object({
  state: z.enum(['serving', 'fenced', 'draining']),
  position: z.int(),
  lease_left_ms: z.int(),
  clock_offset_ms: z.int(),
  connections: z.int(),
  rooms: z.int(),
});
export type Status = z.infer<typeof statusSchema>;

const readStatus = (value: unknown): Status | undefined => statusSchema.safeParse(value).data;

@Injectable()
export class NodeStatus {
  constructor(
    private readonly bus: NodeBus,
    private readonly state: AuthorityState,
    private readonly lease: Lease,
    private readonly clocks: Clocks,
    private readonly connections: ConnectionRegistry,
    private readonly channels: Channels,
    private readonly drain: Drain,
  ) {
    bus.answer('status', () => [[this.own()]]);
  }

  ofAll(): Promise<Answers<Status>> {
    return this.bus.ask('status', () => null, readStatus);
  }

  private own(): Status {
    const state = this.lease.isFenced() ? 'fenced' : 'serving';
    return {
      state: this.drain.draining ? 'draining' : state,
      position: this.state.position,
      lease_left_ms: Math.round(this.lease.leftMs),
      clock_offset_ms: Math.round(this.clocks.offsetMs),
      connections: this.connections.size,
      rooms: this.channels.size,
    };
  }
}
