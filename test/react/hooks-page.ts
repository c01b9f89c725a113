/** A page of the hooks over a model server: what is on its way arrives by itself. */
import { createElement, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { WardroomClient } from '@wardroom/client';
import {
  useClient,
  useConnection,
  usePeople,
  useRoomEvent,
  useRooms,
  useTimeline,
  WardroomContext,
} from '@wardroom/react';
import { ModelServer, OTHER, ROOM } from '../sdk/timeline/model-server.js';

const server = new ModelServer();
server.publish(OTHER, 'op-1', 'one');
setInterval(() => {
  server.handleOne();
  server.deliverOne();
  server.readOne();
  server.answerOne();
}, 1);

const client = new WardroomClient({
  url: 'http://model.test',
  getToken: () => 'token',
  webSocket: server.Socket as never,
  fetch: server.fetch,
});

let renders = 0;
function Room({ id }: { id: string }) {
  renders++;
  const { messages, timeline } = useTimeline<string>(id);
  const { typing, count } = usePeople(id);
  const [heard, setHeard] = useState(0);
  useRoomEvent(id, 'message', () => setHeard(heard + 1));
  const text = messages.map(({ body, state }) => `${body}:${state}`).join(' ');
  return createElement(
    'p',
    { id: 'room', onClick: () => timeline.send('mine') },
    `${text} | typing ${typing.length} | count ${count} | heard ${heard}`,
  );
}

function App() {
  const { state } = useConnection({ connect: true });
  const { rooms } = useRooms();
  const [isShown, show] = useState(true);
  const same = useClient() === client;
  return createElement(
    'main',
    null,
    createElement('p', { id: 'state' }, `${state} ${same} rooms ${rooms.length}`),
    createElement('button', { onClick: () => show(!isShown) }, 'toggle'),
    isShown && createElement(Room, { id: ROOM }),
  );
}

Object.assign(window, { server, client, ROOM, OTHER, renders: () => renders });
createRoot(document.body.appendChild(document.createElement('div'))).render(
  createElement(
    StrictMode,
    null,
    createElement(WardroomContext, { value: client }, createElement(App)),
  ),
);
