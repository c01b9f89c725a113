/**
 * Every key and channel of this installation in Redis. Nothing else in `src/` spells one: an ACL
 * needs the patterns `~wardroom:*` and `&wardroom:*`. Braces hold what a Redis Cluster hashes.
 */
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Installation } from '../installation.js';

/** Counters of the whole cluster; each is the prefix of a rate limiter's keys. */
export const COUNTERS = [
  'login:user',
  'login:address',
  'login:crowd',
  'login:success',
  'entry:address',
  'entry:tenant',
  'recovery:address',
  'recovery:account',
  'invitations',
  'issuers:address',
  'loop',
  'loop:refresh',
  'loop:reconnect',
] as const;
export type CounterName = (typeof COUNTERS)[number];

/** People, tenants and addresses are not named in Redis: a key holds this instead. */
export const digest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 22);

@Injectable()
export class RedisNames {
  readonly prefix: string;
  /** Stream: events of the authority log, as they are committed. */
  readonly authority: string;
  /** Channel: positions that nodes have reached. */
  readonly confirmations: string;
  /** Channel: questions to all nodes. */
  readonly questions: string;
  /** The newest position of the log that a node has proven. */
  readonly position: string;

  constructor(installation: Installation) {
    this.prefix = `wardroom:${installation.id}:`;
    this.authority = `${this.prefix}authority`;
    this.confirmations = `${this.prefix}authority:confirmed`;
    this.questions = `${this.prefix}nodes:questions`;
    this.position = `${this.prefix}authority:position`;
  }

  /** Sharded channel. */
  room(room: string): string {
    return `${this.prefix}room:{${room}}`;
  }

  /** Channel of one node: the answers to its questions. */
  answers(node: string): string {
    return `${this.prefix}nodes:answers:{${node}}`;
  }

  /** Sharded or plain channel on which a node listens for itself. */
  probe(node: string, connection: string): string {
    return `${this.prefix}probe:{${node}}:${connection}`;
  }

  session(session: string): string {
    return `${this.prefix}session:{${session}}`;
  }

  ticket(hash: string): string {
    return `${this.prefix}ticket:{${hash}}`;
  }

  decision(id: string): string {
    return `${this.prefix}decision:{${id}}`;
  }

  logoutToken(hash: string): string {
    return `${this.prefix}jti:{${hash}}`;
  }

  knownAddress(hash: string): string {
    return `${this.prefix}login:known:{${hash}}`;
  }

  /** The rest of a user's rate over all nodes together. */
  rate(bucket: string, user: string): string {
    return `${this.prefix}rate:${bucket}:{${digest(user)}}`;
  }

  counter(name: CounterName): string {
    return `${this.prefix}${name}`;
  }
}
