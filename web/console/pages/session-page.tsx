/** One session: who, where from, every connection, what happened, and what ends it. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Countdown, Moment } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Timeline } from '../../kit/data/timeline.js';
import { Field } from '../../kit/inputs/field.js';
import { Menu } from '../../kit/inputs/menu.js';
import { Pane } from '../../kit/pane.js';
import type { ConnectionView } from '../../model/console/pages/session.js';
import { closeConnection, SessionDetail } from '../../model/console/pages/session.js';
import {
  countLive,
  endAllOf,
  endChosen,
  endIssuedBefore,
  endOthers,
  type ListedSession,
  personOf,
} from '../../model/console/pages/sessions.js';
import { suspend } from '../../model/console/pages/people.js';
import { hashOf } from '../../model/console/place.js';
import { agent, bytes, spaced } from '../../model/console/words.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, timelineRows, TroubleLine } from '../parts.js';

export function SessionPage({ console, rights, place: { id } }: PageProps) {
  const detail = useMemo(() => new SessionDetail(console.caller, id), [console, id]);
  useEffect(() => void detail.load(), [detail]);
  const session = detail.session.value;
  const load = () => void detail.load();
  return (
    <section aria-label="Session">
      <p class="crumbs">
        <a href={hashOf({ page: 'sessions' })}>Sessions</a> ›{' '}
        {session === null
          ? '…'
          : `${personOf(session).text} · ${session.device ?? 'no device name'}`}
      </p>
      <TroubleLine trouble={detail.trouble.value} again={load} />
      {session === null ? (
        detail.loading.value ? (
          <p class="empty">Reading the session …</p>
        ) : null
      ) : (
        <>
          <Head
            session={session}
            console={console}
            rights={rights}
            load={load}
            name={detail.endedBy.value}
          />
          {detail.gaps.value.map((text) => (
            <p key={text} class="note">
              {text}
            </p>
          ))}
          <div class="halves">
            <div>
              <Pane title={`Connections (${detail.connections.value.length})`} label="Connections">
                {detail.connections.value.length === 0 ? (
                  <p class="empty">None is live.</p>
                ) : (
                  <Table
                    label="Live connections"
                    columns={connectionColumns(console, rights, load)}
                    rows={detail.connections.value}
                    keyOf={(row) => row.id}
                  />
                )}
              </Pane>
              <Pane title={`Ended (${detail.ended.value.length})`} label="Ended connections">
                {detail.ended.value.length === 0 ? (
                  <p class="empty">The audit names none.</p>
                ) : (
                  <ul class="ended-list">
                    {detail.ended.value.map(({ id: connection, at, side, code }) => (
                      <li key={connection}>
                        <Id id={connection} of="connection" /> <Badge tone="plain" text={side} />{' '}
                        {spaced(code)}, <Moment at={at} />{' '}
                        <a href={hashOf({ page: 'why', id: connection })}>why?</a>
                      </li>
                    ))}
                  </ul>
                )}
              </Pane>
            </div>
            <Pane
              title="Timeline"
              label="Timeline"
              aside={
                <CopyAs
                  console={console}
                  asks={[{ method: 'GET', path: `/v1/admin/connections?session=${id}` }]}
                  cli={`npx wardroom connections --session ${id}`}
                />
              }
            >
              <Timeline
                label="What happened, newest first"
                rows={timelineRows(detail.timeline.value)}
                empty={detail.loading.value ? 'Reading …' : 'Nothing is recorded.'}
              />
            </Pane>
          </div>
        </>
      )}
    </section>
  );
}

function Head({
  session,
  console,
  rights,
  load,
  name,
}: Pick<PageProps, 'console' | 'rights'> & {
  session: ListedSession;
  load: () => void;
  name: string | null;
}) {
  const isAsking = useSignal(false);
  const before = useSignal(new Date().toISOString().slice(0, 16));
  const who = { id: session.user_id, text: personOf(session).text };
  const isOwn = who.id === rights.me.user_id;
  const count = (until?: string) =>
    countLive(console.caller, { user: who.id, ...(until === undefined ? {} : { before: until }) });
  const deeds = [
    {
      text: `End all sessions of ${who.text} …`,
      run: async () => console.begin(endAllOf(who, await count(), isOwn), load),
      bad: true,
    },
    {
      text: 'End all but this …',
      run: async () => console.begin(endOthers(who, session.id, await count(), isOwn), load),
      bad: true,
    },
    { text: 'End those signed in before …', run: () => (isAsking.value = true), bad: true },
    ...(session.user.email === null || isOwn
      ? []
      : [
          {
            text: `Suspend ${who.text} …`,
            run: () => console.begin(suspend({ id: who.id, email: who.text }), load),
            bad: true,
          },
        ]),
  ];
  const mayEnd = rights.may('revoke_sessions', { tenantId: session.tenant_id });
  return (
    <Pane
      label="The session"
      title={
        <>
          {personOf(session).text}{' '}
          {session.state === 'live' ? (
            <Badge tone="good" text="live" />
          ) : (
            <Badge tone="bad" text={`ended: ${spaced(session.reason ?? 'unknown')}`} />
          )}
        </>
      }
      aside={
        mayEnd ? (
          <>
            {session.state === 'live' ? (
              <Button look="bad" onClick={() => console.begin(endChosen([session]), load)}>
                End session …
              </Button>
            ) : null}
            <Menu label="More …" items={deeds}>
              More …
            </Menu>
          </>
        ) : null
      }
    >
      {isAsking.value ? (
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            const at = new Date(before.value).toISOString();
            isAsking.value = false;
            void count(at).then((counted) =>
              console.begin(endIssuedBefore(who, at, counted), load),
            );
          }}
        >
          <Field
            label="End sessions that began before"
            type="datetime-local"
            value={before.value}
            onInput={(value) => (before.value = value)}
            required
          />
          <Button submit>Count …</Button>
          <Button look="quiet" onClick={() => (isAsking.value = false)}>
            Cancel
          </Button>
        </form>
      ) : null}
      <p class="meta">
        <span>
          signed in <Moment at={session.created_at} />
        </span>
        {session.ended_at === null ? (
          <>
            <span>
              last active <Moment at={session.last_active_at} />
            </span>
            <span>
              idle end <Moment at={session.idle_ends_at} none="never" />
            </span>
            <span>
              ends <Moment at={session.expires_at} />
            </span>
          </>
        ) : (
          <span>
            ended <Moment at={session.ended_at} /> {endedBy(session, name)}
          </span>
        )}
        <span>address {session.ip ?? 'unknown'}</span>
        <span title={session.user_agent ?? ''}>{agent(session.user_agent)}</span>
        <span>{session.transport === 'cookie' ? 'cookies' : 'token in the body'}</span>
        <span>
          session <Id id={session.id} of="session" />
        </span>
        <span>
          user <Id id={session.user_id} of="user" />{' '}
          <a href={hashOf({ page: 'sessions', fields: { user: session.user_id, state: 'all' } })}>
            all sessions
          </a>{' '}
          <a href={hashOf({ page: 'audit', fields: { user: session.user_id } })}>audit</a>{' '}
          <a href={hashOf({ page: 'try-as', id: session.user_id })}>try as</a>
        </span>
        {session.receipt === null ? null : (
          <span>
            receipt <Id id={session.receipt} of="receipt" />
          </span>
        )}
      </p>
    </Pane>
  );
}

function endedBy({ ended_by: by, user_id: user }: ListedSession, name: string | null) {
  if (by === null) return 'by the system';
  if (by === user) return 'by the user';
  return (
    <>
      by {name} <Id id={by} of="user" />
    </>
  );
}

function connectionColumns(
  console: PageProps['console'],
  rights: PageProps['rights'],
  load: () => void,
): Column<ConnectionView>[] {
  const names = new Map(console.nodes.value.map(({ id, name }) => [id, name]));
  const since = Date.now();
  return [
    { title: 'Connection', cell: ({ id }) => <Id id={id} of="connection" tabIndex={-1} /> },
    { title: 'Node', wide: true, cell: ({ node }) => names.get(node) ?? `…${node.slice(-4)}` },
    { title: 'Opened', cell: ({ opened_at: at }) => <Moment at={at} /> },
    {
      title: 'Token',
      cell: ({ token_expires_in_ms: ms }) => <Countdown ms={ms} since={since} />,
    },
    { title: 'Rooms', end: true, from: 'm', cell: ({ rooms }) => rooms },
    { title: 'Queue', end: true, from: 'm', cell: ({ queue_bytes: size }) => bytes(size) },
    {
      title: 'Close id',
      from: 'l',
      cell: ({ close_id: id }) => <Id id={id} of="close id" tabIndex={-1} />,
    },
    ...(rights.may('close_connection', { tenantId: null })
      ? [
          {
            title: 'End',
            cell: (row: ConnectionView) => (
              <Button look="quiet" onClick={() => console.begin(closeConnection(row), load)}>
                Close …
              </Button>
            ),
          },
        ]
      : []),
  ];
}
