/** Name, topic, description, who may write and who may find a room; and its archive. */
import { useState } from 'preact/hooks';
import type { RoomPatch } from '@wardroom/client';
import { Select } from '../../kit/data/select.js';
import { Check } from '../../kit/inputs/check.js';
import { Field } from '../../kit/inputs/field.js';
import type { RoomPage } from '../../model/chat/room/room-page.js';
import { useChat } from '../context.js';
import { closeDialog } from './dialog-state.js';
import { Form } from './form.js';

export function RoomSettings({ room }: { room: RoomPage }) {
  const chat = useChat();
  const t = chat.t.roomSettings;
  const [fields, setFields] = useState<RoomPatch>({});
  const before = room.view.value!;
  const { name, topic, description, posting, visibility, archived } = { ...before, ...fields };
  const set = (field: keyof RoomPatch) => (value: string | boolean) =>
    setFields({ ...fields, [field]: value === '' ? null : value });
  const save = async () => {
    await room.change(fields);
    closeDialog();
    chat.tell(chat.t.settings.saved);
  };
  return (
    <Form submit={chat.t.save} run={save} isMain>
      <Field label={t.name} value={name ?? ''} onInput={set('name')} maxLength={100} required />
      <Field
        label={t.topic}
        hint={t.topicHint}
        value={topic ?? ''}
        onInput={set('topic')}
        maxLength={250}
      />
      <Field
        label={t.description}
        value={description ?? ''}
        onInput={set('description')}
        maxLength={4000}
        rows={4}
      />
      <Select
        label={t.posting}
        value={posting!}
        options={Object.entries(t.postings)}
        onChange={set('posting')}
      />
      <Select
        label={t.visibility}
        value={visibility!}
        options={Object.entries(t.visibilities)}
        onChange={set('visibility')}
      />
      <Check label={t.archived} checked={archived!} onChange={set('archived')} />
    </Form>
  );
}
