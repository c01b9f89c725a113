/** Why a connection ended: metric, log line and audit record say the same. */
import type { CloseCode } from '@wardroom/protocol/codes';

/**
 * `reset`: TCP was ended or broken without a close frame. `timeout`: the kernel gave up.
 * `half_open`: our ping was not answered.
 */
export type TransportEnd = 'reset' | 'timeout' | 'half_open';

export type ConnectionEnd =
  | { side: 'server'; code: CloseCode }
  | { side: 'client'; code: number }
  | { side: 'transport'; code: TransportEnd };
