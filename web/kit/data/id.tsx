/** An id, shortened; a click copies the whole one. */
import { shortId } from '../../model/console/words.js';
import { toast } from '../said/toast.js';
import './id.css';

export function Id({ id, of = 'id', tabIndex }: { id: string; of?: string; tabIndex?: number }) {
  return (
    <button
      type="button"
      class="id"
      title={`${of} ${id} · click to copy`}
      tabIndex={tabIndex}
      onClick={(event) => {
        event.stopPropagation();
        copy(id, of);
      }}
    >
      {shortId(id)}
    </button>
  );
}

/** Says what became of it: a page without https has no clipboard. */
export function copy(text: string, what: string): void {
  const { clipboard } = navigator as { clipboard?: Clipboard };
  const failed = () => toast({ text: `Not copied: select the ${what} instead.`, tone: 'bad' });
  if (clipboard === undefined) return failed();
  clipboard.writeText(text).then(() => toast({ text: `Copied ${what}.` }), failed);
}
