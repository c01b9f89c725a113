/** A form whose refusal is shown in it. `submit` is the word of its button. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { ErrorLine } from '../../kit/inputs/error-line.js';
import { troubleOf } from '../../model/trouble.js';
import { useChat } from '../context.js';

interface Props {
  children: ComponentChildren;
  submit: string;
  run: () => Promise<unknown>;
  /** The one deed of its dialog. */
  isMain?: boolean;
}

export function Form({ children, submit, run, isMain = false }: Props) {
  const chat = useChat();
  const [refused, setRefused] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    if (isBusy) return;
    setBusy(true);
    setRefused(null);
    await run().catch((thrown) => setRefused(chat.why(troubleOf(thrown).code)));
    setBusy(false);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {children}
      <ErrorLine text={refused} />
      <Button submit look={isMain ? 'accent' : 'plain'} busy={isBusy}>
        {submit}
      </Button>
    </form>
  );
}
