/** Why something was refused, beside the place where it was asked. Read out when it appears. */
import './field.css';

export function ErrorLine({ text, id }: { text: string | null; id?: string }) {
  if (text === null) return null;
  return (
    <p class="error-line" role="alert" id={id}>
      <span aria-hidden="true">■ </span>
      {text}
    </p>
  );
}
