// Words that only some pages need, fetched with them: one chunk per area and language.
import type { Language } from './languages';

type Fetch = () => Promise<{ default: object }>;

export const areas = {
  contacts: {
    en: () => import('../locales/en/contacts.json'),
    uk: () => import('../locales/uk/contacts.json'),
    ru: () => import('../locales/ru/contacts.json'),
    uz: () => import('../locales/uz/contacts.json'),
    vi: () => import('../locales/vi/contacts.json'),
  },
  https: {
    en: () => import('../locales/en/https.json'),
    uk: () => import('../locales/uk/https.json'),
    ru: () => import('../locales/ru/https.json'),
    uz: () => import('../locales/uz/https.json'),
    vi: () => import('../locales/vi/https.json'),
  },
  system: {
    en: () => import('../locales/en/system.json'),
    uk: () => import('../locales/uk/system.json'),
    ru: () => import('../locales/ru/system.json'),
    uz: () => import('../locales/uz/system.json'),
    vi: () => import('../locales/vi/system.json'),
  },
} satisfies Record<string, Record<Language, Fetch>>;

export type Area = keyof typeof areas;
