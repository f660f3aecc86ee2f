// A state is always shape, word and colour together.
import type { ReactNode } from 'react';

import css from './badge.module.css';

export type Tone = 'neutral' | 'info' | 'ok' | 'warn' | 'danger' | 'accent';

export function Badge({
  tone = 'neutral',
  icon,
  children,
  plain = false,
  striped = false,
}: {
  tone?: Tone;
  icon?: ReactNode;
  children: ReactNode;
  /** Without the tinted background, for dense tables. */
  plain?: boolean;
  /** For what is not real. */
  striped?: boolean;
}) {
  return (
    <span
      className={css.badge}
      data-part="badge"
      data-tone={tone}
      data-plain={plain || undefined}
      data-striped={striped || undefined}
    >
      {icon && (
        <span aria-hidden="true" className={css.icon}>
          {icon}
        </span>
      )}
      {children}
    </span>
  );
}

/** A number with its name; may be a filter. */
export function Stat({
  label,
  value,
  hint,
  tone,
}: {
  label: ReactNode;
  value: ReactNode;
  hint?: ReactNode;
  tone?: Tone | undefined;
}) {
  return (
    <div className={css.stat} data-tone={tone}>
      <div className={css.statValue}>{value}</div>
      <div className={css.statLabel}>{label}</div>
      {hint && <div className={css.statHint}>{hint}</div>}
    </div>
  );
}

export interface Part {
  id: string;
  label: string;
  value: number;
  tone: Tone;
}

/** Parts of a whole as one bar; the words beside it say the same. */
export function StackedBar({
  parts,
  label,
  whole,
}: {
  parts: readonly Part[];
  label: string;
  /** What the parts are parts of; their sum without it. */
  whole?: number;
}) {
  const total = whole ?? parts.reduce((sum, part) => sum + part.value, 0);
  return (
    <svg
      className={css.bar}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
      viewBox="0 0 100 6"
    >
      <rect x="0" y="0" width="100" height="6" className={css.track} />
      {total > 0 &&
        parts.reduce<{ at: number; nodes: ReactNode[] }>(
          ({ at, nodes }, part) => {
            const width = (part.value / total) * 100;
            if (width > 0)
              nodes.push(
                <rect key={part.id} x={at} y="0" width={width} height="6" data-tone={part.tone} />,
              );
            return { at: at + width, nodes };
          },
          { at: 0, nodes: [] },
        ).nodes}
    </svg>
  );
}

/** How far a piece of work is, 0 to 1. */
export function ProgressBar({ part, label }: { part: number; label: string }) {
  const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
  return (
    <div
      className={css.progress}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div style={{ width: `${percent}%` }} />
    </div>
  );
}

/** A key on the keyboard. */
export function Key({ children }: { children: ReactNode }) {
  return <kbd className={css.key}>{children}</kbd>;
}
