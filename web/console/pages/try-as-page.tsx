/** Try as: a person and a room, each action with its rule, and what would be with other facts. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Select } from '../../kit/data/select.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Field } from '../../kit/inputs/field.js';
import { Pane } from '../../kit/pane.js';
import { type Changed, type Outcome, type Row, TryAs } from '../../model/console/pages/try-as.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, TroubleLine } from '../parts.js';

const ROLES = [
  ['', 'no member'],
  ['viewer', 'viewer'],
  ['member', 'member'],
  ['moderator', 'moderator'],
  ['owner', 'owner'],
] as const;
const pick = (...names: string[]) => names.map((name) => [name, name] as const);

const COLUMNS: readonly Column<Row>[] = [
  { title: 'May they', wide: true, cell: ({ words }) => words },
  { title: 'Now', cell: ({ now }) => <Answer outcome={now} /> },
  {
    title: 'By the rule',
    from: 'm',
    cell: ({ now: { rule } }) => <code title={rule}>{rule}</code>,
  },
  {
    title: 'Then',
    cell: ({ changed }) =>
      changed === null ? (
        <small>the same</small>
      ) : (
        <>
          <Answer outcome={changed} /> <code title={changed.rule}>{changed.rule}</code>
        </>
      ),
  },
];

function Answer({ outcome: { allow, code } }: { outcome: Outcome }) {
  return allow ? (
    <Badge tone="plain" text="yes" />
  ) : (
    <Badge tone="bad" text={`no: ${code ?? ''}`} />
  );
}

export function TryAsPage({ console, place: { id, fields } }: PageProps) {
  const model = useMemo(() => new TryAs(console.caller), [console]);
  const user = useSignal(id);
  const room = useSignal(fields['room'] ?? '');
  useEffect(() => {
    if (id !== '' && (fields['room'] ?? '') !== '') void model.ask(id, fields['room']!);
  }, []);
  const facts = model.facts.value;
  const rows = model.rows.value;
  return (
    <section aria-label="Try as" class="stack">
      <div class="pane">
        <form
          class="filters"
          onSubmit={(event) => {
            event.preventDefault();
            console.filter({ ...fields, room: room.value });
            void model.ask(user.value, room.value);
          }}
        >
          <div class="grow">
            <Field
              label="Person, by e-mail or id"
              value={user.value}
              onInput={(v) => (user.value = v)}
              placeholder="ben@acme.example"
              required
            />
          </div>
          <div class="grow">
            <Field
              label="Room, by its name in URLs or id"
              value={room.value}
              onInput={(v) => (room.value = v)}
              placeholder="staff"
              required
            />
          </div>
          <Button look="accent" submit busy={model.loading.value}>
            {model.loading.value ? 'Asking …' : 'What may they do?'}
          </Button>
        </form>
        <p class="note">
          Nothing is done: the rules are asked as if the person tried. It is recorded.
        </p>
      </div>
      <TroubleLine
        trouble={model.trouble.value}
        again={() => void model.ask(user.value, room.value)}
      />
      {rows.length === 0 || facts === null ? null : (
        <>
          <Pane
            label="Facts"
            title="Facts, to change"
            aside={
              <Button
                look="quiet"
                disabled={Object.keys(model.changed.value).length === 0}
                onClick={() => (model.changed.value = {})}
              >
                As they are
              </Button>
            }
          >
            <p class="meta">
              <span>
                person <Id id={model.user.value} of="user" /> · {facts.user.role}
              </span>
              <span>
                room{' '}
                {facts.room === null ? 'none of this name' : <Id id={facts.room.id} of="room" />}
              </span>
            </p>
            {model.canChange.value ? (
              <FactFields model={model} />
            ) : (
              <p class="note">
                The rules in this page and in the server differ, or a scope of a service account
                counts: facts cannot be changed here.
              </p>
            )}
          </Pane>
          <Pane
            label="What they may do"
            title="What they may do"
            aside={<CopyAs console={console} asks={model.asks} cli="" />}
          >
            <Table label="Actions" columns={COLUMNS} rows={rows} keyOf={({ action }) => action} />
          </Pane>
        </>
      )}
    </section>
  );
}

function FactFields({ model }: { model: TryAs }) {
  const facts = model.facts.value!;
  const changed = model.changed.value;
  const set = (fields: Changed) => model.change(fields);
  const yesNo = (label: string, name: keyof Changed, now: boolean) => (
    <Select
      label={label}
      value={(changed[name] ?? now) === true ? 'yes' : 'no'}
      options={pick('no', 'yes')}
      onChange={(value) => set({ [name]: value === 'yes' })}
    />
  );
  const { room, member, user } = facts;
  return (
    <div class="filters">
      <div class="more">
        <Select
          label="Role in the room"
          value={changed.role ?? member.role ?? ''}
          options={ROLES}
          onChange={(role) => set({ role })}
        />
        {yesNo('Muted', 'muted', member.mutedUntilMs !== null && member.mutedUntilMs > Date.now())}
        {yesNo('Banned', 'banned', member.banned)}
        {yesNo('Active user', 'active', user.active)}
        {room === null ? null : (
          <>
            <Select
              label="Who sees the room"
              value={changed.visibility ?? room.visibility}
              options={pick('public', 'private', 'direct')}
              onChange={(visibility) => set({ visibility })}
            />
            <Select
              label="Who writes"
              value={changed.posting ?? room.posting}
              options={pick('members', 'moderators')}
              onChange={(posting) => set({ posting })}
            />
            {yesNo('Archived', 'archived', room.archived)}
          </>
        )}
      </div>
    </div>
  );
}
