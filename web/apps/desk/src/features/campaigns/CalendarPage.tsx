// One calendar: its week, the dates with other hours, and the campaigns that go by it.
import {
  presets,
  type Calendar,
  type CalendarForm,
  type Hours,
  type HoursException,
} from '@switchbell/api';
import { browserZone, fmt, timeZones, useTranslation } from '@switchbell/i18n';
import { ActionIcon, Button, Panel, Select, Textarea, TextInput } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { useMemo, useState } from 'react';

import type { Form } from '../../shared/form';
import { calendarsQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useMe } from '../../shared/session';
import { calendarSort, OpenBadge } from './Calendars';
import { HoursEditor, TimeInput } from './fields';
import { OnePreset, PresetPage, usePresetForm } from './PresetParts';
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
  return (
    <OnePreset
      id={id}
      found={found}
      editor={(calendar) => <Editor key={id} calendar={calendar} />}
      words={{
        title: t('campaigns.calendar'),
        loading: t('campaigns.loading_calendars'),
        missing: t('errors.calendar_not_found'),
      }}
    />
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
  const editor = usePresetForm<Calendar, CalendarForm>({
    sort: calendarSort,
    preset: calendar,
    start: () => ({
      name: '',
      notes: '',
      time_zone: me.account.time_zone || browserZone(),
      hours: usualHours,
      exceptions: [],
    }),
    valuesOf: formOf,
    save: (values, version) =>
      calendar
        ? presets.changeCalendar(calendar.id, { ...values, version })
        : presets.createCalendar(values),
  });
  const { form, may } = editor;
  const { values } = form;
  const zones = useMemo(
    () =>
      [...new Set([values.time_zone, ...timeZones(), 'UTC'])].filter(Boolean).map((zone) => ({
        value: zone,
        label: `${zone.replaceAll('_', ' ')} (${fmt.offset(zone)})`,
      })),
    [values.time_zone],
  );
  return (
    <PresetPage
      of={editor}
      above={t('shell.menu.calendars')}
      badge={calendar && <OpenBadge calendar={calendar} />}
      subtitle={
        calendar?.changes_at &&
        (calendar.open
          ? t('campaigns.shuts_at', { when: fmt.brief(calendar.changes_at) })
          : t('campaigns.opens_at', { when: fmt.brief(calendar.changes_at) }))
      }
      remove={(preset) => presets.deleteCalendar(preset.id)}
      words={{
        fresh: t('campaigns.new_calendar'),
        carried: t('campaigns.calendar_carried'),
        removeTitle: t('campaigns.delete_calendar_title', { name: editor.kept.name }),
        removeText: t('campaigns.delete_calendar_text'),
      }}
    >
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
    </PresetPage>
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
