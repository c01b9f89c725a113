/** One life of one process: its row in `nodes`, its chain in the audit. A restart is another. */
import { readFileSync } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { newId } from './ids.js';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

@Injectable()
export class NodeIdentity {
  readonly id = newId();
  /** Of Wardroom. */
  readonly version = version;
}
