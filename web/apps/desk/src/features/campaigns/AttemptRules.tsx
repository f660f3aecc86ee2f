// Attempt rules: how often and when contacts are tried, under a name.
import { fmt, useTranslation } from '@switchbell/i18n';
import { useQuery } from '@tanstack/react-query';
import { Repeat } from 'lucide-react';

import { attemptRulesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { PresetTable, type Sort } from './PresetParts';
import { attemptWords } from './words';

export const ruleSort: Sort = {
  list: '/campaigns/attempt-rules',
  one: '/campaigns/attempt-rules/$id',
  key: 'attempt-rules',
};

export function AttemptRules() {
  return (
    <Guarded permission="campaign.view">
      <RuleTable />
    </Guarded>
  );
}

function RuleTable() {
  const { t } = useTranslation();
  const found = useQuery(attemptRulesQuery);
  return (
    <PresetTable
      sort={ruleSort}
      found={found}
      icon={<Repeat size={22} />}
      columns={[
        {
          id: 'words',
          title: t('campaigns.rule_says'),
          cell: (rule) => fmt.list(attemptWords(rule.rule, t)),
          from: 'sm',
        },
      ]}
      words={{
        title: t('shell.menu.attempt_rules'),
        text: t('campaigns.rules_text'),
        fresh: t('campaigns.new_rule'),
        name: t('campaigns.rule_name'),
        loading: t('campaigns.loading_rules'),
        none: t('campaigns.no_rules'),
        noneText: t('campaigns.no_rules_text'),
      }}
    />
  );
}
