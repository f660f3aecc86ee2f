// One attempt rule, with what it would do to a contact on a time line.
import { presets, type AttemptRule, type AttemptSettings } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Panel, TextInput } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';

import { attemptRulesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { AttemptFields } from './AttemptFields';
import { ruleSort } from './AttemptRules';
import { AttemptTimeline } from './AttemptTimeline';
import { OnePreset, PresetPage, usePresetForm } from './PresetParts';
import { blankSettings } from './settings';

const route = getRouteApi('/shell/campaigns/attempt-rules/$id');

export function AttemptRulePage() {
  return (
    <Guarded permission="campaign.view">
      <One />
    </Guarded>
  );
}

function One() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const found = useQuery({ ...attemptRulesQuery, enabled: id !== 'new' });
  return (
    <OnePreset
      id={id}
      found={found}
      editor={(rule) => <Editor key={id} rule={rule} />}
      words={{
        title: t('campaigns.attempt_rule'),
        loading: t('campaigns.loading_rules'),
        missing: t('errors.attempt_rule_not_found'),
      }}
    />
  );
}

type Values = AttemptSettings & { name: string };

function valuesOf(name: string, rule: AttemptSettings): Values {
  return {
    name,
    max_attempts: rule.max_attempts,
    ring_s: rule.ring_s,
    min_talk_s: rule.min_talk_s,
    delays_s: rule.delays_s,
    retry_short_talk: rule.retry_short_talk,
    caps: rule.caps,
    batch: rule.batch ?? null,
    every_number: rule.every_number,
  };
}

function Editor({ rule }: { rule: AttemptRule | null }) {
  const { t } = useTranslation();
  const editor = usePresetForm<AttemptRule, Values>({
    sort: ruleSort,
    preset: rule,
    start: () => valuesOf('', blankSettings('UTC')),
    valuesOf: (saved) => valuesOf(saved.name, saved.rule),
    save: ({ name, ...said }, version) =>
      rule
        ? presets.changeRule(rule.id, { name, rule: said, version })
        : presets.createRule({ name, rule: said }),
  });
  const { form, may } = editor;
  const { name, ...settings } = form.values;
  return (
    <PresetPage
      of={editor}
      above={t('shell.menu.attempt_rules')}
      remove={(preset) => presets.deleteRule(preset.id)}
      words={{
        fresh: t('campaigns.new_rule'),
        carried: t('campaigns.rule_carried'),
        removeTitle: t('campaigns.delete_rule_title', { name: editor.kept.name }),
        removeText: t('campaigns.delete_rule_text'),
      }}
    >
      <Panel>
        <div className="stack">
          <TextInput
            label={t('campaigns.rule_name')}
            name="name"
            value={name}
            onChange={(event) => form.set('name', event.currentTarget.value)}
            maxLength={120}
            readOnly={!may}
            error={form.error('name')}
          />
          <AttemptFields form={form} readOnly={!may} />
        </div>
      </Panel>
      <AttemptTimeline rule={settings} />
    </PresetPage>
  );
}
