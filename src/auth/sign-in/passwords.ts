/**
 * Passwords: argon2id with the OWASP minimum (19 MiB, two passes, one lane: about 18 ms). Hashing
 * shares the thread pool with files and DNS, so it goes through a gate, at which addresses take
 * turns. Any Unicode is allowed; text is compared in NFC (RFC 8265).
 */
import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { DomainError } from '../../platform/errors.js';
import { FairGate } from '../../platform/fair-gate.js';
import { currentRequest } from '../../platform/request-context.js';

/** Argon2id is the default algorithm of the binding. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const RUNNING = Math.max(1, Math.min(3, availableParallelism() - 1));
const HASHES = { running: RUNNING, perKey: RUNNING, waiting: 256, patienceMs: 10_000 };
export const PASSWORD_BYTES_MAX = 1024;

@Injectable()
export class Passwords implements OnModuleInit {
  private readonly gate = new FairGate(HASHES);
  private dummy = '';

  async onModuleInit(): Promise<void> {
    this.dummy = await hash(randomBytes(16), ARGON2);
  }

  /** For a new password; answers a PHC string. */
  hash(password: string): Promise<string> {
    const bytes = bytesOf(password);
    return this.gate.run(address(), () => hash(bytes, ARGON2));
  }

  /** `stored` null - no such user, or one without a password - takes as long and answers no. */
  async verify(stored: string | null, password: string): Promise<boolean> {
    const bytes = bytesOf(password);
    const same = await this.gate.run(address(), () => verify(stored ?? this.dummy, bytes));
    return same && stored !== null;
  }
}

const address = (): string => currentRequest()?.ip ?? '';

function bytesOf(password: string): Buffer {
  const bytes = Buffer.from(password.normalize('NFC'));
  if (bytes.length > PASSWORD_BYTES_MAX)
    throw new DomainError('invalid_request', {
      errors: [{ path: 'password', message: `at most ${PASSWORD_BYTES_MAX} bytes` }],
    });
  return bytes;
}
