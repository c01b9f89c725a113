/** A part of the page that is loaded when it is opened first: few visits need it. */
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useChat } from './context.js';

export function late<P extends object>(
  load: () => Promise<FunctionComponent<P>>,
): FunctionComponent<P> {
  let loaded: FunctionComponent<P> | null = null;
  return function Late(props) {
    const { t } = useChat();
    const [Part, setPart] = useState<FunctionComponent<P> | null>(() => loaded);
    const [text, setText] = useState(t.loading);
    useEffect(() => {
      if (loaded !== null) return;
      void load().then(
        (part) => {
          loaded = part;
          setPart(() => part);
        },
        () => setText(t.errors['network']!),
      );
    }, []);
    return Part === null ? <p class="blank small">{text}</p> : <Part {...props} />;
  };
}
