// Weekly hours in words: days with equal hours are said together.
import type { Hours, Weekday } from '@switchbell/api';
import { fmt, type TFunction } from '@switchbell/i18n';

export const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** 0 is Sunday, as `fmt` counts. */
export const dayNumber = (day: Weekday) => (weekdays.indexOf(day) + 1) % 7;

/** "Mon–Fri 09:00–20:00, Sat 10:00–18:00" */
export function hoursWords(hours: Hours, t: TFunction): string {
  const runs: { from: Weekday; to: Weekday; text: string }[] = [];
  for (const day of weekdays) {
    const text = (hours[day] ?? []).map(([from, to]) => `${from}–${to}`).join(', ');
    const last = runs.at(-1);
    const follows = last && weekdays.indexOf(last.to) === weekdays.indexOf(day) - 1;
    if (last && follows && last.text === text) last.to = day;
    else runs.push({ from: day, to: day, text });
  }
  const open = runs.filter((run) => run.text !== '');
  if (open.length === 0) return t('campaigns.never');
  return open
    .map(({ from, to, text }) => {
      const first = fmt.weekdayShort(dayNumber(from));
      return `${from === to ? first : `${first}–${fmt.weekdayShort(dayNumber(to))}`} ${text}`;
    })
    .join('; ');
}

/** `9` → `09:00`, `930` → `09:30`, `24` → `24:00`; null when it is no time. */
export function readTime(text: string): string | null {
  const found = /^\s*(\d{1,2})\s*[:.\-h]?\s*(\d{2})?\s*$/.exec(text);
  if (!found) return null;
  const [hour, minute] = [Number(found[1]), Number(found[2] ?? 0)];
  if (hour > 24 || minute > 59 || (hour === 24 && minute > 0)) return null;
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}
