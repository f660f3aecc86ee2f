// What an attempt rule would do with one contact: the server's own judgement, run ahead.
import { presets, type AttemptSettings, type Outcome } from '@switchbell/api';
import { browserZone, fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import { FailureBox, NumberInput, Panel, Select, useDebouncedValue } from '@switchbell/ui';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { calendarsQuery } from '../../shared/lookups';
import { useMe } from '../../shared/session';
import css from './AttemptTimeline.module.css';
import { usualHours } from './settings';

const endings = ['no_answer', 'busy', 'short_talk', 'failed', 'invalid_number', 'success'] as const;
const usual = 'usual';

export function AttemptTimeline({ rule }: { rule: AttemptSettings }) {
  const { t } = useTranslation();
  const me = useMe();
  const calendars = useQuery(calendarsQuery);
  const [first, setFirst] = useState<Outcome>('no_answer');
  const [then, setThen] = useState<Outcome>('no_answer');
  const [numbers, setNumbers] = useState(1);
  const [chosen, setChosen] = useState(usual);
  const calendar = calendars.data?.find((entry) => entry.id === chosen);
  const zone = calendar?.time_zone ?? (me.account.time_zone || browserZone());
  const wish = {
    rule,
    numbers,
    outcomes: [first, then],
    time_zone: zone,
    hours: calendar?.hours ?? usualHours,
    exceptions: calendar?.exceptions ?? [],
  };
  const [asked] = useDebouncedValue(JSON.stringify(wish), 250);
  const told = useQuery({
    queryKey: ['attempt-preview', asked],
    queryFn: ({ signal }) => presets.preview(JSON.parse(asked) as typeof wish, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
  const outcomes = endings.map((value) => ({ value, label: t(`campaigns.outcomes.${value}`) }));
  return (
    <Panel title={t('campaigns.preview')} hint={t('campaigns.preview_hint')}>
      <div className="stack">
        <div className="form-grid">
          <Select
            label={t('campaigns.preview_first')}
            data={outcomes}
            allowDeselect={false}
            value={first}
            onChange={(value) => value && setFirst(value as Outcome)}
          />
          <Select
            label={t('campaigns.preview_then')}
            data={outcomes}
            allowDeselect={false}
            value={then}
            onChange={(value) => value && setThen(value as Outcome)}
          />
          <NumberInput
            label={t('campaigns.preview_numbers')}
            min={1}
            max={10}
            allowDecimal={false}
            value={numbers}
            onChange={(value) => setNumbers(Math.min(10, Math.max(1, Number(value || 1))))}
          />
          <Select
            label={t('campaigns.hours')}
            data={[
              { value: usual, label: t('campaigns.preview_usual') },
              ...(calendars.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
            ]}
            allowDeselect={false}
            value={chosen}
            onChange={(value) => setChosen(value ?? usual)}
          />
        </div>
        {told.isError && <FailureBox failure={told.error} retry={() => void told.refetch()} />}
        {told.data && (
          <ol className={css.line} aria-label={t('campaigns.preview')}>
            {told.data.attempts.map((attempt, index) => (
              <li key={attempt.at} className={css.step} data-tone={attempt.outcome}>
                <span className={css.dot} aria-hidden="true" />
                <span className={css.when}>
                  {fmt.date(attempt.at, 'medium', zone)} {fmt.time(attempt.at, { zone })}
                </span>
                <span>
                  {t('campaigns.preview_attempt', { number: index + 1 })}
                  {numbers > 1 && ` · ${t('campaigns.preview_number', { number: attempt.number })}`}
                  {' · '}
                  {t(`campaigns.outcomes.${attempt.outcome}`)}
                  {attempt.moved && (
                    <span className="muted small">
                      {' '}
                      · {wordsFor(`campaigns.moved.${attempt.moved}`) ?? attempt.moved}
                    </span>
                  )}
                </span>
              </li>
            ))}
            <li className={css.step} data-tone="end">
              <span className={css.dot} aria-hidden="true" />
              <span className={css.when}>{t('campaigns.preview_end')}</span>
              <span>{wordsFor(`campaigns.ends.${told.data.ends}`) ?? told.data.ends}</span>
            </li>
          </ol>
        )}
      </div>
    </Panel>
  );
}
