/** One thing of a table in full, and what can be done with it. */
import { Button } from '../kit/inputs/button.js';
import { type FactRow, Facts } from '../kit/data/facts.js';
import { Dialog } from '../kit/dialog.js';

export interface RowDeed {
  text: string;
  bad?: boolean;
  run: () => unknown;
}

interface Props {
  title: string;
  rows: readonly FactRow[];
  deeds: readonly RowDeed[];
  onClose: () => void;
}

export function RowDialog({ title, rows, deeds, onClose }: Props) {
  return (
    <Dialog title={title} onClose={onClose}>
      <Facts label={title} rows={rows} />
      {deeds.length === 0 ? null : (
        <div class="row-deeds">
          {deeds.map(({ text, bad = false, run }) => (
            <Button
              key={text}
              look={bad ? 'bad' : 'plain'}
              onClick={() => {
                onClose();
                run();
              }}
            >
              {text}
            </Button>
          ))}
        </div>
      )}
    </Dialog>
  );
}
