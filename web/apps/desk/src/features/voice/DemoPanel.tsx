// A line of the demo carrier: how fast it is, what goes wrong, and what its phones do.
import { demo, type DemoFailure, type DemoSettings } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { NumberInput, Panel, SegmentedControl, Select } from '@switchbell/ui';
import { queryOptions, useQuery } from '@tanstack/react-query';

import { Loaded } from '../../shared/Loaded';
import css from './DemoPanel.module.css';

const speeds = [1, 10, 60];
const failures: readonly DemoFailure[] = ['none', 'line_down', 'congestion', 'drops'];

export const usualDemo: DemoSettings = { speed: 60, seed: 1, failure: 'none' };

const phonesQuery = (seed: number) =>
  queryOptions({
    queryKey: ['demo-phones', seed],
    queryFn: ({ signal }) => demo.phones(seed, { signal }),
    staleTime: Infinity,
  });

export function DemoPanel({
  value,
  may,
  onChange,
  error,
}: {
  value: DemoSettings;
  may: boolean;
  onChange: (value: DemoSettings) => void;
  error: string | null | undefined;
}) {
  const { t } = useTranslation();
  return (
    <Panel title={t('voice.demo.title')} hint={t('voice.demo.text')}>
      <div>
        <p className={css.label} id="demo-speed">
          {t('voice.demo.speed')}
        </p>
        <SegmentedControl
          aria-labelledby="demo-speed"
          value={String(value.speed)}
          readOnly={!may}
          onChange={(speed) => onChange({ ...value, speed: Number(speed) })}
          data={speeds.map((speed) => ({ value: String(speed), label: `×${fmt.number(speed)}` }))}
        />
        <p className="muted small">{t('voice.demo.speed_help')}</p>
      </div>
      <div className="form-grid">
        <Select
          label={t('voice.demo.failure')}
          description={t('voice.demo.failure_help')}
          value={value.failure}
          readOnly={!may}
          allowDeselect={false}
          onChange={(failure) =>
            onChange({ ...value, failure: failures.find((one) => one === failure) ?? 'none' })
          }
          data={failures.map((failure) => ({
            value: failure,
            label: t(`voice.demo.failures.${failure}`),
          }))}
        />
        <NumberInput
          label={t('voice.demo.seed')}
          description={t('voice.demo.seed_help')}
          name="demo.seed"
          min={0}
          max={1000000}
          allowDecimal={false}
          readOnly={!may}
          value={value.seed}
          onChange={(seed) => onChange({ ...value, seed: Number(seed) || 0 })}
          error={error}
        />
      </div>
    </Panel>
  );
}

export function DemoPhones({ seed }: { seed: number }) {
  const { t } = useTranslation();
  const phones = useQuery(phonesQuery(seed));
  return (
    <Panel title={t('voice.demo.phones')} hint={t('voice.demo.phones_text')}>
      <Loaded query={phones} what={t('voice.demo.phones_loading')}>
        {(rows) => (
          <div className={css.scroll}>
            <table className={css.table}>
              <caption className="hidden-visually">{t('voice.demo.phones')}</caption>
              <thead>
                <tr>
                  <th scope="col">{t('voice.demo.ending')}</th>
                  <th scope="col">{t('voice.demo.behaviour')}</th>
                  <th scope="col">{t('voice.demo.outcome')}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((phone) => (
                  <tr key={phone.ending}>
                    <th scope="row" className="mono">
                      …{phone.ending}
                    </th>
                    <td>
                      {t(`voice.demo.behaviours.${phone.behaviour}`)}
                      {phone.drawn && <span className="muted"> · {t('voice.demo.drawn')}</span>}
                    </td>
                    <td>{t(`campaigns.outcomes.${phone.outcome}`)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <p className="muted small">{t('voice.demo.others')}</p>
          </div>
        )}
      </Loaded>
    </Panel>
  );
}
