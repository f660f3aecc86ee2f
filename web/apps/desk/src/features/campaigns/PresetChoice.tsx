// A campaign goes by a calendar and by an attempt rule, or by its own.
import type { CampaignSettings } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Select } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import type { Form } from '../../shared/form';
import { attemptRulesQuery, calendarsQuery } from '../../shared/lookups';
import { hoursWords } from './hours';
import { attemptWords } from './words';

interface Props {
  form: Form<CampaignSettings>;
  readOnly: boolean;
}

const own = 'own';

export function CalendarChoice({ form, readOnly }: Props) {
  const { t } = useTranslation();
  const found = useQuery(calendarsQuery);
  const { values } = form;
  if (found.data?.length === 0 && values.calendar_id === null) return null;
  const choose = (id: string | null) => {
    const calendar = found.data?.find((entry) => entry.id === id);
    if (!calendar) {
      // The hours stay as they were, and are its own from now on.
      form.set('calendar_id', null);
      form.set('exceptions', []);
      return;
    }
    form.set('calendar_id', calendar.id);
    form.set('time_zone', calendar.time_zone);
    form.set('hours', calendar.hours);
    form.set('exceptions', calendar.exceptions);
  };
  return (
    <div className="stack gap-2">
      <Select
        aria-label={t('campaigns.hours')}
        name="calendar_id"
        data={[
          { value: own, label: t('campaigns.own_hours') },
          ...(found.data ?? []).map(({ id, name }) => ({
            value: id,
            label: t('campaigns.calendar_named', { name }),
          })),
        ]}
        allowDeselect={false}
        readOnly={readOnly}
        value={values.calendar_id ?? own}
        onChange={choose}
        error={form.error('calendar_id')}
      />
      {values.calendar_id !== null && (
        <p className="small">
          {hoursWords(values.hours, t)}
          {values.exceptions.length > 0 &&
            ` · ${t('campaigns.exceptions_count', { count: values.exceptions.length })}`}{' '}
          <Link to="/settings/calendars/$id" params={{ id: values.calendar_id }}>
            {t('campaigns.open_calendar')}
          </Link>
        </p>
      )}
    </div>
  );
}

export function RuleChoice({ form, readOnly }: Props) {
  const { t } = useTranslation();
  const found = useQuery(attemptRulesQuery);
  const { values } = form;
  if (found.data?.length === 0 && values.attempt_rule_id === null) return null;
  const choose = (id: string | null) => {
    const rule = found.data?.find((entry) => entry.id === id);
    if (rule) form.setValues({ ...values, ...rule.rule, attempt_rule_id: rule.id });
    else form.set('attempt_rule_id', null);
  };
  return (
    <div className="stack gap-2">
      <Select
        label={t('campaigns.attempt_rule')}
        name="attempt_rule_id"
        data={[
          { value: own, label: t('campaigns.own_rule') },
          ...(found.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
        ]}
        allowDeselect={false}
        readOnly={readOnly}
        value={values.attempt_rule_id ?? own}
        onChange={choose}
        error={form.error('attempt_rule_id')}
      />
      {values.attempt_rule_id !== null && (
        <p className="small">
          {fmt.list(attemptWords(values, t))}.{' '}
          <Link to="/campaigns/attempt-rules/$id" params={{ id: values.attempt_rule_id }}>
            {t('campaigns.open_rule')}
          </Link>
        </p>
      )}
    </div>
  );
}
