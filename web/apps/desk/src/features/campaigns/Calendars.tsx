// The calendars of the account: hours under a name.
import type { Calendar } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Badge } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { CalendarClock, CircleCheck, Moon } from 'lucide-react';

import { calendarsQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { hoursWords } from './hours';
import { PresetTable, type Sort } from './PresetParts';

export const calendarSort: Sort = {
  list: '/settings/calendars',
  one: '/settings/calendars/$id',
  key: 'calendars',
};

export function Calendars() {
  return (
    <Guarded permission="campaign.view">
      <CalendarTable />
    </Guarded>
  );
}

/** Whether its hours are open now. */
export function OpenBadge({ calendar }: { calendar: Calendar }) {
  const { t } = useTranslation();
  return calendar.open ? (
    <Badge tone="ok" icon={<CircleCheck size={14} />}>
      {t('campaigns.open_now')}
    </Badge>
  ) : (
    <Badge icon={<Moon size={14} />}>{t('campaigns.shut_now')}</Badge>
  );
}

function CalendarTable() {
  const { t } = useTranslation();
  const found = useQuery(calendarsQuery);
  return (
    <PresetTable
      sort={calendarSort}
      found={found}
      icon={<CalendarClock size={22} />}
      columns={[
        {
          id: 'open',
          title: t('campaigns.now'),
          cell: (calendar) => (
            <div>
              <OpenBadge calendar={calendar} />
              {calendar.changes_at && (
                <div className="muted small nowrap">
                  {t('campaigns.until', { when: fmt.brief(calendar.changes_at) })}
                </div>
              )}
            </div>
          ),
        },
        {
          id: 'hours',
          title: t('campaigns.hours'),
          cell: (calendar) => (
            <div>
              {hoursWords(calendar.hours, t)}
              <div className="muted small">
                {calendar.time_zone}
                {calendar.exceptions.length > 0 &&
                  ` · ${t('campaigns.exceptions_count', { count: calendar.exceptions.length })}`}
              </div>
            </div>
          ),
          from: 'sm',
        },
      ]}
      words={{
        title: t('shell.menu.calendars'),
        text: t('campaigns.calendars_text'),
        fresh: t('campaigns.new_calendar'),
        name: t('campaigns.calendar_name'),
        loading: t('campaigns.loading_calendars'),
        none: t('campaigns.no_calendars'),
        noneText: t('campaigns.no_calendars_text'),
      }}
    />
  );
}
