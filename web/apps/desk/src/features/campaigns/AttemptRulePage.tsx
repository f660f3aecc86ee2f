// One attempt rule, with what it would do to a contact on a time line.
import { presets, type AttemptRule, type AttemptSettings } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, Note, Page, Panel, TextInput, toast } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { FormProblem, useForm } from '../../shared/form';
import { useLeaveGuard } from '../../shared/leave';
import { Loaded } from '../../shared/Loaded';
import { attemptRulesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { AttemptFields } from './AttemptFields';
import { AttemptTimeline } from './AttemptTimeline';
import { UsedBy } from './PresetParts';
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
  if (id === 'new') return <Editor key="new" rule={null} />;
  const rule = found.data?.find((entry) => entry.id === id);
  if (rule) return <Editor key={rule.id} rule={rule} />;
  return (
    <Page
      title={t('campaigns.attempt_rule')}
      documentTitle={t('campaigns.attempt_rule')}
      width="form"
    >
      <Loaded query={found} what={t('campaigns.loading_rules')}>
        {() => <Note tone="warn">{t('errors.attempt_rule_not_found')}</Note>}
      </Loaded>
    </Page>
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
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const [kept, setKept] = useState<Values>(() =>
    rule ? valuesOf(rule.name, rule.rule) : valuesOf('', blankSettings('UTC')),
  );
  const [version, setVersion] = useState(rule?.version ?? 0);
  const [removing, setRemoving] = useState(false);
  const form = useForm(kept, async ({ name, ...said }) => {
    const body = { name: name.trim(), rule: said };
    const saved = rule
      ? await presets.changeRule(rule.id, { ...body, version })
      : await presets.createRule(body);
    guard.release();
    setKept(valuesOf(saved.name, saved.rule));
    form.setValues(valuesOf(saved.name, saved.rule));
    setVersion(saved.version);
    await queryClient.invalidateQueries({ queryKey: ['attempt-rules'] });
    await queryClient.invalidateQueries({ queryKey: ['campaigns'] });
    toast(t('common.saved'));
    if (!rule)
      await navigate({
        to: '/campaigns/attempt-rules/$id',
        params: { id: saved.id },
        replace: true,
      });
  });
  const { values } = form;
  const dirty = JSON.stringify(values) !== JSON.stringify(kept);
  const guard = useLeaveGuard(dirty && may);
  const { name: _, ...settings } = values;
  const title = rule ? kept.name : t('campaigns.new_rule');
  return (
    <Page
      title={title}
      documentTitle={title}
      above={<Link to="/campaigns/attempt-rules">{t('shell.menu.attempt_rules')}</Link>}
      width="form"
      actions={
        rule &&
        may && (
          <Button variant="default" color="red" onClick={() => setRemoving(true)}>
            {t('common.delete')}
          </Button>
        )
      }
    >
      <form className="stack" ref={form.ref} onSubmit={(event) => void form.submit(event)}>
        <Panel>
          <div className="stack">
            <TextInput
              label={t('campaigns.rule_name')}
              name="name"
              value={values.name}
              onChange={(event) => form.set('name', event.currentTarget.value)}
              maxLength={120}
              readOnly={!may}
              error={form.error('name')}
            />
            <AttemptFields form={form} readOnly={!may} />
          </div>
        </Panel>
        <AttemptTimeline rule={settings} />
        {rule && <UsedBy campaigns={rule.used_by} text={t('campaigns.rule_carried')} />}
        <FormProblem form={form} />
        {may && (
          <div className="row actions-end">
            <Button type="submit" loading={form.busy} disabled={!dirty || !values.name.trim()}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </form>
      {rule && removing && (
        <ConfirmStep
          confirm={t('common.delete')}
          title={t('campaigns.delete_rule_title', { name: kept.name })}
          onClose={() => setRemoving(false)}
          step={async () => {
            await presets.deleteRule(rule.id);
            guard.release();
            await queryClient.invalidateQueries({ queryKey: ['attempt-rules'] });
            await navigate({ to: '/campaigns/attempt-rules' });
          }}
        >
          {t('campaigns.delete_rule_text')}
        </ConfirmStep>
      )}
      {guard.dialog}
    </Page>
  );
}
