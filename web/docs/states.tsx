import { useEffect, useState } from 'preact/hooks';
import { Button } from '../kit/inputs/button.js';

/** Says so after half a second: most things come sooner. */
export function Waiting({ what }: { what: string }) {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 500);
    return () => clearTimeout(timer);
  }, []);
  return isShown ? <p role="status">Loading {what} ...</p> : null;
}

export function Failed({ again }: { again: () => Promise<void> }) {
  return (
    <div role="alert">
      <p>This could not be loaded. The server may be away, or a newer version was installed.</p>
      <Button onClick={() => void again()}>Try again</Button>
    </div>
  );
}
