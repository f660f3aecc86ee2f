// Which keys were pressed, by the letter or, on a layout without ASCII letters, by the place of the key.

/** A key binding: `mod+k`, `shift+p`, `?`, or two strokes `g c`. `mod` is Ctrl, ⌘ on a Mac. */
export type Binding = string;

const isMac = /mac/i.test(navigator.platform);

/** What a key types on a US keyboard, by its place: plain and with Shift. */
const places: Record<string, readonly [string, string]> = {
  Slash: ['/', '?'],
  BracketLeft: ['[', '{'],
  BracketRight: [']', '}'],
  Period: ['.', '>'],
  Comma: [',', '<'],
};

/** A letter that is not ASCII, or the full stop and comma where Cyrillic layouts have them. */
const isForeign = (key: string, code: string) =>
  (key.length === 1 && key > '~') || (code === 'Slash' && (key === '.' || key === ','));

/** The stroke in the form of a binding, or null for a lone modifier. */
export function strokeOf(event: KeyboardEvent): string | null {
  if (['Shift', 'Control', 'Alt', 'Meta', 'Dead', 'Process'].includes(event.key)) return null;
  let key = event.key;
  let shift = event.shiftKey;
  const letter = /^[a-z]$/i.test(key);
  const typed = key.length === 1;
  if (letter) {
    key = key.toLowerCase();
  } else if (/^Key[A-Z]$/.test(event.code)) {
    key = event.code.slice(3).toLowerCase();
  } else if (/^Digit\d$/.test(event.code) && (event.altKey || event.ctrlKey)) {
    key = event.code.slice(5);
  } else if (places[event.code] !== undefined && isForeign(key, event.code)) {
    key = places[event.code]?.[shift ? 1 : 0] ?? key;
    shift = false;
  } else if (typed) {
    shift = false;
  }
  const mod = isMac ? event.metaKey : event.ctrlKey;
  return [mod && 'mod', event.altKey && 'alt', shift && 'shift', key === ' ' ? 'Space' : key]
    .filter(Boolean)
    .join('+');
}

/** Whether the person is writing, so that bare letters are text. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.isComposing || event.keyCode === 229) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest('[role="textbox"]')) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !['checkbox', 'radio', 'button', 'submit', 'range', 'file'].includes(target.type);
}

/** The binding as the keys that are printed in help. */
export function keysOf(binding: Binding): string[][] {
  const names: Record<string, string> = {
    mod: isMac ? '⌘' : 'Ctrl',
    alt: isMac ? '⌥' : 'Alt',
    shift: isMac ? '⇧' : 'Shift',
    Enter: isMac ? '⏎' : 'Enter',
    Escape: 'Esc',
  };
  return binding
    .split(' ')
    .map((stroke) =>
      stroke.split('+').map((key) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key)),
    );
}
