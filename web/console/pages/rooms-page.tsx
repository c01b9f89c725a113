/** Rooms of an admin's own tenant: members, and a look at what was written. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Badge } from '../../kit/said/badge.js';
import { Button } from '../../kit/inputs/button.js';
import { Id } from '../../kit/data/id.js';
import { Moment, nowMs } from '../../kit/data/moment.js';
import { type Column, Table } from '../../kit/data/table.js';
import { Pane } from '../../kit/pane.js';
import {
  archive,
  ban,
  bodyText,
  deleteRoom,
  type MemberView,
  mute,
  removeMember,
  RoomDetail,
  type RoomView,
  setRole,
  unban,
  unmute,
} from '../../model/console/pages/rooms.js';
import { tellFound } from '../../model/console/announced.js';
import { Pager } from '../../model/console/pager.js';
import { hashOf } from '../../model/console/place.js';
import type { PageProps } from '../page-props.js';
import { plural } from '../../model/console/words.js';
import { CopyAs, footOf, TroubleLine } from '../parts.js';
import { type RowDeed, RowDialog } from '../row-dialog.js';

export function RoomsPage(props: PageProps) {
  return props.place.id === '' ? <RoomTable {...props} /> : <RoomPage {...props} />;
}

const COLUMNS: readonly Column<RoomView>[] = [
  {
    title: 'Room',
    wide: true,
    cell: ({ id, name }) => (
      <a href={hashOf({ page: 'rooms', id })} tabIndex={-1} title={name}>
        {name}
      </a>
    ),
  },
  { title: 'In URLs', from: 'm', cell: ({ slug }) => slug ?? '—' },
  { title: 'Who sees it', cell: ({ visibility }) => visibility },
  {
    title: 'Who writes',
    from: 'm',
    cell: ({ posting, archived }) => (archived ? 'nobody: archived' : posting),
  },
  { title: 'Events', end: true, cell: ({ seq }) => seq },
  { title: 'Created', from: 'l', cell: ({ created_at: at }) => <Moment at={at} /> },
];

function RoomTable({ console }: PageProps) {
  const pager = useMemo(() => new Pager<RoomView>(console.caller, () => '/v1/rooms'), [console]);
  useEffect(() => tellFound(console.said, pager, 'room'), [console, pager]);
  useEffect(() => void pager.open({}), [pager]);
  const rows = pager.items.value;
  return (
    <section class="pane" aria-label="Rooms">
      <div class="toolbar">
        <span class="grow" />
        <CopyAs console={console} asks={[{ method: 'GET', path: '/v1/rooms' }]} cli="" />
      </div>
      <TroubleLine trouble={pager.trouble.value} again={() => void pager.again()} />
      {rows.length === 0 && pager.state.value === 'whole' ? (
        <p class="empty">No room yet. People of the tenant make them.</p>
      ) : (
        <Table
          label="Rooms"
          columns={COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
          onOpen={({ id }) => console.go('rooms', id)}
          onMore={() => void pager.more()}
          foot={footOf(pager.state.value, rows.length, 'room')}
        />
      )}
    </section>
  );
}

function RoomPage(props: PageProps) {
  const {
    console,
    place: { id },
  } = props;
  const detail = useMemo(() => new RoomDetail(console.caller, id), [console, id]);
  useEffect(() => void detail.load(), [detail]);
  const room = detail.room.value;
  const load = () => void detail.load();
  const opened = useSignal<MemberView | null>(null);
  const messages = detail.messages.value;
  const names = new Map(detail.members.value.map(({ user_id, name }) => [user_id, name]));
  return (
    <section class="stack" aria-label="Room">
      <p class="crumbs">
        <a href={hashOf({ page: 'rooms' })}>Rooms</a> › {room?.name ?? '…'}
      </p>
      <TroubleLine trouble={detail.trouble.value} again={load} />
      {room === null ? null : (
        <>
          <Pane
            label="The room"
            title={
              <>
                {room.name} <Badge tone="plain" text={room.visibility} />
                {room.archived ? <Badge tone="warn" text="archived" /> : null}
              </>
            }
            aside={
              room.visibility === 'direct' ? null : (
                <>
                  <Button onClick={() => console.begin(archive(room), load)}>
                    {room.archived ? 'Open again …' : 'Archive …'}
                  </Button>
                  <Button
                    look="bad"
                    onClick={() => console.begin(deleteRoom(room), () => console.go('rooms'))}
                  >
                    Delete …
                  </Button>
                </>
              )
            }
          >
            <p class="meta">
              <span>
                room <Id id={room.id} of="room" />
              </span>
              <span>{plural(room.members_count ?? detail.members.value.length, 'member')}</span>
              <span>{plural(room.seq, 'event')}</span>
              <span>{room.posting} write</span>
              <span>{room.topic}</span>
            </p>
          </Pane>
          <div class="halves">
            <Pane label="Members" title={`Members (${detail.members.value.length})`}>
              <Table
                label="Members"
                columns={MEMBER_COLUMNS}
                rows={detail.members.value}
                keyOf={({ user_id }) => user_id}
                onOpen={(member) => (opened.value = member)}
              />
            </Pane>
            <Pane label="Messages" title="Messages">
              {messages === null ? (
                <p class="empty">
                  <Button onClick={() => void detail.peek()}>Show the newest 50</Button> They are
                  their writers’: look only when you have to.
                </p>
              ) : messages.length === 0 ? (
                <p class="empty">Nothing was written.</p>
              ) : (
                <ul class="ended-list">
                  {messages.map(({ message_id, sender, at, body, deleted_at }) => (
                    <li key={message_id}>
                      <strong>{names.get(sender) ?? `…${sender.slice(-4)}`}</strong>{' '}
                      <small>
                        <Moment at={at} />
                      </small>{' '}
                      {deleted_at === null ? bodyText(body) : <em>deleted</em>}
                    </li>
                  ))}
                </ul>
              )}
            </Pane>
          </div>
        </>
      )}
      {opened.value === null ? null : (
        <RowDialog
          title={opened.value.name}
          rows={[
            { name: 'role', value: opened.value.role ?? 'no member' },
            { name: 'user', value: <Id id={opened.value.user_id} of="user" /> },
            { name: 'since', value: <Moment at={opened.value.created_at} /> },
          ]}
          deeds={deedsOf(props, opened.value, load)}
          onClose={() => (opened.value = null)}
        />
      )}
    </section>
  );
}

const isMuted = ({ muted_until: until }: MemberView): boolean =>
  until !== null && Date.parse(until) > nowMs.value;

const MEMBER_COLUMNS: readonly Column<MemberView>[] = [
  { title: 'Member', wide: true, cell: ({ name }) => <span title={name}>{name}</span> },
  { title: 'Role', cell: ({ role }) => role ?? '—' },
  {
    title: 'State',
    cell: (member) =>
      member.banned ? (
        <Badge tone="bad" text="banned" />
      ) : isMuted(member) ? (
        <>
          <Badge tone="warn" text="muted" />, ends <Moment at={member.muted_until} />
        </>
      ) : (
        '—'
      ),
  },
];

const ROLES = ['viewer', 'member', 'moderator', 'owner'] as const;

function deedsOf({ console }: PageProps, member: MemberView, load: () => void): RowDeed[] {
  const begin = (deed: Parameters<typeof console.begin>[0]) => console.begin(deed, load);
  const looks = [
    {
      text: 'Sessions',
      run: () => console.go('sessions', '', { user: member.user_id, state: 'all' }),
    },
    {
      text: 'Try as',
      run: () => console.go('try-as', member.user_id, { room: member.room_id }),
    },
  ];
  if (member.banned) return [...looks, { text: 'Lift the ban …', run: () => begin(unban(member)) }];
  return [
    ...looks,
    ...ROLES.filter((role) => role !== member.role).map((role) => ({
      text: `Make ${role} …`,
      run: () => begin(setRole(member, role)),
    })),
    isMuted(member)
      ? { text: 'End the mute …', run: () => begin(unmute(member)) }
      : { text: 'Mute 10 min …', bad: true, run: () => begin(mute(member, 10, Date.now())) },
    { text: 'Remove …', bad: true, run: () => begin(removeMember(member)) },
    { text: 'Ban …', bad: true, run: () => begin(ban(member)) },
  ];
}
