/** The dialogs over the page: one at a time. */
import { useEffect, useState } from 'preact/hooks';
import type { RoomView } from '@wardroom/client';
import { Button } from '../../kit/inputs/button.js';
import { Dialog } from '../../kit/dialog.js';
import { Check } from '../../kit/inputs/check.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { Field } from '../../kit/inputs/field.js';
import { troubleOf } from '../../model/trouble.js';
import { useChat } from '../context.js';
import { closeDialog, dialog } from './dialog-state.js';
import { Finder } from './finder.js';
import { Form } from './form.js';
import { late } from '../late.js';
import { SignInCard } from '../sign-in-page.js';

const Settings = late(async () => (await import('./settings.js')).Settings);
const RoomSettings = late(async () => (await import('./room-settings.js')).RoomSettings);

export function Dialogs() {
  const chat = useChat();
  const { t } = chat;
  const open = dialog.value;
  const isSignedIn = chat.session.state.value === 'signed_in';
  useEffect(() => {
    if (isSignedIn && dialog.peek()?.kind === 'sign_in') closeDialog();
  }, [isSignedIn]);
  if (open === null) return null;
  const titles = {
    find: t.dialogs.findTitle,
    browse: t.dialogs.browseTitle,
    create: t.dialogs.createTitle,
    invite: t.dialogs.inviteTitle,
    settings: t.settings.title,
    room: t.room.settings,
    sign_in: t.signIn.again(chat.me.value?.name ?? ''),
    confirm: open.kind === 'confirm' ? open.text : '',
  };
  const isAsking = ['confirm', 'create', 'room'].includes(open.kind);
  return (
    <Dialog
      key={open.kind}
      title={titles[open.kind]}
      onClose={closeDialog}
      closeText={isAsking ? t.cancel : t.close}
    >
      {open.kind === 'find' ? <Finder /> : null}
      {open.kind === 'browse' ? <Browse /> : null}
      {open.kind === 'create' ? <Create /> : null}
      {open.kind === 'invite' ? <Invite room={open.room} /> : null}
      {open.kind === 'settings' ? <Settings /> : null}
      {open.kind === 'room' ? <RoomSettings room={open.room} /> : null}
      {open.kind === 'sign_in' ? <SignInCard isAgain /> : null}
      {open.kind === 'confirm' ? (
        <Button
          look="bad"
          onClick={() => {
            closeDialog();
            open.run();
          }}
        >
          {open.deed}
        </Button>
      ) : null}
    </Dialog>
  );
}

function Browse() {
  const chat = useChat();
  const t = chat.t.dialogs;
  const [rooms, setRooms] = useState<readonly RoomView[] | null>(null);
  useEffect(() => {
    void chat.client.api.rooms.list({ limit: 100 }).then(
      ({ items }) =>
        setRooms(items.filter(({ id, visibility }) => visibility === 'public' && !chat.mine(id))),
      () => setRooms([]),
    );
  }, []);
  const enter = (id: string) => {
    closeDialog();
    chat.enter(id);
  };
  if (rooms === null) return <p class="blank small">{chat.t.loading}</p>;
  if (rooms.length === 0) return <p class="blank small">{t.browseEmpty}</p>;
  return (
    <ul class="browse">
      {rooms.map(({ id, name, topic }) => (
        <li key={id}>
          <span class="head-text">
            <strong dir="auto"># {name}</strong>
            <small class="soft">{topic}</small>
          </span>
          <Button label={`${t.look}: ${name}`} onClick={() => enter(id)}>
            {t.look}
          </Button>
          {chat.me.value?.role === 'guest' ? null : (
            <Button
              look="accent"
              label={`${t.join}: ${name}`}
              onClick={() =>
                chat.attempt(async () => {
                  await chat.client.api.rooms.join(id);
                  await chat.list.refresh();
                  enter(id);
                })
              }
            >
              {t.join}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Create() {
  const chat = useChat();
  const t = chat.t.dialogs;
  const [name, setName] = useState('');
  const [isPrivate, setPrivate] = useState(true);
  const create = async () => {
    const { id } = await chat.client.api.rooms.create({
      name: name.trim(),
      visibility: isPrivate ? 'private' : 'public',
    });
    await chat.list.refresh();
    closeDialog();
    chat.enter(id);
  };
  return (
    <Form submit={t.create} run={create} isMain>
      <Field label={t.name} value={name} onInput={setName} maxLength={100} required />
      <Check label={t.isPrivate} checked={isPrivate} onChange={setPrivate} />
    </Form>
  );
}

function Invite({ room }: { room: string }) {
  const chat = useChat();
  const t = chat.t.dialogs;
  const { invites } = chat.client.api;
  const [link, setLink] = useState<{ id: string; url: string } | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  useEffect(() => {
    void invites
      .create(room)
      .then(setLink, (thrown) => setRefused(chat.why(troubleOf(thrown).code)));
  }, []);
  return (
    <div class="stack">
      <p>
        {t.inviteText} {t.invitePeople}
      </p>
      <ErrorLine text={refused} />
      {link === null ? null : (
        <>
          <input
            class="input"
            readOnly
            value={link.url}
            aria-label={t.inviteTitle}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
          <div class="pair">
            <Button
              look="accent"
              onClick={() =>
                void navigator.clipboard.writeText(link.url).then(() => chat.tell(chat.t.copied))
              }
            >
              {chat.t.copy}
            </Button>
            <Button
              onClick={() =>
                chat.attempt(async () => {
                  await invites.withdraw(room, link.id);
                  closeDialog();
                  chat.tell(t.inviteGone);
                })
              }
            >
              {t.inviteOff}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}
