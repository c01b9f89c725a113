/** The text of a message; of a long one its beginning, until its reader asks for the rest. */
import { useState } from 'preact/hooks';
import { Button } from '../../kit/inputs/button.js';
import { beginningOf } from '../../model/chat/room/beginning.js';
import { useChat } from '../context.js';
import { RichText } from './rich-text.js';

export function MessageText({ text, names = '' }: { text: string; names?: string }) {
  const { t } = useChat();
  const [isWhole, setWhole] = useState(false);
  const beginning = beginningOf(text);
  return (
    <>
      <RichText text={isWhole ? text : (beginning ?? text)} names={names} />
      {beginning === null ? null : (
        <Button look="quiet" tabIndex={-1} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t.message.showLess : t.message.showAll(text.length, t.locale)}
        </Button>
      )}
    </>
  );
}
