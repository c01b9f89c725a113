/** A name for the list of devices, e.g. "Firefox on Linux". A guess: nothing is decided by it. */
const BROWSERS: readonly [string, RegExp][] = [
  ['Edge', /Edg\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /Chrome\//],
  ['Safari', /Safari\//],
];
const SYSTEMS: readonly [string, RegExp][] = [
  ['Android', /Android/],
  ['iPhone', /iPhone/],
  ['iPad', /iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
];

export function deviceName(agent: string): string {
  const of = (table: readonly [string, RegExp][], other: string) =>
    table.find(([, sign]) => sign.test(agent))?.[0] ?? other;
  return `${of(BROWSERS, 'Browser')} on ${of(SYSTEMS, 'a device')}`;
}
