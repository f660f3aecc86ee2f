// The control room: every campaign with its state, its reason and its counters, live.
import {
  asProblem,
  campaigns,
  idempotencyKey,
  type Campaign,
  type Counters,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation, type TFunction } from '@switchbell/i18n';
import {
  ActionIcon,
  Button,
  ChoiceChips,
  ConfirmDialog,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Menu,
  Page,
  StackedBar,
  TextInput,
  useDebouncedValue,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { CirclePause, Ellipsis, Megaphone, Phone, Plus, Trash2, Upload, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useCommands } from '../../shared/commands';
import { useNow } from '../../shared/live';
import { audioQuery, linesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { useCampaignActions, type CampaignAction } from './actions';
import { campaignsQuery, keepCampaign, useFreshCampaigns } from './api';
import { CampaignBadge, SimulatedBadge } from './badges';
import { counterNames, progressParts } from './counters';
import { whyWords } from './why';
import css from './CampaignList.module.css';

// Needed once something is chosen.
const Bulk = lazy(async () => ({ default: (await import('./Bulk')).Bulk }));

const route = getRouteApi('/shell/campaigns');
/** How long a deleted campaign can be restored, in milliseconds. */
const restorable = 30 * 86_400_000;
const states = ['running', 'paused', 'draft', 'completed', 'stopped'] as const;

export function CampaignList() {
  return (
    <Guarded permission="campaign.view">
      <ControlRoom />
    </Guarded>
  );
}

function ControlRoom() {
  const { t } = useTranslation();
  const can = useCan();
  const navigate = useNavigate();
  const search = route.useSearch();
  const found = useInfiniteQuery(campaignsQuery(search));
  const { fresh, ids } = useFreshCampaigns();
  const { actionsOf, problem, clearProblem, dialogs } = useCampaignActions();
  const [pausing, setPausing] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (id: string, on: boolean) =>
    setChosen((before) => {
      const after = new Set(before);
      if (on) after.add(id);
      else after.delete(id);
      return after;
    });
  const now = useNow(5_000);

  const rows = found.data?.pages.flatMap((page) => page.items).map(fresh);
  const choosable = search.deleted !== true && (can('campaign.start') || can('campaign.delete'));
  const picked = choosable ? (rows ?? []).filter((row) => chosen.has(row.id)) : [];
  const known = new Set(rows?.map((row) => row.id));
  const filtered = search.status !== undefined || search.q !== undefined || search.deleted === true;
  // New campaigns wait behind a button, so that nothing moves under the pointer.
  const waiting =
    rows && !filtered && !found.hasNextPage ? ids.filter((id) => !known.has(id)).length : 0;
  const running = rows?.filter((row) => row.state === 'running') ?? [];
  const create = () => void navigate({ to: '/campaigns/new' });
  const names = useNames();

  useCommands([
    ...(can('campaign.edit')
      ? [
          {
            id: 'campaign.new',
            title: t('campaigns.new'),
            group: t('shell.menu.campaigns'),
            icon: Plus,
            keys: ['n'],
            run: create,
          },
        ]
      : []),
    ...(can('campaign.start') && running.length > 0
      ? [
          {
            id: 'campaign.pause-all',
            title: t('campaigns.pause_all'),
            group: t('shell.menu.campaigns'),
            icon: CirclePause,
            run: () => setPausing(true),
          },
        ]
      : []),
  ]);

  return (
    <Page
      title={t('shell.menu.campaigns')}
      documentTitle={t('shell.menu.campaigns')}
      actions={
        <>
          {can('campaign.start') && running.length > 0 && (
            <Button
              variant="default"
              leftSection={<CirclePause size={16} />}
              onClick={() => setPausing(true)}
            >
              {t('campaigns.pause_all')}
            </Button>
          )}
          {can('campaign.edit') && (
            <Button leftSection={<Plus size={16} />} onClick={create}>
              {t('campaigns.new')}
            </Button>
          )}
        </>
      }
    >
      <Filters />
      {problem && <FailureBox failure={problem} retry={clearProblem} />}
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {waiting > 0 && (
        <div>
          <Button size="xs" variant="light" onClick={() => void found.refetch()}>
            {t('campaigns.show_new', { count: waiting })}
          </Button>
        </div>
      )}
      {picked.length > 0 && (
        <Suspense fallback={null}>
          <Bulk chosen={picked} onClear={() => setChosen(new Set())} />
        </Suspense>
      )}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('shell.menu.campaigns')}
          columns={[
            ...(choosable ? [choiceColumn({ t, chosen, choose })] : []),
            ...columnsOf({ t, now, names, actionsOf }),
          ]}
          selected={(row) => chosen.has(row.id)}
          rows={rows}
          rowKey={(row) => row.id}
          dim={(row) => row.deleted_at !== null}
          onOpen={(row) => void navigate({ to: '/campaigns/$id', params: { id: row.id } })}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={<Loading what={t('campaigns.loading')} retry={() => void found.refetch()} />}
          empty={filtered ? <NothingMatches /> : <NothingYet />}
        />
      )}
      {dialogs}
      {pausing && <PauseAll running={running} onClose={() => setPausing(false)} />}
    </Page>
  );
}

