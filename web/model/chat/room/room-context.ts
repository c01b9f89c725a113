/** The parts of the page that an open room needs. */
import type { ReadonlySignal } from '@preact/signals';
import type { Me, MyRoom, RoomEvents, WardroomClient } from '@wardroom/client';
import type { BannerView } from '../connection.js';
import type { Drafts } from './drafts.js';
import type { Body } from '../layout.js';
import type { Names } from '../names.js';

export interface RoomContext {
  readonly client: WardroomClient;
  readonly me: ReadonlySignal<Me | null>;
  readonly banner: ReadonlySignal<BannerView>;
  readonly isLive: ReadonlySignal<boolean>;
  readonly drafts: Drafts;
  readonly names: Names;
  /** The list of rooms was read once, so that a room that is not in it is none of the person's. */
  readonly isListed: boolean;
  mine(room: string): MyRoom | undefined;
  /** Runs something whose refusal is told where everything is told. */
  attempt(run: () => Promise<unknown>): void;
  /** A message was not sent. */
  failed(code: string): void;
  /** A message arrived in the open room. */
  heard(frame: RoomEvents<Body>['message']): void;
}
