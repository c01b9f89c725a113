import { bareWs } from './bare-ws.mjs';
import { centrifuge } from './centrifuge.mjs';
import { nest } from './nest.mjs';
import { socketIo, socketIoSession } from './socket-io.mjs';
import { socketcluster } from './socketcluster.mjs';
import { wardroom } from './wardroom.mjs';

/** In the order of the tables. */
export const ADAPTERS = Object.fromEntries(
  [
    bareWs,
    nest,
    socketIo,
    socketIoSession,
    socketcluster,
    centrifuge,
    wardroom(1),
    wardroom(2),
  ].map((adapter) => [adapter.name, adapter]),
);
