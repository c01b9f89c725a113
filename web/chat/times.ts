/** Times as people read them, in the language of the page. */
type Write = (at: Date | string, locale: string) => string;

/** A browser takes a millisecond to make such a format, so it is made once for a language. */
function writer(options: Intl.DateTimeFormatOptions): Write {
  const formats = new Map<string, Intl.DateTimeFormat>();
  return (at, locale) => {
    const format = formats.get(locale) ?? new Intl.DateTimeFormat(locale, options);
    formats.set(locale, format);
    return format.format(new Date(at));
  };
}

export const clock = writer({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
export const exact = writer({ dateStyle: 'full', timeStyle: 'medium' });
const dayAndMonth = writer({ day: 'numeric', month: 'short' });
const dayOfWeek = { weekday: 'long', day: 'numeric', month: 'long' } as const;
const longDay = writer(dayOfWeek);
const longDayOfYear = writer({ ...dayOfWeek, year: 'numeric' });

const DAY_MS = 86_400_000;
const startOfDay = (at: Date): number => new Date(at).setHours(0, 0, 0, 0);
/** 0 is today, 1 yesterday. */
export const daysAgo = (at: Date): number =>
  Math.round((startOfDay(new Date()) - startOfDay(at)) / DAY_MS);

export function dayText(
  at: Date,
  { locale, room }: { locale: string; room: { today: string; yesterday: string } },
): string {
  const days = daysAgo(at);
  if (days === 0) return room.today;
  if (days === 1) return room.yesterday;
  const isThisYear = at.getFullYear() === new Date().getFullYear();
  return (isThisYear ? longDay : longDayOfYear)(at, locale);
}

/** As short as a list has place for: a time today, otherwise a day. */
export const shortly = (at: string, locale: string): string =>
  daysAgo(new Date(at)) === 0 ? clock(at, locale) : dayAndMonth(at, locale);

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
export function ago(at: string, locale: string): string {
  const ms = new Date(at).getTime() - Date.now();
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const [unit, size] = UNITS.find(([, each]) => Math.abs(ms) >= each) ?? ['second', 1000];
  return format.format(Math.round(ms / size), unit);
}
