/** A native modal dialog: focus stays inside, Escape closes, the page behind is inert. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './inputs/button.js';
import './dialog.css';

export function Dialog({
  title,
  onClose,
  closeText = 'Close',
  children,
}: {
  title: string;
  onClose: () => void;
  closeText?: string;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <Button onClick={() => dialog.current?.close()}>{closeText}</Button>
    </dialog>
  );
}
