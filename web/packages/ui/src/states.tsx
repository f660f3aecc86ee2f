// Loading, empty and failed: the three things a screen can show instead of data.
import { Button } from '@mantine/core';
import { useTranslation, wordsFor } from '@switchbell/i18n';
import { CircleAlert, RotateCw } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';

import css from './states.module.css';

/** What went wrong, as far as this package must know it (`Problem` of @switchbell/api fits). */
export interface Failure {
  code: string;
  detail: string;
  params: Record<string, unknown>;
  reference: string | null;
}

/** The page's words for a refused request; the server's English when the code is unknown here. */
export function failureWords(failure: Pick<Failure, 'code' | 'detail' | 'params'>): string {
  return (
    wordsFor(`errors.${failure.code}`, failure.params) ??
    (failure.detail || wordsFor('errors.unknown') || failure.code)
  );
}

type Phase = 'silent' | 'skeleton' | 'text' | 'long';

/** Silent for 150 ms, then the shape of what comes, then words, then a way out. */
export function Loading({
  rows = 6,
  what,
  retry,
}: {
  rows?: number;
  what: string;
  retry?: () => void;
}) {
  const { t } = useTranslation();
  const [phase, setPhase] = useState<Phase>('silent');
  useEffect(() => {
    const timers = [
      window.setTimeout(() => setPhase('skeleton'), 150),
      window.setTimeout(() => setPhase('text'), 1_000),
      window.setTimeout(() => setPhase('long'), 10_000),
    ];
    return () => timers.forEach((timer) => window.clearTimeout(timer));
  }, []);
  return (
    <div className={css.loading} aria-busy="true" data-silent={phase === 'silent' || undefined}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={css.bone} data-width={index % 3} />
      ))}
      <p className={css.loadingText} role="status">
        {phase === 'text' && what}
        {phase === 'long' && t('common.taking_long')}
      </p>
      {phase === 'long' && retry && (
        <Button variant="default" onClick={retry}>
          {t('common.retry')}
        </Button>
      )}
    </div>
  );
}

/** Nothing exists yet, nothing matches, or nothing for you: the caller says which and what to do. */
export function Empty({
  icon,
  title,
  children,
  action,
  compact = false,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
  compact?: boolean;
}) {
  return (
    <div className={css.empty} data-compact={compact || undefined}>
      {icon && (
        <div className={css.emptyIcon} aria-hidden="true">
          {icon}
        </div>
      )}
      <p className={css.emptyTitle}>{title}</p>
      {children && <div className={css.emptyText}>{children}</div>}
      {action && <div className={css.emptyAction}>{action}</div>}
    </div>
  );
}

/** A failure beside the thing that failed. */
export function FailureBox({
  failure,
  title,
  retry,
}: {
  failure: Failure;
  title?: string;
  retry?: (() => void) | undefined;
}) {
  const { t } = useTranslation();
  return (
    <div className={css.failure} role="alert">
      <CircleAlert size={18} aria-hidden="true" className={css.failureIcon} />
      <div className={css.failureBody}>
        {title && <p className={css.failureTitle}>{title}</p>}
        <p>{failureWords(failure)}</p>
        {failure.reference && (
          <p className={css.reference}>
            {t('common.reference')} <code>{failure.reference}</code>
          </p>
        )}
      </div>
      {retry && (
        <Button
          variant="default"
          size="xs"
          leftSection={<RotateCw size={14} />}
          onClick={retry}
          className={css.failureAction}
        >
          {t('common.retry')}
        </Button>
      )}
    </div>
  );
}

/** A remark in the flow of a page: information, warning, success or danger. */
export function Note({
  tone = 'info',
  icon,
  title,
  children,
  action,
}: {
  tone?: 'info' | 'warn' | 'ok' | 'danger' | 'neutral';
  icon?: ReactNode;
  title?: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={css.note} data-tone={tone}>
      {icon && (
        <span className={css.noteIcon} aria-hidden="true">
          {icon}
        </span>
      )}
      <div className={css.failureBody}>
        {title && <p className={css.failureTitle}>{title}</p>}
        {children && <div>{children}</div>}
      </div>
      {action}
    </div>
  );
}
