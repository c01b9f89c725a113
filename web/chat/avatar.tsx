/** Two letters in place of a picture: the page loads nothing from elsewhere. */
const HUES = 8;

export function Avatar({ name }: { name: string }) {
  const words = name.trim().split(/\s+/u);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => String.fromCodePoint(word?.codePointAt(0) ?? 32).trim())
    .join('')
    .toUpperCase();
  const hue = Array.from(name).reduce((sum, char) => sum + char.codePointAt(0)!, 0) % HUES;
  return (
    <span class={`avatar hue-${hue}`} aria-hidden="true">
      {letters === '' ? '?' : letters}
    </span>
  );
}
