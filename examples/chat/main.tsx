import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { WardroomContext } from '@wardroom/react';
import { Chat } from './chat.js';
import { makeClient } from './use-chat.js';

const query = new URLSearchParams(location.search);
const client = makeClient(query.get('server') ?? location.origin);

createRoot(document.getElementById('chat')!).render(
  <StrictMode>
    <WardroomContext value={client}>
      <Chat room={query.get('room') ?? 'lobby'} />
    </WardroomContext>
  </StrictMode>,
);
