// Every call of the campaign, newest first, with its cause and its recording.
import type { Attempt, Campaign, CampaignTopic } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Badge,
  Button,
  DataTable,
  Drawer,
  Empty,
  FailureBox,
  Loading,
  Select,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { AudioLines, PhoneCall } from 'lucide-react';
import { useState } from 'react';

import { attemptsQuery } from './api';
import { AttemptCard, causeWords } from './AttemptCard';
import { OutcomeBadge, outcomes } from './badges';
import css from './ContactsTab.module.css';

export function AttemptsTab({
  campaign,
  topic,
}: {
  campaign: Campaign;
  topic: CampaignTopic | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { outcome, peek } = useSearch({ strict: false });
  const go = (change: { outcome?: string | undefined; peek?: string | undefined }) =>
    void navigate({
      to: '/campaigns/$id/$tab',
      params: { id: campaign.id, tab: 'calls' },
      search: { outcome, peek, ...change },
      replace: true,
    });
  const found = useInfiniteQuery(attemptsQuery(campaign.id, { outcome }));
  const rows = found.data?.pages.flatMap((page) => page.items);
  const open = rows?.find((row) => row.id === peek);

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
        <Select
          aria-label={t('campaigns.result')}
          placeholder={t('campaigns.any_result')}
          data={outcomes.map((name) => ({ value: name, label: t(`campaigns.outcomes.${name}`) }))}
          value={outcome ?? null}
          clearable
          clearButtonProps={{ 'aria-label': t('common.clear'), tabIndex: 0 }}
          onChange={(value) => go({ outcome: value ?? undefined })}
          w={220}
        />
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
            outcome ? (
              <Empty
                compact
                title={t('common.nothing_matches')}
                action={
                  <Button variant="default" onClick={() => go({ outcome: undefined })}>
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
