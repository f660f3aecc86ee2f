// Whether what is on the page still moves by itself.
import { fmt, useTranslation } from '@switchbell/i18n';
import { Tooltip } from '@switchbell/ui';
import { useEffect, useState } from 'react';

import { live, useLiveStatus, useNow } from '../../shared/live';
import css from './Connection.module.css';

export function Connection({ small }: { small: boolean }) {
  const { t } = useTranslation();
  const { state } = useLiveStatus();
  const words = t(`shell.live.${state}`);
  return (
    <Tooltip label={t(`shell.live_tip.${state}`)} position="right">
      <div className={css.connection} data-state={state} tabIndex={0} role="img" aria-label={words}>
        <span className={css.dot} aria-hidden="true" />
        {!small && <span aria-hidden="true">{words}</span>}
      </div>
    </Tooltip>
  );
}

/** Three seconds without a connection are worth a line. */
export function LostBar() {
  const { state } = useLiveStatus();
  const [long, setLong] = useState(false);
  useEffect(() => {
    if (state === 'open') {
      setLong(false);
      return undefined;
    }
    const timer = window.setTimeout(() => setLong(true), 3_000);
    return () => window.clearTimeout(timer);
  }, [state]);
  return <div role="status">{long && state !== 'open' && <LostWords />}</div>;
}

function LostWords() {
  const { t } = useTranslation();
  const now = useNow();
  const { retryAt } = useLiveStatus();
  const seconds = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <div className={css.lost}>
      <span aria-hidden="true">
        {seconds > 0 ? t('shell.lost_in', { seconds: fmt.number(seconds) }) : t('shell.lost_now')}
      </span>
      <span className="hidden-visually">{t('shell.lost')}</span>
      <button type="button" onClick={live.retryNow}>
        {t('shell.retry_now')}
      </button>
    </div>
  );
}
