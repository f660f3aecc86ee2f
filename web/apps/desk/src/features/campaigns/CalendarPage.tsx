// One calendar: its week, the dates with other hours, and the campaigns that go by it.
import {
  presets,
  type Calendar,
  type CalendarForm,
  type Hours,
  type HoursException,
} from '@switchbell/api';
import { browserZone, fmt, timeZones, useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Button,
  Note,
  Page,
  Panel,
  Select,
  Textarea,
  TextInput,
  toast,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { useMemo, useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { FormProblem, useForm, type Form } from '../../shared/form';
import { useLeaveGuard } from '../../shared/leave';
import { Loaded } from '../../shared/Loaded';
import { calendarsQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan, useMe } from '../../shared/session';
import { OpenBadge } from './Calendars';
import { HoursEditor, TimeInput } from './fields';
import { UsedBy } from './PresetParts';
import css from './CalendarPage.module.css';
import { usualHours } from './settings';

const route = getRouteApi('/shell/settings/calendars/$id');

export function CalendarPage() {
  return (
    <Guarded permission="campaign.view">
      <One />
    </Guarded>
  );
}

function One() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const found = useQuery({ ...calendarsQuery, enabled: id !== 'new' });
  if (id === 'new') return <Editor key="new" calendar={null} />;
  const calendar = found.data?.find((entry) => entry.id === id);
  if (calendar) return <Editor key={calendar.id} calendar={calendar} />;
  return (
    <Page title={t('campaigns.calendar')} documentTitle={t('campaigns.calendar')} width="form">
      <Loaded query={found} what={t('campaigns.loading_calendars')}>
        {() => <Note tone="warn">{t('errors.calendar_not_found')}</Note>}
      </Loaded>
    </Page>
  );
}

const formOf = (calendar: Calendar): CalendarForm => ({
  name: calendar.name,
  notes: calendar.notes,
  time_zone: calendar.time_zone,
  hours: calendar.hours,
  exceptions: calendar.exceptions,
});

function Editor({ calendar }: { calendar: Calendar | null }) {
  const { t } = useTranslation();
  const me = useMe();
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const [kept, setKept] = useState<CalendarForm>(() =>
    calendar
      ? formOf(calendar)
      : {
          name: '',
          notes: '',
          time_zone: me.account.time_zone || browserZone(),
          hours: usualHours,
          exceptions: [],
        },
  );
  const [version, setVersion] = useState(calendar?.version ?? 0);
  const [removing, setRemoving] = useState(false);
  const form = useForm(kept, async (values) => {
    const body = { ...values, name: values.name.trim() };
    const saved = calendar
      ? await presets.changeCalendar(calendar.id, { ...body, version })
      : await presets.createCalendar(body);
    guard.release();
    setKept(formOf(saved));
    form.setValues(formOf(saved));
    setVersion(saved.version);
    await queryClient.invalidateQueries({ queryKey: ['calendars'] });
    await queryClient.invalidateQueries({ queryKey: ['campaigns'] });
    toast(t('common.saved'));
    if (!calendar)
      await navigate({
        to: '/settings/calendars/$id',
        params: { id: saved.id },
        replace: true,
      });
  });
  const { values } = form;
  const dirty = JSON.stringify(values) !== JSON.stringify(kept);
  const guard = useLeaveGuard(dirty && may);
  const zones = useMemo(
    () =>
      [...new Set([values.time_zone, ...timeZones(), 'UTC'])].filter(Boolean).map((zone) => ({
        value: zone,
        label: `${zone.replaceAll('_', ' ')} (${fmt.offset(zone)})`,
      })),
    [values.time_zone],
  );
  const title = calendar ? kept.name : t('campaigns.new_calendar');
  return (
    <Page
      title={title}
      documentTitle={title}
      above={<Link to="/settings/calendars">{t('shell.menu.calendars')}</Link>}
      badge={calendar && <OpenBadge calendar={calendar} />}
      subtitle={
        calendar?.changes_at &&
        (calendar.open
          ? t('campaigns.shuts_at', { when: fmt.brief(calendar.changes_at) })
          : t('campaigns.opens_at', { when: fmt.brief(calendar.changes_at) }))
      }
      width="form"
      actions={
        calendar &&
        may && (
          <Button variant="default" color="red" onClick={() => setRemoving(true)}>
            {t('common.delete')}
          </Button>
        )
      }
    >
      <form className="stack" ref={form.ref} onSubmit={(event) => void form.submit(event)}>
        <Panel>
          <div className="stack">
            <div className="form-grid">
              <TextInput
                label={t('campaigns.calendar_name')}
                name="name"
                value={values.name}
                onChange={(event) => form.set('name', event.currentTarget.value)}
                maxLength={120}
                readOnly={!may}
                error={form.error('name')}
              />
              <Select
                label={t('campaigns.zone')}
                name="time_zone"
                data={zones}
                searchable
                limit={80}
                allowDeselect={false}
                nothingFoundMessage={t('common.nothing_matches')}
                readOnly={!may}
                value={values.time_zone}
                onChange={(zone) => zone && form.set('time_zone', zone)}
                error={form.error('time_zone')}
              />
            </div>
            <Textarea
              label={t('campaigns.notes')}
              name="notes"
              autosize
              minRows={1}
              maxRows={6}
              maxLength={1000}
              readOnly={!may}
              value={values.notes}
              onChange={(event) => form.set('notes', event.currentTarget.value)}
              error={form.error('notes')}
            />
          </div>
        </Panel>
        <Panel title={t('campaigns.hours')} hint={t('campaigns.hours_help')}>
          <HoursEditor
            value={values.hours}
            onChange={(hours: Hours) => form.set('hours', hours)}
            readOnly={!may}
            errorOf={form.error}
          />
          {form.error('hours') && <p className={css.fault}>{form.error('hours')}</p>}
        </Panel>
        <Exceptions form={form} readOnly={!may} />
        {calendar && <UsedBy campaigns={calendar.used_by} text={t('campaigns.calendar_carried')} />}
        <FormProblem form={form} />
        {may && (
          <div className="row actions-end">
            <Button type="submit" loading={form.busy} disabled={!dirty || !values.name.trim()}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </form>
      {calendar && removing && (
        <ConfirmStep
          confirm={t('common.delete')}
          title={t('campaigns.delete_calendar_title', { name: kept.name })}
          onClose={() => setRemoving(false)}
          step={async () => {
            await presets.deleteCalendar(calendar.id);
            guard.release();
            await queryClient.invalidateQueries({ queryKey: ['calendars'] });
            await navigate({ to: '/settings/calendars' });
          }}
        >
          {t('campaigns.delete_calendar_text')}
        </ConfirmStep>
      )}
      {guard.dialog}
    </Page>
  );
}

/** Dates with other hours than the week's, in order. */
function Exceptions({ form, readOnly }: { form: Form<CalendarForm>; readOnly: boolean }) {
  const { t } = useTranslation();
  const [date, setDate] = useState('');
  const all = form.values.exceptions;
  const put = (next: HoursException[]) =>
    form.set(
      'exceptions',
      next.toSorted((a, b) => a.date.localeCompare(b.date)),
    );
  const change = (at: string, hours: [string, string][]) =>
    put(all.map((entry) => (entry.date === at ? { ...entry, hours } : entry)));
  const add = () => {
    if (date !== '' && !all.some((entry) => entry.date === date))
      put([...all, { date, hours: [] }]);
    setDate('');
  };
  return (
    <Panel title={t('campaigns.exceptions')} hint={t('campaigns.exceptions_help')}>
      {all.length > 0 && (
        <ul className={css.dates}>
          {all.map((entry) => {
            const day = fmt.date(entry.date, 'long', 'UTC');
            return (
              <li key={entry.date} className={css.date}>
                <span className={css.day}>{day}</span>
                <span className={css.ranges}>
                  {entry.hours.length === 0 && (
                    <span className="muted">{t('campaigns.closed_day')}</span>
                  )}
                  {entry.hours.map(([from, to], at) => (
                    // The place is what tells two ranges of a day apart.
                    // oxlint-disable-next-line react/no-array-index-key
                    <span key={at} className={css.range}>
                      <TimeInput
                        label={t('campaigns.from_of', { day })}
                        value={from}
                        readOnly={readOnly}
                        onChange={(time) =>
                          change(
                            entry.date,
                            entry.hours.map((range, n) => (n === at ? [time, range[1]] : range)),
                          )
                        }
                      />
                      –
                      <TimeInput
                        label={t('campaigns.to_of', { day })}
                        value={to}
                        readOnly={readOnly}
                        onChange={(time) =>
                          change(
                            entry.date,
                            entry.hours.map((range, n) => (n === at ? [range[0], time] : range)),
                          )
                        }
                      />
                      {!readOnly && (
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t('campaigns.remove_hours_of', { day })}
                          onClick={() =>
                            change(
                              entry.date,
                              entry.hours.filter((_, n) => n !== at),
                            )
                          }
                        >
                          <X size={15} />
                        </ActionIcon>
                      )}
                    </span>
                  ))}
                  {!readOnly && (
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('campaigns.add_hours_of', { day })}
                      onClick={() =>
                        change(entry.date, [
                          ...entry.hours,
                          entry.hours.length === 0 ? ['10:00', '14:00'] : ['15:00', '18:00'],
                        ])
                      }
                    >
                      <Plus size={16} />
                    </ActionIcon>
                  )}
                </span>
                {!readOnly && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('campaigns.remove_date', { day })}
                    onClick={() => put(all.filter((other) => other.date !== entry.date))}
                  >
                    <X size={16} />
                  </ActionIcon>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {!readOnly && (
        <div className={css.add}>
          <TextInput
            label={t('campaigns.exception_date')}
            type="date"
            value={date}
            onChange={(event) => setDate(event.currentTarget.value)}
          />
          <Button
            variant="default"
            leftSection={<Plus size={16} />}
            disabled={date === ''}
            onClick={add}
          >
            {t('campaigns.add_date')}
          </Button>
        </div>
      )}
      {form.error('exceptions') && <p className={css.fault}>{form.error('exceptions')}</p>}
    </Panel>
  );
}
