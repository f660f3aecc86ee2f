// What can be done with a campaign in each state; header, row menus, command bar and keys read this.
import {
  asProblem,
  campaigns,
  idempotencyKey,
  type Campaign,
  type Permission,
  type Problem,
} from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { ConfirmDialog, toast } from '@switchbell/ui';
import { useNavigate } from '@tanstack/react-router';
import {
  ArchiveRestore,
  Copy,
  Pause,
  PhoneOutgoing,
  Play,
  Repeat,
  Settings2,
  Square,
  Trash2,
  type LucideIcon,
} from 'lucide-react';
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';

import type { Command } from '../../shared/commands';
import type { Binding } from '../../shared/keyboard';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { campaignQuery, keepCampaign } from './api';
import { settingsOf } from './settings';

// Needed after a press only.
const StartDialog = lazy(async () => ({ default: (await import('./StartDialog')).StartDialog }));
const TestCallDialog = lazy(async () => ({
  default: (await import('./TestCallDialog')).TestCallDialog,
}));

const RunAgainDialog = lazy(async () => ({
  default: (await import('./RunAgainDialog')).RunAgainDialog,
}));

export type Verb =
  | 'start'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'test'
  | 'edit'
  | 'run_again'
  | 'copy'
  | 'restore'
  | 'delete';

const looks: Record<Verb, { icon: LucideIcon; keys?: readonly Binding[]; permission: Permission }> =
  {
    start: { icon: Play, keys: ['mod+Enter'], permission: 'campaign.start' },
    pause: { icon: Pause, keys: ['p'], permission: 'campaign.start' },
    resume: { icon: Play, keys: ['p'], permission: 'campaign.start' },
    stop: { icon: Square, keys: ['shift+p'], permission: 'campaign.start' },
    test: { icon: PhoneOutgoing, keys: ['t'], permission: 'campaign.start' },
    edit: { icon: Settings2, permission: 'campaign.edit' },
    run_again: { icon: Repeat, permission: 'campaign.edit' },
    copy: { icon: Copy, permission: 'campaign.edit' },
    restore: { icon: ArchiveRestore, permission: 'campaign.delete' },
    delete: { icon: Trash2, permission: 'campaign.delete' },
  };

function verbsOf(campaign: Campaign): Verb[] {
  if (campaign.deleted_at !== null) return ['restore'];
  switch (campaign.state) {
    case 'draft':
      return ['start', 'test', 'edit', 'copy', 'delete'];
    case 'running':
      return ['pause', 'stop', 'test', 'edit', 'copy'];
    case 'paused':
      return ['resume', 'stop', 'test', 'edit', 'copy'];
    case 'completed':
    case 'stopped':
      return ['run_again', 'copy', 'delete'];
  }
}

export interface CampaignAction extends Command {
  verb: Verb;
  icon: LucideIcon;
}

type Open = { verb: 'start' | 'stop' | 'test' | 'run_again' | 'delete'; campaign: Campaign };

