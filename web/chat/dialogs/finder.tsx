/** Ctrl K: a room or a person by a few letters, Enter opens. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Field } from '../../kit/inputs/field.js';
import { findIn, type Found } from '../../model/chat/sidebar.js';
import { Avatar } from '../avatar.js';
import { useChat } from '../context.js';
import { closeDialog } from './dialog-state.js';
import { usePeopleBy } from './person-picker.js';

export function Finder() {
  const chat = useChat();
  const t = chat.t.dialogs;
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const people = usePeopleBy(query);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => input.current?.focus(), []);
  const me = chat.me.value?.user_id ?? '';
  const found = findIn(query, chat.rooms.value.rooms, people, me);
  const at = Math.min(chosen, found.length - 1);
  const open = (each: Found | undefined) => {
    if (each === undefined) return;
    closeDialog();
    if (each.kind === 'person') void chat.writeTo(each.id);
    else chat.enter(each.id);
  };
  return (
    <div class="picker finder-box">
      <Field
        label={t.findTitle}
        type="search"
        value={query}
        inputRef={input}
        onInput={(value) => {
          setQuery(value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (step !== undefined && found.length > 0) {
            event.preventDefault();
            setChosen((at + step + found.length) % found.length);
          }
          // A search field would clear itself first.
          if (event.key === 'Escape') closeDialog();
          if (event.key === 'Enter') open(found[at]);
        }}
      />
      <ul role="listbox" aria-label={t.findTitle} id={id}>
        {found.map((each, i) => (
          <li
            key={`${each.kind}${each.id}`}
            role="option"
            aria-selected={i === at}
            class="pick"
            onClick={() => open(each)}
          >
            {each.kind !== 'room' ? <Avatar name={each.name} /> : <span class="sign">#</span>}
            <span dir="auto">{each.name}</span>
            <small class="soft">{each.kind === 'room' ? t.roomKind : t.personKind}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 && query !== '' ? <p class="blank small">{t.findNothing}</p> : null}
    </div>
  );
}
