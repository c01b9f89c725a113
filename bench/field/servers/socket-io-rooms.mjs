/** Rooms and messages of the application, the same in both set-ups of Socket.IO. */
import { isMember } from './application.mjs';

/** Offsets of the messages that were taken. A set stands for the unique column of the tutorial. */
const offsets = new Set();

export function serveRooms(io, socket, sub) {
  socket.on('join', (room, answer) => {
    if (!isMember(sub, room)) return answer('refused');
    void socket.join(room);
    answer('done');
  });
  socket.on('publish', (room, body, offset, answer) => {
    if (!socket.rooms.has(room)) return answer('refused');
    if (!offsets.has(offset)) {
      offsets.add(offset);
      io.to(room).emit('message', { room, sender: sub, body });
    }
    answer('done');
  });
}
