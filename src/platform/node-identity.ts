/** One life of one process: its row in `nodes`, its chain in the audit. A restart is another. */
import { Injectable } from '@nestjs/common';
import { newId } from './ids.js';

@Injectable()
export class NodeIdentity {
  readonly id = newId();
}
