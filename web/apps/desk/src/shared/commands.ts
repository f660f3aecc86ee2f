// What a person can do, as objects: menus, the command bar, shortcuts and help read this one list.
import type { LucideIcon } from 'lucide-react';
import { useEffect, useId, useRef, useSyncExternalStore } from 'react';

import { isTyping, strokeOf, type Binding } from './keyboard';

export interface Command {
  id: string;
  /** In the page's language. */
  title: string;
  /** Heading in the command bar and in help. */
  group: string;
  icon?: LucideIcon;
  keys?: readonly Binding[];
  /** Other words under which it is found. */
  also?: string;
  /** Works while text is being written (only bindings with a modifier should). */
  whileTyping?: boolean;
  /** Only a key: not offered in the command bar. */
  hidden?: boolean;
  run: () => void;
}

const scopes = new Map<string, readonly Command[]>();
let snapshot: readonly Command[] = [];
const listeners = new Set<() => void>();

function publish() {
  snapshot = [...scopes.values()].flat();
  for (const listener of listeners) listener();
}

/** Offers commands while the component is on the page. */
export function useCommands(commands: readonly Command[]): void {
  const scope = useId();
  const latest = useRef(commands);
  latest.current = commands;
  // Titles and keys decide whether the list changed; what they run is always the newest.
  const face = commands
    .map((command) => `${command.id}|${command.title}|${command.keys?.join(',')}`)
    .join('\n');
  useEffect(() => {
    scopes.set(
      scope,
      latest.current.map((command) => ({
        ...command,
        run: () => latest.current.find((entry) => entry.id === command.id)?.run(),
      })),
    );
    publish();
    return () => {
      scopes.delete(scope);
      publish();
    };
  }, [scope, face]);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useCommandList = () => useSyncExternalStore(subscribe, () => snapshot);

let pending: { stroke: string; at: number } | null = null;

/** Listens for every binding; one listener for the whole page. */
export function listenForKeys(): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat) return;
    const stroke = strokeOf(event);
    if (stroke === null) return;
    const typing = isTyping(event);
    const dialog = document.querySelector('[role="dialog"][aria-modal="true"]') !== null;
    const first = pending !== null && event.timeStamp - pending.at < 1_200 ? pending.stroke : null;
    pending = null;
    const wanted = first === null ? [stroke] : [`${first} ${stroke}`, stroke];
    for (const binding of wanted) {
      const command = snapshot.findLast(
        (entry) =>
          entry.keys?.includes(binding) &&
          (!typing || entry.whileTyping) &&
          (!dialog || entry.whileTyping),
      );
      if (command) {
        event.preventDefault();
        command.run();
        return;
      }
    }
    const begins = snapshot.some((entry) =>
      entry.keys?.some((key) => key.startsWith(`${stroke} `)),
    );
    if (begins && !typing && !dialog) pending = { stroke, at: event.timeStamp };
  };
  window.addEventListener('keydown', pressed);
  return () => window.removeEventListener('keydown', pressed);
}