interface Names {
  line: (id: string | null) => string | undefined;
  audio: (id: string | null) => string | undefined;
}

/** Names of lines and recordings, for those who may see them. */
function useNames(): Names {
  const can = useCan();
  const lines = useQuery({ ...linesQuery, enabled: can('line.view') });
  const audio = useQuery({ ...audioQuery, enabled: can('audio.view') });
  return {
    line: (id) => lines.data?.find((entry) => entry.id === id)?.name,
    audio: (id) => audio.data?.find((entry) => entry.id === id)?.name,
  };
}

function choiceColumn({
  t,
  chosen,
  choose,
}: {
  t: TFunction;
  chosen: ReadonlySet<string>;
  choose: (id: string, on: boolean) => void;
}): Column<Campaign> {
  return {
    id: 'choice',
    title: t('campaigns.bulk.choose'),
    quiet: true,
    cell: (row) => (
      <input
        type="checkbox"
        className={css.choice}
        aria-label={t('campaigns.bulk.choose_one', { name: row.name })}
        checked={chosen.has(row.id)}
        onChange={(event) => choose(row.id, event.currentTarget.checked)}
      />
    ),
  };
}

function columnsOf({
  t,
  now,
  names,
  actionsOf,
}: {
  t: TFunction;
  now: number;
  names: Names;
  actionsOf: (campaign: Campaign) => CampaignAction[];
}): Column<Campaign>[] {
  const counter = (name: keyof Counters, from: 'sm' | 'md' | 'lg'): Column<Campaign> => ({
    id: name,
    title: t(`campaigns.counters.${name as 'total'}`),
    tip: t(`campaigns.counter_tips.${name as 'total'}`),
    align: 'end',
    from,
    cell: (row) =>
      name === 'open' && row.state === 'running' ? (
        <span className="nowrap">
          <Flash value={row.counters.open} />
          <span className="muted"> / {fmt.number(row.concurrency)}</span>
        </span>
      ) : (
        <Flash value={row.counters[name]} />
      ),
  });
  return [
    {
      id: 'name',
      title: t('campaigns.name'),
      cell: (row) => {
        const details = [
          names.line(row.line_id),
          names.audio(row.on_answer?.audio_id ?? null),
        ].filter(Boolean);
        return (
          <div className={css.name}>
            <Link to="/campaigns/$id" params={{ id: row.id }} data-row-link className="row-link">
              {row.name}
            </Link>
            {details.length > 0 && (
              <div className="muted small truncate">{details.join(' · ')}</div>
            )}
            {row.deleted_at !== null && (
              <div className="muted small">
                {t('campaigns.purged_on', {
                  when: fmt.date(Date.parse(row.deleted_at) + restorable),
                })}
              </div>
            )}
            {row.counters.total > 0 && <Progress campaign={row} />}
          </div>
        );
      },
    },
    {
      id: 'status',
      title: t('campaigns.status'),
      cell: (row) => (
        <div className={css.status}>
          <span className="row">
            <CampaignBadge campaign={row} />
            {row.simulated && <SimulatedBadge />}
          </span>
          {row.deleted_at === null &&
            !['draft', 'completed', 'stopped', 'paused'].includes(row.badge) && (
              <div className={css.reason}>{whyWords(row.why, row.time_zone, now)}</div>
            )}
        </div>
      ),
    },
    ...counterNames.map(([name, from]) => counter(name, from)),
    {
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      width: '52px',
      cell: (row) => {
        const actions = actionsOf(row);
        if (actions.length === 0) return null;
        return (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('common.actions_for', { name: row.name })}
              >
                <Ellipsis size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {actions.map((action) => (
                <Menu.Item
                  key={action.id}
                  color={action.verb === 'delete' ? 'red' : undefined}
                  leftSection={<action.icon size={16} />}
                  onClick={action.run}
                >
                  {action.title}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        );
      },
    },
  ];
}

function Progress({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { counters } = campaign;
  const done = counters.closed + counters.attempted + counters.flagged;
  return (
    <div className={css.progress}>
      <StackedBar
        whole={counters.total}
        parts={progressParts(counters, t)}
        label={t('campaigns.progress_words', {
          done: fmt.number(done),
          total: fmt.number(counters.total),
        })}
      />
      <span className="num small">{fmt.percent(done / counters.total)}</span>
    </div>
  );
}

/** A number that lights up once when it changes. */
function Flash({ value }: { value: number }) {
  const first = useRef(value);
  return (
    <span key={value} className={value === first.current ? undefined : css.flash}>
      {fmt.number(value)}
    </span>
  );
}

function Filters() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const search = route.useSearch();
  const [wish, setWish] = useState(search.q ?? '');
  const [settled] = useDebouncedValue(wish.trim(), 250);
  const go = (change: Partial<typeof search>) =>
    void navigate({ to: '/campaigns', search: { ...search, ...change }, replace: true });
  useEffect(() => {
    if ((search.q ?? '') !== settled)
      void navigate({
        to: '/campaigns',
        search: { ...search, q: settled || undefined },
        replace: true,
      });
  }, [settled, search, navigate]);
  return (
    <div className="toolbar">
      <TextInput
        className="toolbar-search"
        aria-label={t('campaigns.find')}
        placeholder={t('campaigns.find')}
        data-search
        value={wish}
        onChange={(event) => setWish(event.currentTarget.value)}
      />
      <ChoiceChips
        label={t('campaigns.status')}
        value={
          search.deleted ? 'deleted' : (states.find((state) => state === search.status) ?? 'all')
        }
        choices={[
          { value: 'all', label: t('campaigns.all') },
          ...states.map((state) => ({ value: state, label: t(`campaigns.badges.${state}`) })),
          { value: 'deleted', label: t('campaigns.deleted_ones') },
        ]}
        onChange={(value) =>
          go({
            status: value === 'all' || value === 'deleted' ? undefined : value,
            deleted: value === 'deleted' ? true : undefined,
          })
        }
      />
      {(search.status ?? search.q) && (
        <Button
          variant="subtle"
          size="xs"
          leftSection={<X size={14} />}
          onClick={() => {
            setWish('');
            go({ q: undefined, status: undefined });
          }}
        >
          {t('common.clear_filters')}
        </Button>
      )}
    </div>
  );
}

function NothingMatches() {
  const { t } = useTranslation();
  const search = route.useSearch();
  if (search.deleted && !search.q && !search.status)
    return <Empty icon={<Trash2 size={22} />} title={t('campaigns.none_deleted')} />;
  return (
    <Empty
      title={t('common.nothing_matches')}
      action={
        <ButtonLink to="/campaigns" search={{ deleted: search.deleted }} variant="default">
          {t('common.clear_filters')}
        </ButtonLink>
      }
    >
      {t('campaigns.filters_are', {
        filters: fmt.list(
          [
            search.q && `«${search.q}»`,
            search.status && t(`campaigns.badges.${search.status as 'running'}`),
          ].filter((text) => typeof text === 'string' && text !== '') as string[],
        ),
      })}
    </Empty>
  );
}

function NothingYet() {
  const { t } = useTranslation();
  const can = useCan();
  const steps = [
    can('line.manage') && {
      to: '/settings/lines/$id' as const,
      params: { id: 'new' },
      icon: Phone,
      title: t('campaigns.steps.line'),
      text: t('campaigns.steps.line_text'),
    },
    can('list.edit') && {
      to: '/campaigns/lists' as const,
      params: {},
      icon: Upload,
      title: t('campaigns.steps.list'),
      text: t('campaigns.steps.list_text'),
    },
    can('campaign.edit') && {
      to: '/campaigns/new' as const,
      params: {},
      icon: Plus,
      title: t('campaigns.steps.campaign'),
      text: t('campaigns.steps.campaign_text'),
    },
  ].filter((step) => step !== false);
  return (
    <Empty
      icon={<Megaphone size={22} />}
      title={t('campaigns.none')}
      action={
        steps.length > 0 && (
          <ul className={css.steps}>
            {steps.map((step) => (
              <li key={step.to}>
                <Link to={step.to} params={step.params} className={css.step}>
                  <step.icon size={20} aria-hidden="true" />
                  <span className={css.stepTitle}>{step.title}</span>
                  <span className={css.stepText}>{step.text}</span>
                </Link>
              </li>
            ))}
          </ul>
        )
      }
    >
      {t('campaigns.none_text')}
    </Empty>
  );
}

function PauseAll({ running, onClose }: { running: Campaign[]; onClose: () => void }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      for (const campaign of running)
        keepCampaign(await campaigns.command(campaign.id, 'pause', idempotencyKey()));
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      opened
      onClose={onClose}
      title={t('campaigns.pause_all')}
      confirm={t('campaigns.verbs.pause')}
      busy={busy}
      failure={problem}
      onConfirm={() => void run()}
    >
      {t('campaigns.pause_all_text', { count: running.length })}
    </ConfirmDialog>
  );
}
