// One campaign: header with what can be done now, why it is or is not dialling, and its tabs.
import type { Campaign } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Button,
  CopyButton,
  FailureBox,
  Loading,
  Menu,
  Page,
  Tabs,
  Tooltip,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useRef } from 'react';

import { useCommands } from '../../shared/commands';
import { keysOf } from '../../shared/keyboard';
import { useTopicChange } from '../../shared/live';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCampaignActions, type CampaignAction } from './actions';
import { campaignQuery, useCampaignTopic } from './api';
import { AttemptsTab } from './AttemptsTab';
import { CampaignBadge, SimulatedBadge } from './badges';
import { CampaignForm, type FormHandle } from './CampaignForm';
import { ContactsTab } from './ContactsTab';
import { LiveTab } from './LiveTab';
import { WhyPanel } from './why';

export function CampaignPage() {
  const { id } = useParams({ strict: false });
  return (
    <Guarded permission="campaign.view">{id !== undefined && <Loader key={id} id={id} />}</Guarded>
  );
}

function Loader({ id }: { id: string }) {
  const { t } = useTranslation();
  const campaign = useQuery(campaignQuery(id));
  const topic = useCampaignTopic(id);
  // A new state brings new settings with it; counters come with the topic itself.
  const state = topic?.campaign?.state;
  useTopicChange(`campaign:${id}:live`, () => {
    const kept = queryClient.getQueryData(campaignQuery(id).queryKey);
    if (kept && state && kept.state !== state)
      void queryClient.invalidateQueries({ queryKey: campaignQuery(id).queryKey });
  });
  if (!campaign.data) {
    return (
      <Page
        title={t('campaigns.campaign')}
        documentTitle={t('campaigns.campaign')}
        width="wide"
        above={<Link to="/campaigns">{t('shell.menu.campaigns')}</Link>}
      >
        {campaign.isError ? (
          <FailureBox failure={campaign.error} retry={() => void campaign.refetch()} />
        ) : (
          <Loading what={t('campaigns.loading_one')} retry={() => void campaign.refetch()} />
        )}
      </Page>
    );
  }
  // What was saved here a moment ago is newer than the topic's next word.
  const fresh: Campaign =
    topic && topic.campaign.version >= campaign.data.version
      ? { ...campaign.data, ...topic.campaign }
      : campaign.data;
  return <CampaignView campaign={fresh} />;
}

const tabs = ['live', 'contacts', 'calls', 'setup'] as const;
type Tab = (typeof tabs)[number];

function CampaignView({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const params = useParams({ strict: false });
  const topic = useCampaignTopic(campaign.id);
  const form = useRef<FormHandle>(null);
  const fallback: Tab = campaign.state === 'draft' ? 'setup' : 'live';
  const tab = tabs.find((entry) => entry === params.tab) ?? fallback;
  const { actionsOf, busy, problem, clearProblem, dialogs } = useCampaignActions({
    before: async () => (await form.current?.save()) ?? true,
  });
  const actions = actionsOf(campaign).filter((action) => action.verb !== 'edit');
  const open = (next: string | null) =>
    void navigate({ to: '/campaigns/$id/$tab', params: { id: campaign.id, tab: next ?? 'live' } });

  useCommands([
    ...actions,
    ...tabs.map((entry, index) => ({
      id: `tab.${entry}`,
      title: t(`campaigns.tabs.${entry}`),
      group: campaign.name,
      keys: [String(index + 1)],
      run: () => open(entry),
    })),
  ]);

  return (
    <Page
      title={campaign.name}
      documentTitle={campaign.name}
      above={<Link to="/campaigns">{t('shell.menu.campaigns')}</Link>}
      badge={
        <>
          <CampaignBadge campaign={campaign} />
          {campaign.simulated && <SimulatedBadge />}
          <CopyButton text={campaign.id} label={t('common.copy_id')} />
        </>
      }
      subtitle={campaign.notes || undefined}
      actions={<HeaderActions actions={actions} busy={busy} />}
    >
      {problem && (
        <FailureBox failure={problem} title={t('campaigns.not_done')} retry={clearProblem} />
      )}
      <WhyPanel campaign={campaign} actions={actions} />
      <Tabs value={tab} onChange={open} activateTabWithKeyboard={false} keepMounted={false}>
        <Tabs.List>
          {tabs.map((entry) => (
            <Tabs.Tab key={entry} value={entry}>
              {t(`campaigns.tabs.${entry}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="live" pt="md">
          <LiveTab campaign={campaign} topic={topic} />
        </Tabs.Panel>
        <Tabs.Panel value="contacts" pt="md">
          <ContactsTab campaign={campaign} />
        </Tabs.Panel>
        <Tabs.Panel value="calls" pt="md">
          <AttemptsTab campaign={campaign} topic={topic} />
        </Tabs.Panel>
        <Tabs.Panel value="setup" pt="md">
          <CampaignForm ref={form} campaign={campaign} />
        </Tabs.Panel>
      </Tabs>
      {dialogs}
    </Page>
  );
}

function HeaderActions({ actions, busy }: { actions: CampaignAction[]; busy: string | null }) {
  const { t } = useTranslation();
  const shown = actions.filter(({ verb }) => !['copy', 'delete'].includes(verb));
  const rest = actions.filter(({ verb }) => ['copy', 'delete'].includes(verb));
  // The main thing to do stands last, nearest to the edge.
  const ordered = [...shown].toReversed();
  return (
    <>
      {ordered.map((action) => {
        const main = ['start', 'resume', 'pause', 'restore'].includes(action.verb);
        return (
          <Tooltip
            key={action.id}
            label={
              action.keys?.[0] &&
              keysOf(action.keys[0])
                .map((stroke) => stroke.join('+'))
                .join(' ')
            }
            disabled={!action.keys?.[0]}
          >
            <Button
              variant={main && action.verb !== 'pause' ? 'filled' : 'default'}
              leftSection={<action.icon size={16} />}
              loading={busy === action.verb}
              onClick={action.run}
            >
              {action.title}
            </Button>
          </Tooltip>
        );
      })}
      {rest.length > 0 && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label={t('common.more_actions')}>
              <Ellipsis size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {rest.map((action) => (
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
      )}
    </>
  );
}
