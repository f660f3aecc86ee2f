// What happens now: counters, funnel, results, and every call that is up.
import type { ActiveCall, Campaign, CampaignTopic, Id, Outcome } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Badge,
  DataTable,
  Empty,
  Explained,
  Loading,
  Panel,
  StackedBar,
  Stat,
  type Column,
} from '@switchbell/ui';
import {
  CircleDashed,
  PhoneCall,
  PhoneForwarded,
  PhoneOutgoing,
  Volume2,
  type LucideIcon,
} from 'lucide-react';

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';

import { useNow } from '../../shared/live';
import { sipWords } from '../../shared/sip';
import { campaignContactQuery } from './api';
import { OutcomeBadge, outcomeLooks, outcomes } from './badges';
import { counterNames, progressParts } from './counters';
import css from './LiveTab.module.css';

// Drawn after the figures, by a chunk of its own.
const Charts = lazy(async () => ({ default: (await import('./Charts')).Charts }));

export function LiveTab({
  campaign,
  topic,
}: {
  campaign: Campaign;
  topic: CampaignTopic | undefined;
}) {
  const { t } = useTranslation();
  return (
    <div className={css.live}>
      <Counters campaign={campaign} />
      <div className={css.columns}>
        <div className={css.side}>
          <Funnel results={topic?.results ?? {}} />
          <Results
            campaign={campaign.id}
            results={topic?.results ?? {}}
            causes={topic?.causes ?? {}}
          />
        </div>
        <Now campaign={campaign} topic={topic} />
      </div>
      {campaign.started_at !== null && (
        <Suspense fallback={<Loading rows={4} what={t('common.loading')} />}>
          <Charts campaign={campaign} topic={topic} />
        </Suspense>
      )}
    </div>
  );
}

