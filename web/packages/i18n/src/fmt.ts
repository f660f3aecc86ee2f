// Every number, date, duration and phone that people see is made here, in five languages.
import type { Language } from './languages';
import { uz, uzCountries, uzNumber, uzRelative } from './uz';

interface Place {
  language: Language;
  /** IANA zone in which moments are shown. */
  zone: string;
  /** ISO country whose phone numbers are shown the national way. */
  country: string;
}

let place: Place = { language: 'en', zone: 'UTC', country: '' };

export function setPlace(next: Partial<Place>): void {
  place = { ...place, ...next };
}

type Moment = string | number | Date;
type DateStyle = 'short' | 'medium' | 'long';

// A formatter costs more than a thousand of its uses.
const cache = new Map<string, unknown>();
function cached<T>(key: string, make: () => T): T {
  const found = cache.get(key) as T | undefined;
  if (found !== undefined) return found;
  const made = make();
  cache.set(key, made);
  return made;
}

// British English: 24-hour clock and weeks that start on Monday.
const tag = () => (place.language === 'en' ? 'en-GB' : place.language);

function partsOf(moment: Moment, zone: string) {
  const format = cached(
    `parts ${zone}`,
    () =>
      new Intl.DateTimeFormat('en-GB', {
        timeZone: zone,
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        second: '2-digit',
        weekday: 'short',
        hourCycle: 'h23',
      }),
  );
  const found = Object.fromEntries(
    format.formatToParts(new Date(moment)).map((part) => [part.type, part.value]),
  );
  return {
    year: Number(found['year']),
    month: Number(found['month']),
    day: Number(found['day']),
    hour: found['hour'] ?? '00',
    minute: found['minute'] ?? '00',
    second: found['second'] ?? '00',
    weekday: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(found['weekday'] ?? ''),
  };
}

const pad = (value: number) => String(value).padStart(2, '0');

function date(moment: Moment, style: DateStyle = 'medium', zone = place.zone): string {
  if (place.language === 'uz') {
    const { year, month, day, weekday } = partsOf(moment, zone);
    if (style === 'short') return `${pad(day)}/${pad(month)}/${pad(year % 100)}`;
    if (style === 'medium') return `${day}-${uz.monthShort(month)}, ${year}`;
    return `${uz.weekdayLong(weekday)}, ${day}-${uz.monthLong(month)}, ${year}`;
  }
  const options: Intl.DateTimeFormatOptions =
    style === 'long'
      ? { dateStyle: 'full' }
      : style === 'medium'
        ? { day: 'numeric', month: 'short', year: 'numeric' }
        : { day: '2-digit', month: '2-digit', year: '2-digit' };
  return cached(
    `date ${tag()} ${style} ${zone}`,
    () => new Intl.DateTimeFormat(tag(), { ...options, timeZone: zone }),
  ).format(new Date(moment));
}

function time(moment: Moment, options: { seconds?: boolean; zone?: string } = {}): string {
  const parts = partsOf(moment, options.zone ?? place.zone);
  const short = `${parts.hour}:${parts.minute}`;
  return options.seconds ? `${short}:${parts.second}` : short;
}

function sameDay(a: Moment, b: Moment, zone = place.zone): boolean {
  const [x, y] = [partsOf(a, zone), partsOf(b, zone)];
  return x.year === y.year && x.month === y.month && x.day === y.day;
}

function dateTime(moment: Moment, zone = place.zone): string {
  return `${date(moment, 'medium', zone)}, ${time(moment, { zone })}`;
}

/** When a day, `2026-11-20`, begins in the zone; `later` days after it. */
function startOfDay(day: string, later = 0, zone = place.zone): string {
  const [year = 1970, month = 1, dayOfMonth = 1] = day.split('-').map(Number);
  const wanted = Date.UTC(year, month - 1, dayOfMonth + later);
  let moment = wanted;
  // Twice: the first guess may lie on the other side of a change of clocks.
  for (let round = 0; round < 2; round += 1) {
    const { year: y, month: m, day: d, hour, minute } = partsOf(moment, zone);
    moment += wanted - Date.UTC(y, m - 1, d, Number(hour), Number(minute));
  }
  return new Date(moment).toISOString();
}

