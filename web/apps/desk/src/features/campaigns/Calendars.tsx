// The calendars of the account: hours under a name.
import type { Calendar } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Badge, DataTable, Empty, FailureBox, Loading, Page, type Column } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { CalendarClock, CircleCheck, Moon, Plus } from 'lucide-react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useCommands } from '../../shared/commands';
import { calendarsQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { hoursWords } from './hours';

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
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const found = useQuery(calendarsQuery);
  const make = () => void navigate({ to: '/settings/calendars/$id', params: { id: 'new' } });
  useCommands(
    may
      ? [
          {
            id: 'calendar.new',
            title: t('campaigns.new_calendar'),
            group: t('shell.menu.calendars'),
            icon: Plus,
            keys: ['n'],
            run: make,
          },
        ]
      : [],
  );
  const columns: Column<Calendar>[] = [
    {
      id: 'name',
      title: t('campaigns.calendar_name'),
      cell: (calendar) => (
        <Link
          to="/settings/calendars/$id"
          params={{ id: calendar.id }}
          data-row-link
          className="row-link"
        >
          {calendar.name}
        </Link>
      ),
    },
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
    {
      id: 'used',
      title: t('campaigns.used_by'),
      align: 'end',
      cell: (calendar) => fmt.number(calendar.used_by.length),
      from: 'md',
    },
  ];
  return (
    <Page
      title={t('shell.menu.calendars')}
      documentTitle={t('shell.menu.calendars')}
      subtitle={t('campaigns.calendars_text')}
      width="wide"
      actions={
        may && (
          <ButtonLink
            to="/settings/calendars/$id"
            params={{ id: 'new' }}
            leftSection={<Plus size={16} />}
          >
            {t('campaigns.new_calendar')}
          </ButtonLink>
        )
      }
    >
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('shell.menu.calendars')}
          columns={columns}
          rows={found.data}
          rowKey={(calendar) => calendar.id}
          onOpen={(calendar) =>
            void navigate({ to: '/settings/calendars/$id', params: { id: calendar.id } })
          }
          loading={
            <Loading what={t('campaigns.loading_calendars')} retry={() => void found.refetch()} />
          }
          empty={
            <Empty
              icon={<CalendarClock size={22} />}
              title={t('campaigns.no_calendars')}
              action={
                may && (
                  <ButtonLink to="/settings/calendars/$id" params={{ id: 'new' }}>
                    {t('campaigns.new_calendar')}
                  </ButtonLink>
                )
              }
            >
              {t('campaigns.no_calendars_text')}
            </Empty>
          }
        />
      )}
    </Page>
  );
}
