// The campaign's contacts with their states; a row opens its whole history.
import {
  asProblem,
  campaigns,
  type Campaign,
  type CampaignContact,
  type Decision,
  type Id,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation, type TFunction } from '@switchbell/i18n';
import {
  Button,
  ConfirmDialog,
  DataTable,
  Drawer,
  Empty,
  Facts,
  FailureBox,
  Loading,
  Select,
  TextInput,
  toast,
  useDebouncedValue,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Ban, UsersRound } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import { Loaded } from '../../shared/Loaded';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { campaignContactQuery, campaignContactsQuery } from './api';
import { useSearchOn } from './AttemptsTab';
import { AttemptCard } from './AttemptCard';
import { ContactStateBadge, OutcomeBadge } from './badges';
import css from './ContactsTab.module.css';
import { ExportButton } from './Exports';

const groups = ['callable', 'in_attempt', 'closed', 'attempted', 'flagged', 'excluded'] as const;

export function ContactsTab({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = useSearch({ strict: false });
  const { state, q, peek } = search;
  const [wish, setWish] = useState(q ?? '');
  const [settled] = useDebouncedValue(wish.trim(), 300);
  const go = (change: {
    state?: string | undefined;
    q?: string | undefined;
    peek?: string | undefined;
  }) =>
    void navigate({
      to: '/campaigns/$id/$tab',
      params: { id: campaign.id, tab: 'contacts' },
      search: { state, q, peek, ...change },
      replace: true,
    });
  const latestGo = useRef(go);
  latestGo.current = go;
  useEffect(() => {
    if ((q ?? '') !== settled) latestGo.current({ q: settled || undefined });
  }, [settled, q]);

  const found = useInfiniteQuery(campaignContactsQuery(campaign.id, { state, q }));
  useRefreshWithCounters(campaign);
  const rows = found.data?.pages.flatMap((page) => page.items);
  const searching = useSearchOn(found, rows);

  const columns: Column<CampaignContact>[] = [
    {
      id: 'name',
      title: t('campaigns.contact'),
      cell: (row) => (
        <button
          type="button"
          className={css.open}
          data-row-link
          onClick={() => go({ peek: row.id })}
        >
          {row.name || t('campaigns.no_name')}
        </button>
      ),
    },
    {
      id: 'phone',
      title: t('campaigns.number'),
      cell: (row) => <span className="num nowrap">{row.phone ? fmt.phone(row.phone) : '—'}</span>,
    },
    {
      id: 'state',
      title: t('campaigns.state'),
      cell: (row) => <ContactStateBadge contact={row} />,
    },
    {
      id: 'attempts',
      title: t('campaigns.attempts'),
      align: 'end',
      from: 'sm',
      cell: (row) => (
        <span className="nowrap">
          {fmt.number(row.attempts)}
          <span className="muted"> / {fmt.number(campaign.max_attempts)}</span>
        </span>
      ),
    },
    {
      id: 'last',
      title: t('campaigns.last_result'),
      from: 'md',
      cell: (row) =>
        row.last_outcome ? (
          <OutcomeBadge outcome={row.last_outcome} />
        ) : (
          <span className="muted">—</span>
        ),
    },
    {
      id: 'next',
      title: t('campaigns.next_attempt'),
      from: 'md',
      cell: (row) => (
        <span className="nowrap muted">
          {row.state === 'callable' && row.next_at ? fmt.brief(row.next_at) : '—'}
        </span>
      ),
    },
  ];
  return (
    <div className="stack">
      <div className="toolbar">
        <TextInput
          className="toolbar-search"
          aria-label={t('campaigns.find_contact')}
          placeholder={t('campaigns.find_contact')}
          data-search
          value={wish}
          onChange={(event) => setWish(event.currentTarget.value)}
        />
        <Select
          aria-label={t('campaigns.state')}
          placeholder={t('campaigns.any_state')}
          data={groups.map((group) => ({
            value: group,
            label: t(`campaigns.contact_groups.${group}`),
          }))}
          value={state ?? null}
          clearable
          clearButtonProps={{ 'aria-label': t('common.clear'), tabIndex: 0 }}
          onChange={(value) => go({ state: value ?? undefined })}
          w={210}
        />
        <ExportButton campaign={campaign} what="contacts" filter={{ state, q }} />
      </div>
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('campaigns.tabs.contacts')}
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
            <Loading what={t('campaigns.loading_contacts')} retry={() => void found.refetch()} />
          }
          empty={
            searching ? (
              <Loading what={t('campaigns.searching')} />
            ) : state || q ? (
              <Empty
                compact
                title={t('common.nothing_matches')}
                action={
                  <Button
                    variant="default"
                    onClick={() => {
                      setWish('');
                      go({ state: undefined, q: undefined });
                    }}
                  >
                    {t('common.clear_filters')}
                  </Button>
                }
              />
            ) : (
              <Empty
                icon={<UsersRound size={22} />}
                title={t('campaigns.no_contacts')}
                action={
                  campaign.state === 'draft' && (
                    <ButtonLink
                      variant="default"
                      to="/campaigns/$id/$tab"
                      params={{ id: campaign.id, tab: 'setup' }}
                      hash="section-contacts"
                    >
                      {t('campaigns.choose_lists')}
                    </ButtonLink>
                  )
                }
              >
                {campaign.state === 'draft'
                  ? t('campaigns.no_contacts_draft')
                  : t('campaigns.no_contacts_text')}
              </Empty>
            )
          }
        />
      )}
      <Drawer
        opened={peek !== undefined}
        onClose={() => go({ peek: undefined })}
        title={t('campaigns.contact')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        {peek !== undefined && <Card campaign={campaign} contact={peek} />}
      </Drawer>
    </div>
  );
}