/** The shortest that is still clear: the time today, weekday and time this week, else the date. */
function brief(moment: Moment, now: Moment = Date.now(), zone = place.zone): string {
  if (sameDay(moment, now, zone)) return time(moment, { zone });
  const away = Math.abs(new Date(moment).getTime() - new Date(now).getTime());
  if (away < 6 * 86_400_000)
    return `${weekdayShort(partsOf(moment, zone).weekday)} ${time(moment, { zone })}`;
  return dateTime(moment, zone);
}

// 4 January 1970 was a Sunday.
function weekdayName(day: number, style: 'long' | 'short'): string {
  if (place.language === 'uz') return style === 'long' ? uz.weekdayLong(day) : uz.weekdayShort(day);
  const format = cached(
    `weekday ${tag()} ${style}`,
    () => new Intl.DateTimeFormat(tag(), { weekday: style, timeZone: 'UTC' }),
  );
  return format.format(new Date(Date.UTC(1970, 0, 4 + day)));
}

/** 0 is Sunday. */
const weekdayShort = (day: number) => weekdayName(day, 'short');
/** 0 is Sunday. */
const weekdayLong = (day: number) => weekdayName(day, 'long');

const steps = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

function relative(moment: Moment, now: Moment = Date.now()): string {
  const seconds = Math.round((new Date(moment).getTime() - new Date(now).getTime()) / 1000);
  const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  const value = Math.trunc(seconds / size);
  if (place.language === 'uz') return uzRelative(value, unit);
  return cached(
    `relative ${tag()}`,
    () => new Intl.RelativeTimeFormat(tag(), { numeric: 'auto' }),
  ).format(value, unit);
}

function number(value: number, fraction = 0): string {
  if (place.language === 'uz') return uzNumber(value, fraction);
  return cached(
    `number ${tag()} ${fraction}`,
    () => new Intl.NumberFormat(tag(), { maximumFractionDigits: fraction }),
  ).format(value);
}

/** `part` is 0 to 1; one digit after the point below ten per cent. */
function percent(part: number): string {
  const hundred = part * 100;
  const text = number(hundred, hundred > 0 && hundred < 9.95 ? 1 : 0);
  return place.language === 'en' || place.language === 'vi' || place.language === 'uz'
    ? `${text}%`
    : `${text}\u00a0%`;
}

/** `m:ss`, and `h:mm:ss` from an hour on. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

const byteUnits: Record<Language, readonly string[]> = {
  en: ['B', 'kB', 'MB', 'GB'],
  vi: ['B', 'kB', 'MB', 'GB'],
  uz: ['B', 'kB', 'MB', 'GB'],
  uk: ['Б', 'кБ', 'МБ', 'ГБ'],
  ru: ['Б', 'кБ', 'МБ', 'ГБ'],
};

function bytes(value: number): string {
  let [size, unit] = [value, 0];
  while (size >= 1000 && unit < 3) [size, unit] = [size / 1000, unit + 1];
  return `${number(size, size < 10 && unit > 0 ? 1 : 0)}\u00a0${byteUnits[place.language][unit]}`;
}

function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  if (place.language === 'uz')
    return `${items.slice(0, -1).join(', ')} ${uz.and} ${items[items.length - 1]}`;
  return cached(`list ${tag()}`, () => new Intl.ListFormat(tag(), { type: 'conjunction' })).format(
    items,
  );
}

/** Country code of the number, groups after it, and how the country itself writes it. */
const phonePlans: Record<string, { code: string; groups: number[]; trunk: string | null }> = {
  UA: { code: '380', groups: [2, 3, 2, 2], trunk: '0' },
  UZ: { code: '998', groups: [2, 3, 2, 2], trunk: null },
  VN: { code: '84', groups: [3, 3, 3], trunk: '0' },
  KZ: { code: '7', groups: [3, 3, 2, 2], trunk: '8 ' },
  RU: { code: '7', groups: [3, 3, 2, 2], trunk: '8 ' },
  PL: { code: '48', groups: [3, 3, 3], trunk: '' },
  GB: { code: '44', groups: [4, 6], trunk: '0' },
  US: { code: '1', groups: [3, 3, 4], trunk: '' },
};

