/** A labelled input with its hint and its error, which screen readers read with it. */
import type { RefObject, TargetedKeyboardEvent } from 'preact';
import { useId } from 'preact/hooks';
import { ErrorLine } from './error-line.js';
import './field.css';

interface Props {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'url' | 'number' | 'datetime-local';
  /** Of the browser's own memory: `username`, `current-password`, ... */
  autocomplete?: string;
  hint?: string;
  error?: string | null;
  required?: boolean;
  disabled?: boolean;
  maxLength?: number;
  /** More than one line. */
  rows?: number;
  placeholder?: string;
  inputRef?: RefObject<HTMLInputElement | null>;
  onKeyDown?: (event: TargetedKeyboardEvent<HTMLInputElement>) => void;
}

export function Field({ label, hint, error = null, onInput, inputRef, ...input }: Props) {
  const id = useId();
  // Both take the same attributes.
  const Input = (input.rows === undefined ? 'input' : 'textarea') as 'input';
  const notes = [hint === undefined ? '' : `${id}-hint`, error === null ? '' : `${id}-error`];
  const describedBy = notes.join(' ').trim();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Input
        {...(input as object)}
        ref={inputRef ?? null}
        id={id}
        class="input"
        aria-invalid={error !== null}
        aria-describedby={describedBy === '' ? undefined : describedBy}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <ErrorLine id={`${id}-error`} text={error} />
    </div>
  );
}
