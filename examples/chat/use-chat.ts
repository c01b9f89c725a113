/** All the state of the chat that its own code has to keep. */
import { type FormEvent, useState } from 'react';
import { type LoginFields, WardroomClient, WardroomError, webStorage } from '@wardroom/client';
import { useClient, useConnection, usePeople, useTimeline } from '@wardroom/react';

export interface Text {
  text: string;
}

export const makeClient = (url: string): WardroomClient =>
  new WardroomClient({ url, storage: webStorage() });

/** Signing in with the fields of a form. */
export function useSignIn() {
  const client = useClient();
  const { state, signedOut } = useConnection({ connect: true });
  const [failure, setFailure] = useState<string>();
  async function signIn(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.currentTarget)) as unknown;
    try {
      await client.login(fields as LoginFields);
      setFailure(undefined);
      await client.connect();
    } catch (error) {
      setFailure(error instanceof WardroomError ? error.message : String(error));
    }
  }
  const isSignedOut = state === 'closed';
  return { state, isSignedOut, signIn, failure: failure ?? signedOut?.message };
}

/** The messages of a room, and the line that is being written. */
export function useChat(room: string) {
  const { timeline, ...list } = useTimeline<Text>(room);
  const { typing, people } = usePeople(room);
  const [draft, setDraft] = useState('');
  function write(text: string): void {
    setDraft(text);
    people.typed();
  }
  function send(event: FormEvent): void {
    event.preventDefault();
    if (draft === '') return;
    timeline.send({ text: draft });
    people.stopped();
    setDraft('');
  }
  return { ...list, timeline, typing, draft, write, send };
}