function grouped(digits: string, groups: number[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const size of groups) {
    parts.push(digits.slice(at, at + size));
    at += size;
  }
  return parts.join('\u00a0');
}

/** E.164 in; national for the account's country, international otherwise. */
function phone(e164: string): string {
  if (!/^\+\d{7,15}$/.test(e164)) return e164;
  const digits = e164.slice(1);
  const own = phonePlans[place.country];
  const fits = (plan: { code: string; groups: number[] }) =>
    digits.startsWith(plan.code) &&
    digits.length === plan.code.length + plan.groups.reduce((sum, size) => sum + size, 0);
  if (own !== undefined && fits(own) && own.trunk !== null)
    return own.trunk + grouped(digits.slice(own.code.length), own.groups);
  const plan = Object.values(phonePlans).find(fits);
  if (plan === undefined) return e164;
  return `+${plan.code}\u00a0${grouped(digits.slice(plan.code.length), plan.groups)}`;
}

function country(code: string): string {
  if (place.language === 'uz' && uzCountries[code] !== undefined) return uzCountries[code];
  const language = place.language === 'uz' ? 'en' : tag();
  try {
    return (
      cached(`country ${language}`, () => new Intl.DisplayNames([language], { type: 'region' })).of(
        code,
      ) ?? code
    );
  } catch {
    return code;
  }
}

/** `UTC+02:00`, as of the moment given. */
function offset(zone: string, moment: Moment = Date.now()): string {
  const format = cached(
    `offset ${zone}`,
    () => new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' }),
  );
  const found = format.formatToParts(new Date(moment)).find((part) => part.type === 'timeZoneName');
  return (found?.value ?? 'GMT').replace('GMT', 'UTC');
}

export const fmt = {
  date,
  time,
  dateTime,
  brief,
  sameDay,
  startOfDay,
  weekdayShort,
  weekdayLong,
  relative,
  number,
  percent,
  duration,
  bytes,
  list,
  phone,
  country,
  offset,
  /** The zone in which moments are shown. */
  zone: () => place.zone,
};

/** Zones that the browser knows. */
export const timeZones = (): string[] => Intl.supportedValuesOf('timeZone').map(modern);

/** Chromium still lists some zones by their former names. */
const modern = (zone: string) =>
  zone === 'Europe/Kiev' ? 'Europe/Kyiv' : zone === 'Asia/Saigon' ? 'Asia/Ho_Chi_Minh' : zone;

export const browserZone = (): string =>
  modern(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

/** ISO 3166 codes, in the order of their names in the page's language. */
export function countries(): { code: string; name: string }[] {
  const compare = new Intl.Collator(place.language === 'uz' ? 'en' : tag()).compare;
  return countryCodes
    .map((code) => ({ code, name: country(code) }))
    .toSorted((a, b) => compare(a.name, b.name));
}

const countryCodes = (
  'AD AE AF AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CD CF CG ' +
  'CH CI CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FR GA GB GD GE GH GM ' +
  'GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KZ ' +
  'LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MR MT MU MV MW MX MY MZ NA NE NG ' +
  'NI NL NO NP NZ OM PA PE PG PH PK PL PR PS PT PW PY QA RO RS RU RW SA SB SC SD SE SG SI SK SL SM ' +
  'SN SO SR SS ST SV SY SZ TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VN VU WS ' +
  'XK YE ZA ZM ZW'
).split(' ');
