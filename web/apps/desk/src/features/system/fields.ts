// What the audit trail calls fields, in the words that their pages have for them.
import { fmt, wordsFor } from '@switchbell/i18n';

import table from './fields.json';

/** Keys of words by field, as `field` or, where things differ, `thing.field`. */
const keys: Record<string, string> = table;

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** The last part of a path such as `caps.per_day`; as it is in the API where there are no words. */
function lastWords(thing: string, path: string): string {
  const key = keys[`${thing}.${path}`] ?? keys[path];
  const last = path.slice(path.lastIndexOf('.') + 1);
  const day = path.startsWith('hours.') ? weekdays.indexOf(last) : -1;
  return (key && wordsFor(key)) ?? (day < 0 ? last : fmt.weekdayLong(day));
}

/** A field of a thing: "Limits per number: Calls in 24 hours". */
export function fieldWords(thing: string, path: string): string {
  const names = path.split('.');
  return names.map((_, at) => lastWords(thing, names.slice(0, at + 1).join('.'))).join(': ');
}

/** A part of a thing whose own field is told already. */
export const partWords = lastWords;
