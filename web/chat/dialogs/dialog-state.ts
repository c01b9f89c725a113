/** The dialog that is open over the page. */
import { signal } from '@preact/signals';
import type { RoomPage } from '../../model/chat/room/room-page.js';

type Open =
  | { kind: 'find' | 'browse' | 'create' | 'settings' | 'sign_in' }
  | { kind: 'invite'; room: string }
  | { kind: 'room'; room: RoomPage }
  | { kind: 'confirm'; text: string; deed: string; run: () => unknown };

export const dialog = signal<Open | null>(null);
export const closeDialog = (): void => void (dialog.value = null);

/** Asks once before something ends or goes. */
export const confirm = (text: string, deed: string, run: () => unknown): void =>
  void (dialog.value = { kind: 'confirm', text, deed, run });
