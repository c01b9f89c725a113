/** How far a change has come, node by node. */
import type { ReceiptView } from '@wardroom/client';
import { Badge } from '../../kit/said/badge.js';
import { useChat } from '../context.js';

export function ReceiptLine({ receipt, text }: { receipt: ReceiptView; text?: string }) {
  const { t } = useChat();
  const { settings, panes } = t;
  const said = receipt.effective ? (text ?? panes.effective(receipt.ms)) : panes.pending;
  return (
    <div class="receipt" role="status">
      <Badge tone={receipt.effective ? 'good' : 'warn'} text={said} />
      <ul>
        {receipt.nodes.map(({ id, state, ms }) => (
          <li key={id} title={id}>
            {settings.node(id.slice(-4), settings[state], ms)}
          </li>
        ))}
      </ul>
    </div>
  );
}
