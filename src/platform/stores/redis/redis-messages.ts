/**
 * The one way in which this node writes values and messages into Redis and reads them back: sealed
 * (message-seal.ts), then JSON of a checked shape. A value that does not open, is no JSON, or has a
 * shape unknown here (of a newer version, too) is ignored and counted; nothing is thrown.
 */
import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Installation } from '../installation.js';
import { MessageSeal } from '../message-seal.js';
import { NodeIdentity } from '../../node-identity.js';
import { RedisTrouble } from './redis-trouble.js';
import type { RedisUse } from './redis-trouble.js';

export interface RedisMessage<T> {
  value: T;
  /** Id of the node that wrote it. */
  sender: string;
  /** Grows with everything this sender writes. */
  number: number;
  /** By the sender's wall clock. */
  atMs: number;
}

/** Answers the value in its checked form, or undefined. */
export type ShapeCheck<T> = (value: unknown) => T | undefined;

@Injectable()
export class RedisMessages {
  private readonly seal: MessageSeal;

  constructor(
    config: Config,
    installation: Installation,
    identity: NodeIdentity,
    private readonly trouble: RedisTrouble,
  ) {
    this.seal = new MessageSeal(config.secretKeys, installation.id, identity.id);
  }

  /**
   * `context` is what it is about, in ASCII: written elsewhere, or for another use, it is not
   * believed.
   */
  write(use: RedisUse, context: string, value: unknown): Buffer {
    return this.seal.seal(`${use}\n${context}`, JSON.stringify(value));
  }

  read<T>(
    use: RedisUse,
    context: string,
    box: Buffer,
    check: ShapeCheck<T>,
  ): RedisMessage<T> | null {
    const opened = this.seal.open(`${use}\n${context}`, box);
    if (typeof opened === 'string') return this.ignore(use, opened);
    const value = parse(opened.text, check);
    if (value === undefined) return this.ignore(use, 'shape');
    return { value, sender: opened.sender, number: opened.number, atMs: opened.atMs };
  }

  /** For what comes unasked: whatever a message makes our code do, it does not end the process. */
  receive<T>(
    use: RedisUse,
    context: string,
    box: Buffer,
    check: ShapeCheck<T>,
    act: (message: RedisMessage<T>) => void,
  ): void {
    const message = this.read(use, context, box, check);
    if (message === null) return;
    try {
      act(message);
    } catch (error) {
      this.trouble.ignored(use, 'shape', error as Error);
    }
  }

  /** Our own words, coming back. */
  isOwn(box: Buffer): boolean {
    return this.seal.isOwn(box);
  }

  ignore(...what: Parameters<RedisTrouble['ignored']>): null {
    this.trouble.ignored(...what);
    return null;
  }
}

function parse<T>(text: string, check: ShapeCheck<T>): T | undefined {
  try {
    return check(JSON.parse(text));
  } catch {
    return undefined;
  }
}
