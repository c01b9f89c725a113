/** Why? One box, an answer in a sentence, and its evidence. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { Facts } from '../../kit/data/facts.js';
import { Timeline } from '../../kit/data/timeline.js';
import { Field } from '../../kit/inputs/field.js';
import { Pane } from '../../kit/pane.js';
import { kindOf, Why } from '../../model/console/pages/why.js';
import type { PageProps } from '../page-props.js';
import { CopyAs, factRows, Sentence, timelineRows, TroubleLine } from '../parts.js';

const KINDS = {
  close: 'the id of a close',
  id: 'the id of a decision, request, connection, session or user',
  person: 'a person, by e-mail or name',
  token: 'a token: it is sent once, in the body of a call, and kept nowhere',
  nothing: 'close id, decision id, request id, e-mail, or a token',
};

export function WhyPage({ console, place: { id } }: PageProps) {
  const why = useMemo(() => new Why(console.caller), [console]);
  const text = useSignal(id);
  const asked = useRef('');
  const box = useRef<HTMLInputElement>(null);
  const kind = kindOf(text.value);
  const answer = why.answer.value;
  const state = why.state.value;

  const ask = async () => {
    const shown = await why.ask(text.value);
    // A token does not stay in the page once its answer is there.
    if (kindOf(text.value) === 'token' && why.state.value !== 'failed') text.value = '';
    asked.current = shown;
    if (shown !== id) console.go('why', shown);
  };
  useEffect(() => {
    if (id === asked.current) return;
    text.value = id;
    asked.current = id;
    void why.ask(id);
  }, [id]);
  useEffect(() => box.current?.focus(), []);

  return (
    <section aria-label="Why" class="why">
      <form
        class="why-box"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <div class="grow">
          <Field
            label="Why was it closed, refused or ended?"
            type={kind === 'token' ? 'password' : 'search'}
            autocomplete="off"
            value={text.value}
            onInput={(value) => (text.value = value)}
            hint={kind === 'nothing' ? `Paste a ${KINDS.nothing}.` : `This is ${KINDS[kind]}.`}
            inputRef={box}
          />
        </div>
        <Button look="accent" submit busy={state === 'asking'}>
          {state === 'asking' ? 'Asking …' : 'Explain'}
        </Button>
      </form>
      <TroubleLine trouble={why.trouble.value} again={() => void ask()} />
      {state === 'unknown' ? (
        <p class="empty">
          Nothing of this name is known. Ends are kept for some days, decisions for an hour, ended
          sessions for 90 days.
        </p>
      ) : null}
      {answer === null || state !== 'answered' ? null : (
        <>
          <div class="sentence" role="status">
            <p>
              <Sentence text={answer.sentence} />
            </p>
            {answer.advice === null ? null : (
              <p class="advice">
                The client should: <Sentence text={answer.advice} />.
              </p>
            )}
          </div>
          <div class="halves">
            <Pane
              title="Evidence"
              label="Evidence"
              aside={<CopyAs console={console} asks={answer.asks} cli={answer.cli} />}
            >
              <Facts label="Evidence" rows={factRows(answer.facts)} />
            </Pane>
            {answer.happened.length === 0 ? null : (
              <Pane title="What happened" label="What happened">
                <Timeline
                  label="Records, newest first"
                  rows={timelineRows(answer.happened)}
                  empty="No record."
                />
              </Pane>
            )}
          </div>
        </>
      )}
    </section>
  );
}
