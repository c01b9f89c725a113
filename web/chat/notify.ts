/** A notification of the browser, if it lets us. */
export function notify(title: string, body: string, open: () => void): void {
  if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
  const shown = new Notification(title, { body, tag: title });
  shown.addEventListener('click', () => {
    window.focus();
    open();
    shown.close();
  });
}
