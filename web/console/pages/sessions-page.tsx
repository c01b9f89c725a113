/** Sessions: filters, the table, and what ends those that are chosen. */
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Moment } from '../../kit/data/moment.js';
import { Select } from '../../kit/data/select.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import { tellFound } from '../../model/console/announced.js';
import {
  countLive,
  endAllOf,
  endChosen,
  type ListedSession,
  personOf,
  Sessions,
} from '../../model/console/pages/sessions.js';
import { hashOf } from '../../model/console/place.js';
import { agent, plural, spaced } from '../../model/console/words.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { SessionPage } from './session-page.js';

export function SessionsPage(props: PageProps) {
  return props.place.id === '' ? <SessionTable {...props} /> : <SessionPage {...props} />;
}

const COLUMNS: readonly Column<ListedSession>[] = [
  {
    title: 'Person',
    wide: true,
    cell: (row) => {
      const { text, title } = personOf(row);
      return (
        <a href={hashOf({ page: 'sessions', id: row.id })} tabIndex={-1} title={title}>
          {text}
        </a>
      );
    },
  },
  {
    title: 'State',
    cell: ({ state, reason, current }) =>
      state === 'live' ? (
        <Badge
          tone="good"
          text={current ? 'live · you' : 'live'}
          title={current ? 'the session of this console' : ''}
        />
      ) : (
        <Badge tone="plain" text={spaced(reason ?? 'ended')} />
      ),
  },
  { title: 'Device', from: 'm', cell: ({ device }) => device ?? '—' },
  {
    title: 'Agent',
    from: 'l',
    cell: ({ user_agent: text }) => <span title={text ?? ''}>{agent(text)}</span>,
  },
  { title: 'Address', from: 'l', cell: ({ ip }) => ip ?? '—' },
  { title: 'Conn.', end: true, cell: ({ connections }) => connections },
  { title: 'Signed in', from: 'm', cell: ({ created_at: at }) => <Moment at={at} /> },
  {
    title: 'Last active',
    from: 'm',
    cell: ({ last_active_at: at, ended_at }) => <Moment at={ended_at ?? at} />,
  },
];

const STATES = [
  ['live', 'Live'],
  ['ended', 'Ended, 90 days'],
  ['all', 'All'],
] as const;
const TYPED_MS = 250;
/** Filters that are rarely wanted are shown on demand. */
const isMoreOpen = signal(false);

function SessionTable({ console, rights, place: { fields } }: PageProps) {
  const sessions = useMemo(() => new Sessions(console.caller), [console]);
  useEffect(() => tellFound(console.said, sessions.pager, 'session'), [console, sessions]);
  const asked = JSON.stringify(fields);
  useEffect(() => {
    const timer = setTimeout(() => void sessions.open(fields), sessions.opened ? TYPED_MS : 0);
    return () => clearTimeout(timer);
  }, [sessions, asked]);
  const { pager } = sessions;
  const rows = pager.items.value;
  const chosen = sessions.chosenSessions.value;
  const mayEnd = rights.may('revoke_sessions', { tenantId: rights.me.tenant_id });
  const person = sessions.onePerson.value;
  const set = (name: string) => (value: string) => console.filter({ ...fields, [name]: value });
  const again = (): unknown => pager.again();

  const endAll = async () => {
    if (person === null) return;
    const who = { id: person.user.id, text: personOf(person).text };
    const count = await countLive(console.caller, { user: who.id });
    console.begin(endAllOf(who, count, who.id === rights.me.user_id), again);
  };

  return (
    <section class="pane" aria-label="Sessions">
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <div class="grow">
          <Field
            label="E-mail, name, or id of a session or user"
            type="search"
            value={fields['q'] ?? ''}
            onInput={set('q')}
            placeholder="ben@acme.example"
          />
        </div>
        <Select
          label="State"
          value={fields['state'] ?? 'live'}
          options={STATES}
          onChange={set('state')}
        />
        <Button onClick={() => (isMoreOpen.value = !isMoreOpen.value)}>
          {isMoreOpen.value ? 'Fewer filters' : 'More filters'}
        </Button>
        {isMoreOpen.value || sessions.isNarrowed(fields) ? (
          <div class="more">
            {rights.ofInstallation ? (
              <Field label="Tenant" value={fields['tenant'] ?? ''} onInput={set('tenant')} />
            ) : null}
            <Field label="Device" value={fields['device'] ?? ''} onInput={set('device')} />
            <Field label="Address" value={fields['ip'] ?? ''} onInput={set('ip')} />
            <Field
              label="Signed in after"
              type="datetime-local"
              value={fields['after'] ?? ''}
              onInput={set('after')}
            />
            <Field
              label="Signed in before"
              type="datetime-local"
              value={fields['before'] ?? ''}
              onInput={set('before')}
            />
            <Button look="quiet" onClick={() => console.filter({})}>
              Clear filters
            </Button>
          </div>
        ) : null}
      </form>
      <div class="toolbar">
        {mayEnd ? (
          <>
            {chosen.length > 0 ? (
              <Button look="bad" onClick={() => console.begin(endChosen(chosen), again)}>
                {`End ${plural(chosen.length, 'session')} …`}
              </Button>
            ) : null}
            {person !== null ? (
              <Button look={chosen.length > 0 ? 'plain' : 'bad'} onClick={() => void endAll()}>
                {`End all sessions of ${personOf(person).text} …`}
              </Button>
            ) : null}
          </>
        ) : null}
        <span class="grow" />
        <CopyAs
          console={console}
          asks={[{ method: 'GET', path: sessions.path }]}
          cli={sessions.cli}
        />
      </div>
      <TroubleLine trouble={pager.trouble.value} again={again} />
      {pager.partial.value.length > 0 ? (
        <p class="note">
          {plural(pager.partial.value.length, 'node')} did not answer in time: connections there are
          not counted.
        </p>
      ) : null}
      {rows.length === 0 && pager.state.value === 'whole' ? (
        <p class="empty">
          No session is like that. Try the beginning of an e-mail address, or the state “All”.
        </p>
      ) : (
        <Table
          label="Sessions"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
          onOpen={({ id }) => console.go('sessions', id)}
          chosen={sessions.chosen.value}
          onChoose={mayEnd ? ({ id }) => sessions.toggle(id) : undefined}
          onChooseAll={() => sessions.toggleAll()}
          canChoose={({ state }) => state === 'live'}
          onMore={() => void pager.more()}
          busy={sessions.isStale(fields) || pager.state.value === 'opening'}
          foot={footOf(pager.state.value, rows.length, 'session')}
        />
      )}
    </section>
  );
}
