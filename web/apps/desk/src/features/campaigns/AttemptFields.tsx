// How often, when and on which numbers a contact is tried: in a campaign, or in a rule for many.
import type { AttemptSettings, Delays } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Checkbox, NumberInput } from '@switchbell/ui';

import { SpanInput } from './fields';

const delayNames: readonly (keyof Delays)[] = [
  'busy',
  'no_answer',
  'failed',
  'short_talk',
  'machine',
];

/** The part of a form that these fields need: a campaign's has more. */
export interface AttemptForm {
  values: AttemptSettings;
  set<K extends keyof AttemptSettings>(key: K, value: AttemptSettings[K]): void;
  error: (field: string) => string | undefined;
}

export function AttemptFields({ form, readOnly }: { form: AttemptForm; readOnly: boolean }) {
  const { t } = useTranslation();
  const { values } = form;
  return (
    <>
      <div className="form-grid">
        <NumberInput
          label={t('campaigns.max_attempts')}
          name="max_attempts"
          description={t('campaigns.max_attempts_help')}
          min={1}
          max={20}
          allowDecimal={false}
          readOnly={readOnly}
          value={values.max_attempts}
          onChange={(value) => form.set('max_attempts', Number(value || 1))}
          error={form.error('max_attempts')}
        />
        <NumberInput
          label={t('campaigns.ring')}
          name="ring_s"
          description={t('campaigns.ring_help')}
          min={15}
          max={120}
          allowDecimal={false}
          suffix={` ${t('common.units.s')}`}
          readOnly={readOnly}
          value={values.ring_s}
          onChange={(value) => form.set('ring_s', Number(value || 0))}
          error={form.error('ring_s')}
        />
        <NumberInput
          label={t('campaigns.min_talk')}
          name="min_talk_s"
          description={t('campaigns.min_talk_help')}
          min={0}
          max={3600}
          allowDecimal={false}
          suffix={` ${t('common.units.s')}`}
          readOnly={readOnly}
          value={values.min_talk_s}
          onChange={(value) => form.set('min_talk_s', Number(value || 0))}
          error={form.error('min_talk_s')}
        />
      </div>
      <div className="stack gap-2">
        <div>
          <h3>{t('campaigns.delays')}</h3>
          <p className="muted small">{t('campaigns.delays_help')}</p>
        </div>
        <div className="form-grid">
          {delayNames.map((name) => (
            <SpanInput
              key={name}
              label={t(`campaigns.outcomes.${name}`)}
              name={`delays_s.${name}`}
              readOnly={readOnly}
              value={values.delays_s[name]}
              onChange={(seconds) => form.set('delays_s', { ...values.delays_s, [name]: seconds })}
              error={form.error(`delays_s.${name}`)}
            />
          ))}
        </div>
      </div>
      <Checkbox
        label={t('campaigns.retry_short')}
        description={t('campaigns.retry_short_help')}
        name="retry_short_talk"
        disabled={readOnly}
        checked={values.retry_short_talk}
        onChange={(event) => form.set('retry_short_talk', event.currentTarget.checked)}
      />
      <div className="stack gap-2">
        <div>
          <h3>{t('campaigns.caps')}</h3>
          <p className="muted small">{t('campaigns.caps_help')}</p>
        </div>
        <div className="form-grid">
          <NumberInput
            label={t('campaigns.per_day')}
            name="caps.per_day"
            min={1}
            max={100}
            allowDecimal={false}
            readOnly={readOnly}
            value={values.caps.per_day}
            onChange={(value) => form.set('caps', { ...values.caps, per_day: Number(value || 1) })}
            error={form.error('caps.per_day')}
          />
          <NumberInput
            label={t('campaigns.per_week')}
            name="caps.per_week"
            min={1}
            max={700}
            allowDecimal={false}
            readOnly={readOnly}
            value={values.caps.per_week}
            onChange={(value) => form.set('caps', { ...values.caps, per_week: Number(value || 1) })}
            error={form.error('caps.per_week')}
          />
        </div>
      </div>
      <div className="stack gap-2">
        <Checkbox
          label={t('campaigns.batch')}
          description={t('campaigns.batch_help')}
          name="batch"
          disabled={readOnly}
          checked={values.batch !== null}
          onChange={(event) =>
            form.set('batch', event.currentTarget.checked ? { calls: 15, gap_s: 30 } : null)
          }
        />
        {values.batch && (
          <div className="form-grid">
            <NumberInput
              label={t('campaigns.batch_calls')}
              name="batch.calls"
              min={1}
              max={1000}
              allowDecimal={false}
              readOnly={readOnly}
              value={values.batch.calls}
              onChange={(value) =>
                values.batch && form.set('batch', { ...values.batch, calls: Number(value || 1) })
              }
              error={form.error('batch.calls')}
            />
            <SpanInput
              label={t('campaigns.batch_gap')}
              name="batch.gap_s"
              readOnly={readOnly}
              value={values.batch.gap_s}
              onChange={(gap_s) => values.batch && form.set('batch', { ...values.batch, gap_s })}
              error={form.error('batch.gap_s')}
            />
          </div>
        )}
      </div>
      <Checkbox
        label={t('campaigns.every_number')}
        description={t('campaigns.every_number_help')}
        name="every_number"
        disabled={readOnly}
        checked={values.every_number}
        onChange={(event) => form.set('every_number', event.currentTarget.checked)}
      />
    </>
  );
}
