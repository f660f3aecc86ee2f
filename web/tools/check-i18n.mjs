// Holds the catalogues whole: the same keys in five languages, the same placeholders, the plural forms
// that each language has, letters that belong to it, no key unused, none missing, and words for every
// code that the server can send. Exits with 1 and one line per fault.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const web = join(dirname(fileURLToPath(import.meta.url)), '..');
const locales = join(web, 'packages/i18n/locales');
const source = 'en';
const languages = ['en', 'uk', 'ru', 'uz', 'vi'];
/** What `Intl.PluralRules` answers; written down because the check must not depend on its Node. */
const categories = {
  en: ['one', 'other'],
  uk: ['one', 'few', 'many', 'other'],
  ru: ['one', 'few', 'many', 'other'],
  uz: ['one', 'other'],
  vi: ['other'],
};
/** Keys that are put together at run time: everything below them counts as used. */
const dynamic = [
  'errors.',
  'contacts.dnc_scope.',
  'campaigns.moved.',
  'campaigns.ends.',
  'contacts.dnc_scope_one.',
  'contacts.dnc_says.',
  'contacts.dnc_source.',
  'contacts.dnc_target.',
  'contacts.dnc_remove_text.',
  'why.',
  'voice.sip.',
  'voice.q850.',
  'voice.health.',
  'voice.modes.',
  'voice.reasons.',
  'voice.audio.formats.',
  'voice.mode_help.',
  'campaigns.badges.',
  'demo.steps.',
  'demo.steps_text.',
  'voice.demo.behaviours.',
  'voice.demo.failures.',
  'campaigns.bulk.',
  'campaigns.verbs.',
  'campaigns.tabs.',
  'campaigns.sections.',
  'campaigns.counters.',
  'campaigns.counter_tips.',
  'campaigns.outcomes.',
  'campaigns.local_causes.',
  'campaigns.stages.',
  'campaigns.ahead.reasons.',
  'campaigns.decisions.reasons.',
  'campaigns.remedies.',
  'campaigns.groups.',
  'campaigns.spans.',
  'campaigns.export.',
  'campaigns.contact_groups.',
  'campaigns.on_answer.',
  'contacts.fault.',
  'contacts.import_states.',
  'contacts.network.',
  'contacts.new_source.',
  'contacts.pull_states.',
  'contacts.source_kinds.',
  'contacts.feed.',
  'contacts.sheet.',
  'people.role_names.',
  'people.role_texts.',
  'people.permissions.',
  'people.permission_groups.',
  'shell.menu.',
  'shell.menu_group.',
  'shell.themes.',
  'shell.live.',
  'shell.live_tip.',
  'common.units.',
  'https.faults.',
  'https.modes.',
  'https.mode_texts.',
  'https.steps.',
  'https.systems.',
  'https.trust.',
  'system.kinds.',
  'system.states.',
  'system.about.',
  'system.nouns.',
  'system.deeds.',
  'system.whys.',
];
const suffix = /_(zero|one|two|few|many|other)$/;

const faults = [];
const fault = (text) => faults.push(text);

function flatten(node, prefix, into) {
  for (const [key, value] of Object.entries(node)) {
    const path = prefix ? `${prefix}.${key}` : key;
    if (typeof value === 'string') into.set(path, value);
    else flatten(value, path, into);
  }
  return into;
}

function readLanguage(language) {
  const words = new Map();
  for (const file of readdirSync(join(locales, language))) {
    const area = file.replace(/\.json$/, '');
    flatten(JSON.parse(readFileSync(join(locales, language, file), 'utf8')), area, words);
  }
  return words;
}

function walk(folder, wanted, found = []) {
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder)) {
    if (name === 'node_modules' || name === 'dist' || name === 'target') continue;
    const path = join(folder, name);
    if (statSync(path).isDirectory()) walk(path, wanted, found);
    else if (wanted.test(name)) found.push(path);
  }
  return found;
}

const catalogues = new Map(languages.map((language) => [language, readLanguage(language)]));
const english = catalogues.get(source);

/** Base keys: a plural counts once. */
function basesOf(words) {
  const plural = new Set();
  for (const key of words.keys()) {
    if (suffix.test(key) && words.has(key.replace(suffix, '_other')))
      plural.add(key.replace(suffix, ''));
  }
  const bases = new Map();
  for (const key of words.keys()) {
    const base = key.replace(suffix, '');
    bases.set(plural.has(base) ? base : key, plural.has(base));
  }
  return bases;
}

const placeholders = (text) =>
  [...text.matchAll(/\{\{\s*([a-z_]+)[^}]*\}\}/g)].map((match) => match[1]).toSorted();

