/** A frame on its way through Nest; the guard leaves its grant here for the handler. */
import type { ClientFrame } from '@wardroom/protocol';
import type { Allow } from '../../policy/decide-room.js';

export class FrameRequest<F extends ClientFrame = ClientFrame> {
  granted: Allow | undefined;

  constructor(readonly frame: F) {}
}
