/** One tab: its state, the room as its person sees it, a composer, and every frame beneath. */
import { useEffect, useState } from 'preact/hooks';
import { Badge, type BadgeTone } from '../kit/said/badge.js';
import { Banner } from '../kit/said/banner.js';
import { Button } from '../kit/inputs/button.js';
import { clockText, Log } from '../kit/log.js';
import { Pane } from '../kit/pane.js';
import type { Person } from '../model/person.js';
import type { Tab, TabState } from '../model/tab.js';

const STATES: Record<TabState, [BadgeTone, string]> = {
  idle: ['plain', 'not connected'],
  connecting: ['plain', 'connecting …'],
  live: ['good', 'live'],
  paused: ['warn', 'paused'],
  expired: ['warn', 'token expired'],
  waiting: ['warn', 'connecting again …'],
  ended: ['bad', 'closed'],
  lost: ['warn', 'no network'],
};
const WAYS = { sent: '>', received: '<', close: '×', local: '·' } as const;

export function TabPane({ person, tab }: { person: Person; tab: Tab }) {
  const state = tab.state.value;
  const [tone, word] = STATES[state];
  const over = state === 'ended' || state === 'idle';
  const title = (
    <>
      {person.name}{' '}
      <small>
        {tab.name} · node {tab.node.name}
      </small>
    </>
  );
  const aside = (
    <>
      <TokenLeft endsAt={tab.tokenEndsAt.value} />
      <Badge tone={tone} text={word} />
    </>
  );
  return (
    <Pane label={`${person.name}, ${tab.name}`} title={title} aside={aside} dim={over}>
      <Said person={person} tab={tab} over={over} />
      <Log label={`The room as ${person.name} sees it in ${tab.name}`} version={tab.lines.value}>
        {tab.lines.value.length === 0 ? <li class="empty">No messages yet.</li> : null}
        {tab.lines.value.map(({ id, at, sender, text }) => (
          <li key={id}>
            <time dateTime={at.toISOString()}>{clockText(at)}</time> <strong>{sender}</strong>{' '}
            {text}
          </li>
        ))}
      </Log>
      <Composer person={person} tab={tab} />
      <details class="frames">
        <summary>Frames ({tab.log.value.length})</summary>
        <Log label={`Frames of ${person.name}, ${tab.name}`} version={tab.log.value} mono>
          {tab.log.value.map(({ id, at, way, text }) => (
            <li key={id} class={way}>
              {clockText(at, true)} {WAYS[way]} {text}
            </li>
          ))}
        </Log>
      </details>
    </Pane>
  );
}

/** The text for its person, and the next step they have. */
function Said({ person, tab, over }: { person: Person; tab: Tab; over: boolean }) {
  const sentence = tab.sentence.value;
  const refused = person.refused.value;
  if (refused !== null) {
    return (
      <Banner tone="bad" title="Not signed in." text={refused}>
        <Button onClick={() => void person.signIn()}>Sign in again</Button>
      </Banner>
    );
  }
  if (sentence !== null) {
    return (
      <Banner tone={over ? 'bad' : 'warn'} title={`${sentence.title}.`} text={sentence.text}>
        {over ? <Button onClick={() => void person.signIn()}>Sign in again</Button> : null}
        {!over && person.renewalBlocked.value ? (
          <Button onClick={() => (person.renewalBlocked.value = false)}>Let it renew</Button>
        ) : null}
      </Banner>
    );
  }
  if (tab.state.value === 'live' && tab.room.value === null) {
    return (
      <Banner
        tone="warn"
        title="Not in the room."
        text={`You are no longer a member of ${tab.node.room}, or have not entered it.`}
      >
        <Button onClick={() => void tab.enter()}>Enter again</Button>
      </Banner>
    );
  }
  return null;
}

function Composer({ person, tab }: { person: Person; tab: Tab }) {
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string | null>(null);
  const locked = tab.state.value !== 'live' || tab.room.value !== 'writes';
  const why =
    tab.state.value !== 'live'
      ? 'not connected'
      : tab.room.value === null
        ? 'not in the room'
        : 'read-only for you';
  const send = async () => {
    const trimmed = text.trim();
    if (trimmed === '' || locked) return;
    setText('');
    const refusal = await tab.publish(trimmed);
    setRefused(refusal);
    if (refusal !== null) setText((now) => (now === '' ? trimmed : now));
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <input
        type="text"
        value={text}
        maxLength={2000}
        readOnly={locked}
        aria-label={`Message as ${person.name} in ${tab.name}`}
        placeholder={locked ? `Locked: ${why}` : `Message ${tab.node.room}`}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit" class="button" disabled={locked}>
        Send
      </button>
      {refused === null ? null : (
        <p role="alert" class="refused">
          Not sent. {refused}
        </p>
      )}
    </form>
  );
}

/** Minutes and seconds that the access token still lives. */
function TokenLeft({ endsAt }: { endsAt: number | null }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (endsAt === null) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [endsAt]);
  if (endsAt === null) return null;
  const seconds = Math.max(0, Math.ceil((endsAt - now) / 1000));
  return (
    <span class="token" title={`access token ends at ${new Date(endsAt).toLocaleTimeString()}`}>
      token {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
    </span>
  );
}
