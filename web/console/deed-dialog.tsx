/**
 * A change is asked for once. The dialog names its effects, says whether it can be undone, and
 * takes a reason. Then it shows the receipt, node by node.
 */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { Button } from '../kit/inputs/button.js';
import { copy } from '../kit/data/id.js';
import '../kit/dialog.css';
import { ErrorLine } from '../kit/inputs/error-line.js';
import { Field } from '../kit/inputs/field.js';
import { Steps } from '../kit/said/receipt.js';
import type { Console } from '../model/console/console.js';
import type { Doing } from '../model/console/deed.js';

export function DeedDialog({ console, doing }: { console: Console; doing: Doing }) {
  const { deed, run } = doing;
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const refused = useSignal<string | null>(null);
  // Before the next key: what is typed at once belongs into the reason.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, [doing]);
  const state = run.state.value;
  const secret = deed.shown?.(doing.answers.value) ?? null;
  const isOver = state !== 'ready' && state !== 'running';

  const submit = async (event: Event) => {
    event.preventDefault();
    refused.value = doing.missing.value;
    if (refused.value !== null) return field.current?.focus();
    await doing.go();
    return undefined;
  };

  return (
    <dialog
      ref={dialog}
      class="dialog deed"
      aria-labelledby="deed-title"
      onClose={() => {
        console.doing.value = null;
        // The button that opened it may be gone with what it was about.
        const keepFocus = () =>
          requestAnimationFrame(() => {
            if (document.activeElement === document.body) document.querySelector('main')?.focus();
          });
        void doing.shown.finally(keepFocus);
      }}
    >
      <h2 id="deed-title">{deed.title}</h2>
      {state === 'ready' ? (
        <form onSubmit={(event) => void submit(event)}>
          {deed.effects.map((text) => (
            <p key={text}>{text}</p>
          ))}
          {deed.undo === null ? null : <p class="undo">{deed.undo}</p>}
          {deed.reason === 'none' ? null : (
            <Field
              label={deed.reasonLabel ?? 'Reason, for the audit'}
              value={doing.reason.value}
              onInput={(value) => (doing.reason.value = value)}
              maxLength={500}
              inputRef={field}
            />
          )}
          <ErrorLine text={refused.value} />
          <div class="actions">
            <Button look={deed.destructive ? 'bad' : 'accent'} submit>
              {deed.button}
            </Button>
            <Button onClick={() => dialog.current?.close()}>Cancel</Button>
            <span class="copy-as">
              <Button look="quiet" onClick={() => copy(doing.curl, 'curl command')}>
                Copy as curl
              </Button>
              {doing.cli === '' ? null : (
                <Button look="quiet" onClick={() => copy(doing.cli, 'command')}>
                  Copy as CLI
                </Button>
              )}
            </span>
          </div>
        </form>
      ) : (
        <>
          <div class="run" data-state={state}>
            <Steps steps={run.steps.value} />
            {run.waitsFor.value === null ? null : (
              <p class="waiting">waiting for {run.waitsFor.value} …</p>
            )}
          </div>
          {run.receipts.value.map(({ id }) => (
            <p key={id} class="receipt-id">
              receipt <code>{id}</code>
            </p>
          ))}
          {secret === null ? null : (
            <div class="secret">
              <code>{secret}</code>
              <Button onClick={() => copy(secret, 'secret')}>Copy</Button>
              <p>It is shown here and never again.</p>
            </div>
          )}
          <div class="actions">
            <Button look="accent" disabled={!isOver} onClick={() => dialog.current?.close()}>
              {isOver ? 'Close' : 'Working …'}
            </Button>
          </div>
        </>
      )}
    </dialog>
  );
}