const englishBases = basesOf(english);
for (const language of languages) {
  const words = catalogues.get(language);
  const bases = basesOf(words);
  for (const [base, plural] of englishBases) {
    if (!bases.has(base)) fault(`${language}: ${base} is missing`);
    else if (bases.get(base) !== plural)
      fault(`${language}: ${base} is ${plural ? 'no' : 'a'} plural`);
  }
  for (const [base, plural] of bases) {
    if (!englishBases.has(base)) fault(`${language}: ${base} does not exist in ${source}`);
    const forms = plural ? categories[language].map((category) => `${base}_${category}`) : [base];
    for (const form of forms) if (!words.has(form)) fault(`${language}: ${form} is missing`);
    if (plural) {
      for (const key of words.keys())
        if (key.replace(suffix, '') === base && suffix.test(key) && !forms.includes(key))
          fault(`${language}: ${key} is no plural form of this language`);
    }
    const wanted = new Set(placeholders(english.get(plural ? `${base}_other` : base) ?? ''));
    for (const form of forms) {
      const text = words.get(form);
      if (text === undefined) continue;
      if (text.trim() === '') fault(`${language}: ${form} is empty`);
      const has = new Set(placeholders(text));
      for (const name of has)
        if (!wanted.has(name)) fault(`${language}: ${form} names {{${name}}}, English does not`);
      const mayDrop = plural && form.endsWith('_one');
      for (const name of wanted)
        if (!has.has(name) && !mayDrop) fault(`${language}: ${form} lacks {{${name}}}`);
    }
  }
  for (const [key, text] of words) {
    if (language === 'uz' && /['’‘`]/.test(text))
      fault(`uz: ${key} has an apostrophe that is not ʻ or ʼ`);
    if (language === 'uz' && /[А-я]/.test(text)) fault(`uz: ${key} has Cyrillic letters`);
    if (language === 'uk' && /[ыэъё]/i.test(text)) fault(`uk: ${key} has Russian letters`);
    if (language === 'ru' && /[іїєґ]/i.test(text)) fault(`ru: ${key} has Ukrainian letters`);
    if (/ {2}|^\s|\s$/.test(text)) fault(`${language}: ${key} has stray spaces`);
  }
}

// Keys that the pages name, and keys that nobody names.
const used = new Set();
for (const file of walk(join(web, 'apps'), /\.tsx?$/).concat(
  walk(join(web, 'packages'), /\.tsx?$/),
)) {
  const text = readFileSync(file, 'utf8');
  for (const [, key] of text.matchAll(/\b(?:t|wordsFor)\(\s*['"]([a-z0-9_.]+)['"]/g)) {
    used.add(key);
    if (!englishBases.has(key)) fault(`${file.slice(web.length + 1)}: ${key} is in no catalogue`);
  }
}
// The audit trail's fields are said in words that other pages have for them.
const fields = 'apps/desk/src/features/system/fields.json';
for (const key of Object.values(JSON.parse(readFileSync(join(web, fields), 'utf8')))) {
  used.add(key);
  if (!englishBases.has(key)) fault(`${fields}: ${key} is in no catalogue`);
}
for (const base of englishBases.keys()) {
  if (!used.has(base) && !dynamic.some((prefix) => base.startsWith(prefix)))
    fault(`${base} is used nowhere`);
}

// Codes that the server can send (absent when only this folder is checked out).
const rust = walk(join(web, '../features'), /\.rs$/).concat(
  walk(join(web, '../platform'), /\.rs$/),
);
for (const file of rust) {
  const text = readFileSync(file, 'utf8')
    .split('#[cfg(test)]')[0]
    .split('\n')
    .filter((line) => !line.trim().startsWith('//'))
    .join('\n');
  if (!/problems!\s*\{/.test(text)) continue;
  for (const [, code] of text.matchAll(/=\s*\(\s*\d{3},\s*"([a-z0-9_]+)"/g))
    if (!englishBases.has(`errors.${code}`))
      fault(`errors.${code} has no words (${file.split('/').slice(-4).join('/')})`);
}
// Why nothing is dialled, and why a job came to nothing: enums that tell their codes one by one.
for (const [path, area] of [
  ['core/dialer/src/why.rs', 'why'],
  ['platform/jobs/src/why.rs', 'system.whys'],
]) {
  const file = join(web, '..', path);
  if (!existsSync(file)) continue;
  const code =
    /pub const fn code\(&?self\)[\s\S]*?\n {4}\}/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
  const words = [...code.matchAll(/=> "([a-z_]+)"/g)].map(([, word]) => word);
  if (words.length === 0) fault(`${path}: no code is found`);
  for (const word of words)
    if (!englishBases.has(`${area}.${word}`)) fault(`${area}.${word} has no words`);
}

if (faults.length > 0) {
  for (const line of faults.toSorted()) console.error(line);
  console.error(`${faults.length} faults in the catalogues.`);
  process.exit(1);
}
console.log(`${englishBases.size} keys in ${languages.length} languages: whole.`);