export function useCampaignActions(
  options: {
    /** Saves what is unsaved before anything starts; false when that failed. */
    before?: () => Promise<boolean>;
  } = {},
): {
  actionsOf: (campaign: Campaign) => CampaignAction[];
  busy: Verb | null;
  problem: Problem | null;
  clearProblem: () => void;
  dialogs: ReactNode;
} {
  const { t } = useTranslation();
  const can = useCan();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Open | null>(null);
  const [busy, setBusy] = useState<Verb | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const once = useRef('');

  const run = async (verb: Verb, work: () => Promise<void>) => {
    setBusy(verb);
    setProblem(null);
    try {
      await work();
      setOpen(null);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(null);
    }
  };
  const command = (verb: 'start' | 'pause' | 'resume' | 'stop', campaign: Campaign) =>
    run(verb, async () => {
      // The same wish keeps its key, so that a repeated click or a lost answer starts nothing twice.
      once.current ||= idempotencyKey();
      keepCampaign(await campaigns.command(campaign.id, verb, once.current));
      once.current = '';
    });
  const ask = (verb: Open['verb'], campaign: Campaign) => {
    setProblem(null);
    once.current = '';
    setOpen({ verb, campaign });
  };
  const prepared = (then: () => void) => async () => {
    if (!options.before || (await options.before())) then();
  };

  const runOf = (verb: Verb, campaign: Campaign): (() => void) => {
    switch (verb) {
      case 'start':
      case 'test':
        return () => void prepared(() => ask(verb, campaign))();
      case 'stop':
      case 'run_again':
      case 'delete':
        return () => ask(verb, campaign);
      case 'pause':
      case 'resume':
        return () => {
          once.current = '';
          void command(verb, campaign);
        };
      case 'edit':
        return () =>
          void navigate({ to: '/campaigns/$id/$tab', params: { id: campaign.id, tab: 'setup' } });
      case 'copy':
        return () =>
          void run('copy', async () => {
            const made = await campaigns.create(
              {
                ...settingsOf(campaign),
                name: t('campaigns.copy_of', { name: campaign.name }).slice(0, 120),
                period: { from: null, to: null },
                // Of a campaign that is run again: over the same contacts.
                copy_of: campaign.id,
              },
              idempotencyKey(),
            );
            keepCampaign(made);
            await navigate({ to: '/campaigns/$id/$tab', params: { id: made.id, tab: 'setup' } });
            toast(t('campaigns.copied', { name: made.name }));
          });
      case 'restore':
        return () =>
          void run('restore', async () => {
            keepCampaign(await campaigns.restore(campaign.id));
            toast(t('campaigns.restored', { name: campaign.name }));
          });
    }
  };

  const remove = (campaign: Campaign) =>
    run('delete', async () => {
      await campaigns.delete(campaign.id);
      await navigate({ to: '/campaigns', ignoreBlocker: true });
      queryClient.removeQueries({ queryKey: campaignQuery(campaign.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: ['campaigns', 'list'] });
      toast(t('campaigns.deleted', { name: campaign.name }), {
        label: t('common.undo'),
        run: () =>
          void campaigns
            .restore(campaign.id)
            .then(keepCampaign)
            .catch((error: unknown) => setProblem(asProblem(error))),
      });
    });

  return {
    busy,
    problem: open ? null : problem,
    clearProblem: () => setProblem(null),
    actionsOf: (campaign) =>
      verbsOf(campaign)
        .filter((verb) => can(looks[verb].permission))
        .map((verb) => ({
          verb,
          id: `campaign.${verb}.${campaign.id}`,
          title: t(`campaigns.verbs.${verb}`),
          group: campaign.name,
          icon: looks[verb].icon,
          ...(looks[verb].keys ? { keys: looks[verb].keys } : {}),
          whileTyping: verb === 'start',
          run: runOf(verb, campaign),
        })),
    dialogs: (
      <Suspense fallback={null}>
        {open?.verb === 'start' && (
          <StartDialog
            campaign={open.campaign}
            busy={busy === 'start'}
            problem={problem}
            onStart={() => void command('start', open.campaign)}
            onClose={() => setOpen(null)}
          />
        )}
        {open?.verb === 'test' && (
          <TestCallDialog campaign={open.campaign} onClose={() => setOpen(null)} />
        )}
        {open?.verb === 'run_again' && (
          <RunAgainDialog campaign={open.campaign} onClose={() => setOpen(null)} />
        )}
        <ConfirmDialog
          opened={open?.verb === 'stop'}
          danger
          onClose={() => setOpen(null)}
          title={t('campaigns.stop_title', { name: open?.campaign.name ?? '' })}
          confirm={t('campaigns.verbs.stop')}
          busy={busy === 'stop'}
          failure={problem}
          onConfirm={() => open && void command('stop', open.campaign)}
        >
          {t('campaigns.stop_text', {
            count:
              (open?.campaign.counters.callable ?? 0) + (open?.campaign.counters.planning ?? 0),
          })}
        </ConfirmDialog>
        <ConfirmDialog
          opened={open?.verb === 'delete'}
          danger
          onClose={() => setOpen(null)}
          title={t('campaigns.delete_title', { name: open?.campaign.name ?? '' })}
          confirm={t('campaigns.verbs.delete')}
          busy={busy === 'delete'}
          failure={problem}
          onConfirm={() => open && void remove(open.campaign)}
        >
          {t('campaigns.delete_text')}
        </ConfirmDialog>
      </Suspense>
    ),
  };
}
