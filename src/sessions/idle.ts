/** How long a session may be idle, and how exactly that is measured. */
import { Config } from '../platform/config/config.js';

const GUEST_IDLE_SECONDS = 3600;
const FLUSH_MS = { min: 250, max: 30_000 };
const SWEEP_MS = { min: 1_000, max: 60_000 };
const MARK_SECONDS_MAX = 86_400;

/** `idle_seconds` of a new session; 0 = never idle. Guests end after an hour at the latest. */
export function idleSecondsOf(config: Config, guest: boolean): number {
  const idle = Number.isFinite(config.sessionIdleSeconds) ? config.sessionIdleSeconds : 0;
  if (!guest) return idle;
  return idle === 0 ? GUEST_IDLE_SECONDS : Math.min(idle, GUEST_IDLE_SECONDS);
}

/** Activity is written this often, so `last_active_at` is late by at most this much. */
export function flushIntervalMs(config: Config): number {
  return Math.min(Math.max((config.sessionIdleSeconds * 1000) / 20, FLUSH_MS.min), FLUSH_MS.max);
}

export function sweepIntervalMs(config: Config): number {
  return Math.min(Math.max((config.sessionIdleSeconds * 1000) / 20, SWEEP_MS.min), SWEEP_MS.max);
}

/** Life of a live mark in Redis. */
export function markSeconds(idleSeconds: number): number {
  return idleSeconds === 0 ? MARK_SECONDS_MAX : Math.min(idleSeconds, MARK_SECONDS_MAX);
}
