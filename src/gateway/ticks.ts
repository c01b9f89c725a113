/**
 * The clock of the gateway: one timer for everything that waits for a moment, because each timer
 * wakes an idle process.
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { monotonicMs } from '../platform/clock.js';

export const TICK_MS = 50;

@Injectable()
export class Ticks implements OnModuleInit, OnModuleDestroy {
  private readonly listeners: ((nowMs: number) => void)[] = [];
  private timer: NodeJS.Timeout | null = null;

  onModuleInit(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Called at every tick with the monotonic time, in the order of asking. */
  on(listener: (nowMs: number) => void): void {
    this.listeners.push(listener);
  }

  private tick(): void {
    const nowMs = monotonicMs();
    for (const listener of this.listeners) listener(nowMs);
  }

  onModuleDestroy(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }
}
