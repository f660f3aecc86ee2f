// Attempt rules: how often and when contacts are tried, under a name.
import type { AttemptRule } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { DataTable, Empty, FailureBox, Loading, Page, type Column } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus, Repeat } from 'lucide-react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useCommands } from '../../shared/commands';
import { attemptRulesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { attemptWords } from './words';

export function AttemptRules() {
  return (
    <Guarded permission="campaign.view">
      <RuleTable />
    </Guarded>
  );
}

function RuleTable() {
  const { t } = useTranslation();
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const found = useQuery(attemptRulesQuery);
  useCommands(
    may
      ? [
          {
            id: 'attempt_rule.new',
            title: t('campaigns.new_rule'),
            group: t('shell.menu.attempt_rules'),
            icon: Plus,
            keys: ['n'],
            run: () => void navigate({ to: '/campaigns/attempt-rules/$id', params: { id: 'new' } }),
          },
        ]
      : [],
  );
  const columns: Column<AttemptRule>[] = [
    {
      id: 'name',
      title: t('campaigns.rule_name'),
      cell: (rule) => (
        <Link
          to="/campaigns/attempt-rules/$id"
          params={{ id: rule.id }}
          data-row-link
          className="row-link"
        >
          {rule.name}
        </Link>
      ),
    },
    {
      id: 'words',
      title: t('campaigns.rule_says'),
      cell: (rule) => fmt.list(attemptWords(rule.rule, t)),
      from: 'sm',
    },
    {
      id: 'used',
      title: t('campaigns.used_by'),
      align: 'end',
      cell: (rule) => fmt.number(rule.used_by.length),
      from: 'md',
    },
  ];
  return (
    <Page
      title={t('shell.menu.attempt_rules')}
      documentTitle={t('shell.menu.attempt_rules')}
      subtitle={t('campaigns.rules_text')}
      width="wide"
      actions={
        may && (
          <ButtonLink
            to="/campaigns/attempt-rules/$id"
            params={{ id: 'new' }}
            leftSection={<Plus size={16} />}
          >
            {t('campaigns.new_rule')}
          </ButtonLink>
        )
      }
    >
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('shell.menu.attempt_rules')}
          columns={columns}
          rows={found.data}
          rowKey={(rule) => rule.id}
          onOpen={(rule) =>
            void navigate({ to: '/campaigns/attempt-rules/$id', params: { id: rule.id } })
          }
          loading={
            <Loading what={t('campaigns.loading_rules')} retry={() => void found.refetch()} />
          }
          empty={
            <Empty
              icon={<Repeat size={22} />}
              title={t('campaigns.no_rules')}
              action={
                may && (
                  <ButtonLink to="/campaigns/attempt-rules/$id" params={{ id: 'new' }}>
                    {t('campaigns.new_rule')}
                  </ButtonLink>
                )
              }
            >
              {t('campaigns.no_rules_text')}
            </Empty>
          }
        />
      )}
    </Page>
  );
}
