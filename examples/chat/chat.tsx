import type { TimelineMessage } from '@wardroom/client';
import { useClient, useRoom } from '@wardroom/react';
import { type Text, useChat, useSignIn } from './use-chat.js';

export function Chat({ room }: { room: string }) {
  const { state, isSignedOut, signIn, failure } = useSignIn();
  const client = useClient();
  if (isSignedOut)
    return (
      <form onSubmit={(event) => void signIn(event)}>
        <h1>Sign in</h1>
        <label>
          Tenant <input name="tenant" required />
        </label>
        <label>
          E-mail <input name="email" type="email" required />
        </label>
        <label>
          Password <input name="password" type="password" required />
        </label>
        <button>Sign in</button>
        {failure && <p role="alert">{failure}</p>}
      </form>
    );
  return (
    <main>
      <header>
        <h1>{room}</h1>
        <span role="status">{state}</span>
        <button onClick={() => void client.session?.logout()}>Sign out</button>
      </header>
      <Messages room={room} />
    </main>
  );
}

function Messages({ room }: { room: string }) {
  const chat = useChat(room);
  return (
    <>
      {chat.hasOlder && <button onClick={() => void chat.timeline.loadOlder()}>Older</button>}
      {chat.ended && <p role="alert">This room is closed to you: {chat.ended.code}</p>}
      <ol aria-busy={chat.state === 'loading'}>
        {chat.messages.map((message) => (
          <Message
            key={message.key}
            room={room}
            message={message}
            retry={(key) => chat.timeline.retry(key)}
          />
        ))}
      </ol>
      <p aria-live="polite">{chat.typing.length > 0 && `${chat.typing.length} typing ...`}</p>
      <form onSubmit={chat.send}>
        <input
          aria-label="Message"
          value={chat.draft}
          onChange={(event) => chat.write(event.target.value)}
        />
        <button>Send</button>
      </form>
    </>
  );
}

interface MessageProps {
  room: string;
  message: TimelineMessage<Text>;
  retry: (key: string) => void;
}

function Message({ room: ref, message, retry }: MessageProps) {
  const room = useRoom<Text>(ref);
  const { id, key, state, body, mine, reactions, deletedAt } = message;
  return (
    <li data-state={state} data-mine={mine}>
      {deletedAt ? <em>deleted</em> : <span>{body?.text}</span>}
      {reactions.map(({ emoji, count }) => (
        <small key={emoji}>
          {emoji} {count}
        </small>
      ))}
      {state === 'failed' && <button onClick={() => retry(key)}>Send again</button>}
      {id && !deletedAt && (
        <button aria-label="Like" onClick={() => void room.react(id, '+1')}>
          +1
        </button>
      )}
      {id && mine && !deletedAt && <button onClick={() => void room.delete(id)}>Delete</button>}
    </li>
  );
}
