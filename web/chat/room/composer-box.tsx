/** The line that is written: Enter sends, arrow up edits, `@` completes. Locked, it says why. */
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import type { Composer } from '../../model/chat/room/composer.js';
import { EVERYBODY } from '../../model/chat/room/mentions.js';
import { textOf } from '../../model/chat/layout.js';
import type { Lock } from '../../model/chat/room/lock.js';
import { useChat } from '../context.js';

const LINES_MAX = 8;

export function ComposerBox(props: { composer: Composer; label: string; lock: Lock }) {
  const { composer, label, lock } = props;
  const chat = useChat();
  const t = chat.t.composer;
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const text = composer.text.value;
  const completion = composer.completion.value;
  const editing = composer.editing.value;
  const replyTo = composer.replyTo.value;
  const locked =
    lock === 'open' ? null : ((t.locks as Partial<Record<Lock, string>>)[lock] ?? t.readOnly);
  useLayoutEffect(() => {
    if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });
  useEffect(() => {
    // A phone would open its keyboard over the messages.
    if (matchMedia('(min-width: 721px)').matches || editing !== null || replyTo !== null)
      input.current?.focus();
  }, [editing, replyTo]);
  const complete = (person?: Parameters<Composer['complete']>[0]) => {
    caret.current = composer.complete(person);
    input.current?.focus();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        composer.submit();
        input.current?.focus();
      }}
    >
      {editing === null && replyTo === null ? null : (
        <p class="composing">
          <span dir="auto">
            {editing === null
              ? `${t.replying(chat.names.of(replyTo!.sender))}: ${textOf(replyTo!.body).slice(0, 120)}`
              : t.editing}
          </span>
          <Button look="quiet" onClick={() => composer.stop()}>
            {t.stop}
          </Button>
        </p>
      )}
      {completion === null ? null : (
        <ul class="completion" role="listbox" id={`${id}-people`} aria-label={t.complete}>
          {completion.people.map((person, i) => (
            <li
              key={person.id}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === composer.chosen.value}
              onPointerDown={(event) => {
                event.preventDefault();
                complete(person);
              }}
            >
              @{person.name}
              {person.id === EVERYBODY ? <small> {t.everybody}</small> : null}
            </li>
          ))}
        </ul>
      )}
      <div class="composer-line">
        <textarea
          ref={input}
          class="input"
          dir="auto"
          rows={Math.min(LINES_MAX, text.split('\n').length)}
          value={text}
          readOnly={locked !== null}
          aria-label={label}
          aria-autocomplete="list"
          aria-controls={completion === null ? undefined : `${id}-people`}
          aria-activedescendant={completion === null ? undefined : `${id}-${composer.chosen.value}`}
          placeholder={locked === null ? label : t.locked(locked)}
          title={t.hint}
          onInput={({ currentTarget: at }) => composer.write(at.value, at.selectionStart)}
          onKeyDown={(event) => {
            if (!event.isComposing && onKey(event, composer, complete)) event.preventDefault();
          }}
        />
        <button
          type="submit"
          class="button accent"
          disabled={locked !== null || text.trim() === ''}
        >
          {editing === null ? t.send : t.save}
        </button>
      </div>
      {locked === null || text === '' ? null : <p class="hint">{t.locked(locked)}</p>}
      <ErrorLine text={composer.refused.value === null ? null : chat.why(composer.refused.value)} />
    </form>
  );
}

/** Answers whether the key was meant for the composer. */
function onKey(event: KeyboardEvent, composer: Composer, complete: () => void): boolean {
  const isCompleting = composer.completion.value !== null;
  switch (event.key) {
    case 'ArrowUp':
    case 'ArrowDown':
      if (isCompleting) composer.move(event.key === 'ArrowUp' ? -1 : 1);
      else if (event.key === 'ArrowDown' || composer.text.value !== '') return false;
      else return composer.edit();
      return true;
    case 'Tab':
      if (isCompleting) complete();
      return isCompleting;
    case 'Escape':
      return composer.stop();
    case 'Enter':
      if (event.shiftKey) return false;
      if (isCompleting) complete();
      else composer.submit();
      return true;
    default:
      return false;
  }
}
