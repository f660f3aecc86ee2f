// Uzbek dates and numbers. Chromium claims to know `uz` and prints "2026 M04 9", so the tables are ours
// (CLDR 48, with U+02BB in the letters oʻ and gʻ).

const months = [
  ['yanvar', 'yan'],
  ['fevral', 'fev'],
  ['mart', 'mar'],
  ['aprel', 'apr'],
  ['may', 'may'],
  ['iyun', 'iyn'],
  ['iyul', 'iyl'],
  ['avgust', 'avg'],
  ['sentabr', 'sen'],
  ['oktabr', 'okt'],
  ['noyabr', 'noy'],
  ['dekabr', 'dek'],
] as const;

const weekdaysLong = [
  'yakshanba',
  'dushanba',
  'seshanba',
  'chorshanba',
  'payshanba',
  'juma',
  'shanba',
] as const;
const weekdaysShort = ['Yak', 'Dush', 'Sesh', 'Chor', 'Pay', 'Jum', 'Shan'] as const;

export const uz = {
  group: '\u00a0',
  decimal: ',',
  monthShort: (month: number) => months[month - 1]?.[1] ?? '',
  monthLong: (month: number) => months[month - 1]?.[0] ?? '',
  weekdayLong: (day: number) => weekdaysLong[day] ?? '',
  weekdayShort: (day: number) => weekdaysShort[day] ?? '',
  units: {
    second: ['soniya', 'hozir'],
    minute: ['daqiqa', 'shu daqiqada'],
    hour: ['soat', 'shu soatda'],
    day: ['kun', 'bugun'],
    week: ['hafta', 'shu hafta'],
    month: ['oy', 'shu oy'],
    year: ['yil', 'shu yil'],
  },
  yesterday: 'kecha',
  tomorrow: 'ertaga',
  ago: 'oldin',
  ahead: 'keyin',
  and: 'va',
} as const;

export function uzNumber(value: number, fraction: number): string {
  const text = Math.abs(value).toFixed(fraction);
  const [whole = '0', rest] = text.split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, uz.group);
  const trimmed = rest?.replace(/0+$/, '');
  return `${value < 0 ? '−' : ''}${grouped}${trimmed ? uz.decimal + trimmed : ''}`;
}

export function uzRelative(value: number, unit: keyof typeof uz.units): string {
  if (unit === 'day' && value === -1) return uz.yesterday;
  if (unit === 'day' && value === 1) return uz.tomorrow;
  const [word, now] = uz.units[unit];
  if (value === 0) return now;
  return value < 0 ? `${-value} ${word} ${uz.ago}` : `${value} ${word}dan ${uz.ahead}`;
}

/** Names of the countries that our users meet most; the rest stay in English. */
export const uzCountries: Record<string, string> = {
  AE: 'Birlashgan Arab Amirliklari',
  AF: 'Afgʻoniston',
  AM: 'Armaniston',
  AU: 'Avstraliya',
  AZ: 'Ozarbayjon',
  BG: 'Bolgariya',
  BY: 'Belarus',
  CA: 'Kanada',
  CN: 'Xitoy',
  CZ: 'Chexiya',
  DE: 'Germaniya',
  EE: 'Estoniya',
  ES: 'Ispaniya',
  FI: 'Finlandiya',
  FR: 'Fransiya',
  GB: 'Buyuk Britaniya',
  GE: 'Gruziya',
  ID: 'Indoneziya',
  IL: 'Isroil',
  IN: 'Hindiston',
  IR: 'Eron',
  IT: 'Italiya',
  JP: 'Yaponiya',
  KG: 'Qirgʻiziston',
  KR: 'Janubiy Koreya',
  KZ: 'Qozogʻiston',
  LT: 'Litva',
  LV: 'Latviya',
  MD: 'Moldova',
  MN: 'Mongoliya',
  MY: 'Malayziya',
  NL: 'Niderlandiya',
  PK: 'Pokiston',
  PL: 'Polsha',
  RO: 'Ruminiya',
  RU: 'Rossiya',
  SA: 'Saudiya Arabistoni',
  SG: 'Singapur',
  SK: 'Slovakiya',
  TH: 'Tailand',
  TJ: 'Tojikiston',
  TM: 'Turkmaniston',
  TR: 'Turkiya',
  UA: 'Ukraina',
  US: 'Amerika Qoʻshma Shtatlari',
  UZ: 'Oʻzbekiston',
  VN: 'Vyetnam',
};
