// Short confirmations of what is already visible elsewhere; errors stay in their place instead.
import { CloseButton } from '@mantine/core';
import { useTranslation } from '@switchbell/i18n';
import { Check } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';

import css from './toasts.module.css';

interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void } | undefined;
}

let toasts: Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function set(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(text: string, action?: Toast['action']): void {
  lastId += 1;
  set([...toasts.slice(-2), { id: lastId, text, action }]);
}

const dismiss = (id: number) => set(toasts.filter((entry) => entry.id !== id));

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const { t } = useTranslation();
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className={css.region} role="status" aria-live="polite" data-region tabIndex={-1}>
      {shown.map((entry) => (
        <ToastCard key={entry.id} entry={entry} closeLabel={t('common.close')} />
      ))}
    </div>
  );
}

function ToastCard({ entry, closeLabel }: { entry: Toast; closeLabel: string }) {
  const { id, action } = entry;
  useEffect(() => {
    const timer = window.setTimeout(() => dismiss(id), action ? 8_000 : 4_000);
    return () => window.clearTimeout(timer);
  }, [id, action]);
  return (
    <div className={css.toast}>
      <Check size={16} aria-hidden="true" className={css.icon} />
      <span className={css.text}>{entry.text}</span>
      {action && (
        <button
          type="button"
          className={css.action}
          onClick={() => {
            action.run();
            dismiss(id);
          }}
        >
          {action.label}
        </button>
      )}
      <CloseButton size="sm" aria-label={closeLabel} onClick={() => dismiss(id)} />
    </div>
  );
}
