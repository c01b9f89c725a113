/** The trouble of the connection in words, and the step its person has. */
import { Banner } from '../../kit/said/banner.js';
import { Button } from '../../kit/inputs/button.js';
import { useChat } from '../context.js';
import { dialog } from '../dialogs/dialog-state.js';

export function ConnectionBanner() {
  const chat = useChat();
  const { kind, tone, title, text, retryInSeconds } = chat.banner.value;
  const { banner: t, signIn } = chat.t;
  if (kind === 'none') return null;
  const isOver = kind === 'signed_out' || kind === 'stopped';
  const more = [
    ...(retryInSeconds === undefined ? [] : [t.retryIn(retryInSeconds)]),
    ...(isOver && chat.open.value?.composer.text.value ? [t.draftKept] : []),
  ];
  return (
    <Banner tone={tone} title={`${title}.`} text={[text, ...more].join(' ')}>
      <div class="pair">
        {retryInSeconds === undefined ? null : (
          <Button onClick={() => chat.connection.retryNow()}>{t.retryNow}</Button>
        )}
        {kind === 'signed_out' && chat.me.value?.role !== 'guest' ? (
          <Button
            look="accent"
            onClick={() => {
              chat.signIn.again();
              dialog.value = { kind: 'sign_in' };
            }}
          >
            {t.signInAgain}
          </Button>
        ) : null}
        {isOver ? <Button onClick={() => chat.forget()}>{signIn.other}</Button> : null}
      </div>
    </Banner>
  );
}
