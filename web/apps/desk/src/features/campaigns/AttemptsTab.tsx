// Every call of the campaign, newest first, with its cause and its recording.
import type { Attempt, AttemptFilter, Campaign, CampaignTopic, ExportWish } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Badge,
  Button,
  DataTable,
  Drawer,
  Empty,
  FailureBox,
  Loading,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { AudioLines, PhoneCall } from 'lucide-react';
import { useEffect, useState } from 'react';

import { q850Words } from '../../shared/sip';

import { attemptsQuery } from './api';
import { AttemptCard, causeWords } from './AttemptCard';
import { OutcomeBadge } from './badges';
import { CallFilters, noFilter } from './CallFilters';
import css from './ContactsTab.module.css';
import { ExportButton } from './Exports';

/** What of the address the calls are filtered by. */
function callFilter(search: AttemptFilter): AttemptFilter {
  const { outcome, line, sip_code, answered, recorded, q, from, to } = search;
  return { outcome, line, sip_code, answered, recorded, q, from, to };
}

/** Days in the address, from the first to the last, are moments to the server. */
function daysAsMoments(filter: AttemptFilter): AttemptFilter {
  const { from, to } = filter;
  return {
    ...filter,
    from: from && fmt.startOfDay(from),
    to: to && fmt.startOfDay(to, 1),
  };
}

const flag = (value: string | undefined) => (value === undefined ? undefined : value === 'true');

function exported(filter: AttemptFilter): ExportWish['filter'] {
  const { outcome, line, sip_code, answered, recorded, q, from, to } = daysAsMoments(filter);
  const code = sip_code === undefined ? undefined : Number(sip_code);
  return {
    outcome,
    line,
    q,
    from,
    to,
    sip_code: code,
    answered: flag(answered),
    recorded: flag(recorded),
  };
}

export function AttemptsTab({
  campaign,
  topic,
}: {
  campaign: Campaign;
  topic: CampaignTopic | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ strict: false });
  const { peek } = search;
  const filter = callFilter(search);
  const go = (change: AttemptFilter & { peek?: string | undefined }) =>
    void navigate({
      to: '/campaigns/$id/$tab',
      params: { id: campaign.id, tab: 'calls' },
      search: { ...filter, peek, ...change },
      replace: true,
    });
  const found = useInfiniteQuery(attemptsQuery(campaign.id, daysAsMoments(filter)));
  const rows = found.data?.pages.flatMap((page) => page.items);
  const open = rows?.find((row) => row.id === peek);
  const searching = useSearchOn(found, rows);

  // New calls wait behind a button, so that the rows stay where they are.
  const ended = Object.values(topic?.results ?? {}).reduce((total, value) => total + value, 0);
  const [seen, setSeen] = useState<number | null>(null);
  if (seen === null && topic) setSeen(ended);
  const fresh = seen === null ? 0 : ended - seen;

  const columns: Column<Attempt>[] = [
    {
      id: 'at',
      title: t('campaigns.when'),
      cell: (row) => (
        <button
          type="button"
          className={css.open}
          data-row-link
          onClick={() => go({ peek: row.id })}
        >
          <span className="num nowrap">{fmt.brief(row.invited_at ?? row.claimed_at)}</span>
        </button>
      ),
    },
    {
      id: 'contact',
      title: t('campaigns.contact'),
      cell: (row) => (
        <div>
          <div>
            {row.test ? (
              <Badge tone="info">{t('campaigns.test')}</Badge>
            ) : (
              row.contact?.name || t('campaigns.no_name')
            )}
          </div>
          <div className="muted small num">{fmt.phone(row.phone)}</div>
        </div>
      ),
    },
    {
      id: 'result',
      title: t('campaigns.result'),
      cell: (row) => (
        <div>
          <OutcomeBadge outcome={row.outcome} />
          {row.outcome !== 'success' && <div className="muted small">{causeWords(row)}</div>}
          {row.q850 !== null && row.q850 !== 16 && (
            <div className="muted small">{q850Words(row.q850)}</div>
          )}
        </div>
      ),
    },
    {
      id: 'ordinal',
      title: t('campaigns.attempt'),
      align: 'end',
      from: 'md',
      cell: (row) => fmt.number(row.ordinal),
    },
    {
      id: 'ring',
      title: t('campaigns.rang'),
      align: 'end',
      from: 'md',
      cell: (row) => (row.ring_s === null ? '—' : fmt.duration(row.ring_s)),
    },
    {
      id: 'talk',
      title: t('campaigns.talk'),
      align: 'end',
      from: 'sm',
      cell: (row) => (row.talk_s === null ? '—' : fmt.duration(row.talk_s)),
    },
    {
      id: 'line',
      title: t('campaigns.line'),
      from: 'lg',
      cell: (row) => row.line.name ?? '—',
    },
    {
      id: 'version',
      title: t('campaigns.settings_short'),
      tip: t('campaigns.settings_version'),
      align: 'end',
      from: 'lg',
      cell: (row) => fmt.number(row.settings_version),
    },
    {
      id: 'recording',
      title: t('campaigns.recording'),
      quiet: true,
      align: 'end',
      cell: (row) =>
        row.recording && (
          <Button
            size="xs"
            variant="default"
            leftSection={<AudioLines size={14} />}
            onClick={() => go({ peek: row.id })}
          >
            {t('campaigns.listen')}
          </Button>
        ),
    },
  ];
  return (
    <div className="stack">
      <div className="toolbar">
        <CallFilters filter={filter} go={go} />
        <ExportButton campaign={campaign} what="attempts" filter={exported(filter)} />
        {fresh > 0 && (
          <Button
            size="xs"
            variant="light"
            onClick={() => {
              setSeen(ended);
              void found.refetch();
            }}
          >
            {t('campaigns.new_calls', { count: fresh })}
          </Button>
        )}
      </div>
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('campaigns.tabs.calls')}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id}
          selected={(row) => row.id === peek}
          onOpen={(row) => go({ peek: row.id })}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={
            <Loading what={t('campaigns.loading_calls')} retry={() => void found.refetch()} />
          }
          empty={
            searching ? (
              <Loading what={t('campaigns.searching')} />
            ) : Object.values(filter).some(Boolean) ? (
              <Empty
                compact
                title={t('common.nothing_matches')}
                action={
                  <Button variant="default" onClick={() => go(noFilter)}>
                    {t('common.clear_filters')}
                  </Button>
                }
              />
            ) : (
              <Empty icon={<PhoneCall size={22} />} title={t('campaigns.no_attempts')}>
                {t('campaigns.no_attempts_text')}
              </Empty>
            )
          }
        />
      )}
      <Drawer
        opened={open !== undefined}
        onClose={() => go({ peek: undefined })}
        title={open?.contact?.name || (open && fmt.phone(open.phone))}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        {open && <AttemptCard attempt={open} />}
      </Drawer>
    </div>
  );
}

/** A page of a search may be empty and yet have a next one: go on until something is found. */
export function useSearchOn(
  found: {
    hasNextPage: boolean;
    isFetching: boolean;
    isError: boolean;
    fetchNextPage: () => unknown;
  },
  rows: readonly unknown[] | undefined,
): boolean {
  const on = rows?.length === 0 && found.hasNextPage && !found.isError;
  const { isFetching, fetchNextPage } = found;
  useEffect(() => {
    if (on && !isFetching) fetchNextPage();
  }, [on, isFetching, fetchNextPage]);
  return on;
}