function Counters({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const { counters } = campaign;
  const parts = progressParts(counters, t);
  return (
    <Panel>
      <div className={css.counters}>
        {counterNames.map(([name]) => (
          <Stat
            key={name}
            value={<span data-counter={name}>{fmt.number(counters[name])}</span>}
            label={
              <Explained tip={t(`campaigns.counter_tips.${name as 'total'}`)}>
                {t(`campaigns.counters.${name as 'total'}`)}
              </Explained>
            }
          />
        ))}
      </div>
      <div className="stack gap-2">
        <StackedBar
          parts={parts}
          whole={counters.total}
          label={parts.map((part) => `${part.label}: ${fmt.number(part.value)}`).join(', ')}
        />
        <ul className={css.legend}>
          {parts.map((part) => (
            <li key={part.id} data-tone={part.tone}>
              {part.label} <strong className="num">{fmt.number(part.value)}</strong>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

type Results = Partial<Record<Outcome, number>>;

const sum = (results: Results, names: readonly Outcome[]) =>
  names.reduce((total, name) => total + (results[name] ?? 0), 0);

/** Somebody, or something, picked up. */
const pickedUp: readonly Outcome[] = ['success', 'short_talk', 'machine', 'abandoned_no_agent'];

function Funnel({ results }: { results: Results }) {
  const { t } = useTranslation();
  const calls = sum(
    results,
    outcomes.filter((outcome) => outcome !== 'cancelled'),
  );
  const answered = sum(results, pickedUp);
  const success = sum(results, ['success']);
  const steps = [
    { id: 'calls', words: t('campaigns.funnel.calls'), value: calls },
    { id: 'answered', words: t('campaigns.funnel.answered'), value: answered },
    { id: 'success', words: t('campaigns.funnel.success'), value: success },
  ];
  return (
    <Panel title={t('campaigns.funnel.title')}>
      <ol className={css.funnel}>
        {steps.map((step) => {
          const part = calls > 0 ? step.value / calls : 0;
          return (
            <li key={step.id} className={css.step}>
              <div className="spread gap-2">
                <span>{step.words}</span>
                <span className="num">
                  <strong>{fmt.number(step.value)}</strong>{' '}
                  {step.id !== 'calls' && <span className={css.share}>{fmt.percent(part)}</span>}
                </span>
              </div>
              <div className={css.bar}>
                <div style={{ width: `${part * 100}%` }} data-step={step.id} />
              </div>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}

/** The SIP answers behind a result, the most frequent first. */
function causesOf(outcome: Outcome, causes: Record<string, number>): [number, number][] {
  return Object.entries(causes)
    .map(([key, count]) => [...key.split(':'), count] as [string, string, number])
    .filter(([name, code, count]) => name === outcome && Number(code) >= 300 && count > 0)
    .map(([, code, count]): [number, number] => [Number(code), count])
    .toSorted(([, a], [, b]) => b - a);
}

function Results({
  campaign,
  results,
  causes,
}: {
  campaign: Id;
  results: Results;
  causes: Record<string, number>;
}) {
  const { t } = useTranslation();
  const total = sum(results, outcomes);
  const rows = outcomes.filter((outcome) => (results[outcome] ?? 0) > 0);
  return (
    <Panel title={t('campaigns.results')}>
      {rows.length === 0 ? (
        <p className="muted">{t('campaigns.no_results')}</p>
      ) : (
        <ul className={css.results}>
          {rows.map((outcome) => {
            const value = results[outcome] ?? 0;
            return (
              <li key={outcome} className={css.result}>
                <OutcomeBadge outcome={outcome} />
                <div className={css.bar}>
                  <div
                    style={{ width: `${(value / total) * 100}%` }}
                    data-tone={outcomeLooks[outcome][0]}
                  />
                </div>
                <span className="num">{fmt.number(value)}</span>
                <span className="num muted">{fmt.percent(value / total)}</span>
                {causesOf(outcome, causes).length > 0 && (
                  <ul className={css.causes}>
                    {causesOf(outcome, causes).map(([code, count]) => (
                      <li key={code}>
                        <Link
                          to="/campaigns/$id/$tab"
                          params={{ id: campaign, tab: 'calls' }}
                          search={{ outcome, sip_code: String(code) }}
                        >
                          {sipWords(code)}
                        </Link>
                        <span className="num">{fmt.number(count)}</span>
                      </li>
                    ))}
                  </ul>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}

const stageIcons: Record<ActiveCall['stage'], LucideIcon> = {
  claimed: CircleDashed,
  dialling: PhoneOutgoing,
  ringing: PhoneForwarded,
  playing: Volume2,
  ended: PhoneCall,
};

type Call = ActiveCall & { id: Id };

/** The live topic carries ids only; names are read once. */
function ContactName({ campaign, contact }: { campaign: Id; contact: Id }) {
  const { t } = useTranslation();
  const { data } = useQuery({ ...campaignContactQuery(campaign, contact), staleTime: Infinity });
  return data ? data.name || t('campaigns.no_name') : '…';
}

function Now({ campaign, topic }: { campaign: Campaign; topic: CampaignTopic | undefined }) {
  const { t } = useTranslation();
  const now = useNow();
  const calls = Object.entries(topic?.active ?? {})
    .filter(([, call]) => call.stage !== 'ended')
    .map(([id, call]): Call => ({ ...call, id }))
    .toSorted((a, b) => a.since.localeCompare(b.since));
  const columns: Column<Call>[] = [
    {
      id: 'contact',
      title: t('campaigns.contact'),
      cell: (call) => (
        <div>
          <span className={css.who}>
            {call.contact && <ContactName campaign={campaign.id} contact={call.contact} />}
          </span>
          {call.test && (
            <>
              {' '}
              <Badge tone="info">{t('campaigns.test')}</Badge>
            </>
          )}
        </div>
      ),
    },
    {
      id: 'phone',
      title: t('campaigns.number'),
      cell: (call) => <span className="num nowrap">{fmt.phone(call.phone)}</span>,
    },
    {
      id: 'phase',
      title: t('campaigns.phase'),
      cell: (call) => {
        const Icon = stageIcons[call.stage];
        const talking = call.stage === 'playing';
        return (
          <Badge plain tone={talking ? 'ok' : 'accent'} icon={<Icon size={15} />}>
            {t(`campaigns.stages.${call.stage}`)}
          </Badge>
        );
      },
    },
    {
      id: 'time',
      title: t('campaigns.lasts'),
      align: 'end',
      cell: (call) => fmt.duration((now - new Date(call.since).getTime()) / 1000),
    },
  ];
  return (
    <Panel
      flush
      title={t('campaigns.now')}
      actions={
        <span className="num muted">
          {t('campaigns.calls_of', {
            calls: fmt.number(calls.length),
            limit: fmt.number(campaign.concurrency),
          })}
        </span>
      }
    >
      <DataTable
        caption={t('campaigns.now')}
        columns={columns}
        rows={calls}
        rowKey={(call) => call.id}
        loading={null}
        empty={
          <Empty compact icon={<PhoneCall size={22} />} title={t('campaigns.no_calls')}>
            {campaign.state === 'draft'
              ? t('campaigns.no_calls_draft')
              : t('campaigns.no_calls_text')}
          </Empty>
        }
      />
    </Panel>
  );
}