/** Counters move with the topic; the rows behind them are read again, at most every three seconds. */
export function useRefreshWithCounters(campaign: Campaign): void {
  const face = JSON.stringify(campaign.counters);
  const first = useRef(face);
  useEffect(() => {
    if (first.current === face) return undefined;
    first.current = face;
    const timer = window.setTimeout(
      () =>
        void queryClient.invalidateQueries({ queryKey: ['campaigns', 'contacts', campaign.id] }),
      3_000,
    );
    return () => window.clearTimeout(timer);
  }, [face, campaign.id]);
}

/** Why a contact was passed over, with the number that binds. */
function decisionWords({ reason, limit, until }: Decision, t: TFunction): string {
  const why = t(`campaigns.decisions.reasons.${reason}`, { count: limit ?? 0 });
  return until ? `${why} ${t('campaigns.decisions.until', { at: fmt.dateTime(until) })}` : why;
}

function Card({ campaign, contact }: { campaign: Campaign; contact: Id }) {
  const { t } = useTranslation();
  const may = useCan()('campaign.edit');
  const card = useQuery(campaignContactQuery(campaign.id, contact));
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const exclude = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await campaigns.exclude(campaign.id, contact);
      await queryClient.invalidateQueries({ queryKey: ['campaigns', 'contacts', campaign.id] });
      toast(t('campaigns.excluded'));
      setAsking(false);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Loaded query={card} what={t('campaigns.loading_contact')}>
      {(data) => (
        <div className="sheet">
          <div className="stack gap-2">
            <h3 className={css.cardName}>{data.name || t('campaigns.no_name')}</h3>
            <ContactStateBadge contact={data} />
          </div>
          <Facts
            items={[
              [
                t('campaigns.numbers'),
                data.numbers.map(({ phone }) => fmt.phone(phone)).join(', ') || '—',
              ],
              [
                t('campaigns.attempts'),
                t('campaigns.of', {
                  done: fmt.number(data.attempts),
                  total: fmt.number(campaign.max_attempts),
                }),
              ],
              [
                t('campaigns.next_attempt'),
                data.state === 'callable' && data.next_at ? fmt.dateTime(data.next_at) : '—',
              ],
              ...Object.entries(data.variables).map(([key, value]) => [key, value] as const),
            ]}
          />
          {may && data.state === 'callable' && (
            <div>
              <Button
                variant="default"
                size="xs"
                leftSection={<Ban size={15} />}
                onClick={() => setAsking(true)}
              >
                {t('campaigns.exclude')}
              </Button>
            </div>
          )}
          {data.decisions.length > 0 && (
            <div className="stack gap-2">
              <h3>{t('campaigns.decisions.title')}</h3>
              <ul className={css.decisions}>
                {data.decisions.map((decision) => (
                  <li key={decision.reason}>
                    <div>{decisionWords(decision, t)}</div>
                    <div className={css.when}>
                      {t('campaigns.decisions.times', {
                        count: decision.times,
                        at: fmt.dateTime(decision.last_at),
                      })}
                    </div>
                  </li>
                ))}
              </ul>
            </div>
          )}
          <div className="stack gap-3">
            <h3>{t('campaigns.history')}</h3>
            {data.attempts_made.length === 0 && (
              <p className="muted">{t('campaigns.no_attempts_yet')}</p>
            )}
            {data.attempts_made.map((attempt) => (
              <AttemptCard key={attempt.id} attempt={attempt} />
            ))}
          </div>
          <ConfirmDialog
            opened={asking}
            onClose={() => setAsking(false)}
            title={t('campaigns.exclude_title')}
            confirm={t('campaigns.exclude')}
            busy={busy}
            failure={problem}
            onConfirm={() => void exclude()}
          >
            {t('campaigns.exclude_text')}
          </ConfirmDialog>
        </div>
      )}
    </Loaded>
  );
}
