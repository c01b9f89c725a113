export { WardroomContext, useClient } from './client-context.js';
export {
  type Connection,
  useConnection,
  usePeople,
  useRoom,
  useRoomEvent,
  useRooms,
  useSnapshot,
  useTimeline,
} from './hooks.js';
