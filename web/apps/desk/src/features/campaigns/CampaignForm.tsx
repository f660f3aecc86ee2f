// The settings of a campaign: six sections, a summary in plain words, and what is still missing.
import {
  asProblem,
  campaigns,
  idempotencyKey,
  type Campaign,
  type CampaignCheck,
  type CampaignSettings,
  type Problem,
} from '@switchbell/api';
import { browserZone, fmt, useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Note, toast } from '@switchbell/ui';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from 'react';

import { useCommands } from '../../shared/commands';
import { useForm, type Form } from '../../shared/form';
import { useLeaveGuard } from '../../shared/leave';
import { queryClient } from '../../shared/query';
import { useCan, useMe } from '../../shared/session';
import { checkQuery, keepCampaign } from './api';
import { blankSettings, changedFields, settingsOf } from './settings';
import { sectionOf, sections, type Section } from './problems';
import { Attempts, Basics, Contacts, LineSection, OnAnswer, Recording } from './sections';
import { Summary } from './Summary';
import css from './CampaignForm.module.css';

export interface FormHandle {
  /** Saves what is unsaved; false when the server refused. */
  save: () => Promise<boolean>;
}

/** A draft is saved by itself this long after the last key. */
const autosaveAfter = 1_200;

export function CampaignForm({
  campaign,
  ref,
}: {
  campaign: Campaign | null;
  ref?: Ref<FormHandle>;
}) {
  const { t } = useTranslation();
  const me = useMe();
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const [base, setBase] = useState<CampaignSettings>(() =>
    campaign ? settingsOf(campaign) : blankSettings(me.account.time_zone || browserZone()),
  );
  const [version, setVersion] = useState(campaign?.version ?? 0);
  const [savedAt, setSavedAt] = useState<number | null>(null);
  const [check, setCheck] = useState<CampaignCheck | null>(null);
  const [checkProblem, setCheckProblem] = useState<Problem | null>(null);
  const [checking, setChecking] = useState(false);
  const readOnly =
    !may ||
    campaign?.deleted_at != null ||
    ['completed', 'stopped'].includes(campaign?.state ?? '');

  const form = useForm<CampaignSettings>(
    base,
    async (values) => {
      if (!campaign) {
        const made = await campaigns.create(values, idempotencyKey());
        keepCampaign(made);
        guard.release();
        await navigate({
          to: '/campaigns/$id/$tab',
          params: { id: made.id, tab: 'setup' },
          replace: true,
        });
        return;
      }
      const changed = changedFields(base, values);
      if (Object.keys(changed).length === 0) return;
      const saved = await campaigns.change(campaign.id, { ...changed, version });
      setBase(settingsOf(saved));
      setVersion(saved.version);
      setSavedAt(Date.now());
      setCheck(null);
      keepCampaign(saved);
    },
    (values) => (values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
  );
  const { values } = form;
  const unsaved = Object.keys(changedFields(base, values)).length;
  const draft = campaign?.state === 'draft';
  const guard = useLeaveGuard(unsaved > 0 && !readOnly);

  const save = async () => (unsaved === 0 && campaign ? true : form.submit());
  useImperativeHandle(ref, () => ({ save }));

  // Drafts save themselves; nothing that could call anybody changes by that.
  const latestSubmit = useRef(form.submit);
  latestSubmit.current = form.submit;
  const face = JSON.stringify(values);
  useEffect(() => {
    if (!draft || readOnly || unsaved === 0 || !values.name.trim()) return undefined;
    const timer = window.setTimeout(() => void latestSubmit.current(), autosaveAfter);
    return () => window.clearTimeout(timer);
    // A new face is a new wait; the rest belongs to it.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [face, draft, readOnly]);

  const runCheck = async () => {
    if (!campaign || !(await save())) return;
    setChecking(true);
    setCheckProblem(null);
    try {
      setCheck(await campaigns.check(campaign.id));
      queryClient.removeQueries({ queryKey: checkQuery(campaign.id).queryKey });
    } catch (error) {
      setCheckProblem(asProblem(error));
    } finally {
      setChecking(false);
    }
  };
  const toSection = (section: Section) => {
    const target = document.getElementById(`section-${section}`);
    target?.scrollIntoView({ block: 'start' });
    target?.focus({ preventScroll: true });
  };
  const hash = useRouterState({ select: (state) => state.location.hash });
  useEffect(() => {
    const section = sections.find((entry) => hash === `section-${entry}`);
    if (section) toSection(section);
  }, [hash]);

  useCommands([
    ...(readOnly
      ? []
      : [
          {
            id: 'campaign.save',
            title: campaign ? t('common.save') : t('campaigns.create_draft'),
            group: campaign?.name ?? t('campaigns.new'),
            keys: ['mod+s'],
            whileTyping: true,
            run: () => void save().then((done) => done && campaign && toast(t('common.saved'))),
          },
        ]),
    ...(campaign
      ? [
          {
            id: 'campaign.check',
            title: t('campaigns.check'),
            group: campaign.name,
            icon: ListChecks,
            run: () => void runCheck(),
          },
        ]
      : []),
    ...sections.map((section, index) => ({
      id: `section.${section}`,
      title: t(`campaigns.sections.${section}`),
      group: t('campaigns.sections.title'),
      keys: [`alt+${index + 1}`],
      whileTyping: true,
      run: () => toSection(section),
    })),
  ]);

  // Somebody else, or another window, saved meanwhile.
  const elsewhere = campaign !== null && campaign.version > version;
  const adoptTheirs = () => {
    if (!campaign) return;
    setBase(settingsOf(campaign));
    form.setValues(settingsOf(campaign));
    setVersion(campaign.version);
  };
  useEffect(() => {
    if (elsewhere && unsaved === 0) adoptTheirs();
    // Only a newer version matters here.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [elsewhere, unsaved]);

  const trouble = new Set(check?.problems.map((problem) => sectionOf(problem.field)));
  const props = { form, readOnly, campaign };
  return (
    <div className={css.layout}>
      <nav className={css.anchors} aria-label={t('campaigns.sections.title')}>
        <ol>
          {sections.map((section, index) => (
            <li key={section}>
              <a
                href={`#section-${section}`}
                data-state={check ? (trouble.has(section) ? 'wrong' : 'right') : undefined}
                onClick={(event) => {
                  event.preventDefault();
                  toSection(section);
                }}
              >
                <span aria-hidden="true">
                  {check ? (trouble.has(section) ? '!' : '✓') : index + 1}
                </span>
                {t(`campaigns.sections.${section}`)}
                {check && (
                  <span className="hidden-visually">
                    {trouble.has(section)
                      ? t('campaigns.section_wrong')
                      : t('campaigns.section_right')}
                  </span>
                )}
              </a>
            </li>
          ))}
        </ol>
      </nav>
      <form
        ref={form.ref}
        className={css.sections}
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        {elsewhere && unsaved > 0 && (
          <Note
            tone="warn"
            action={
              <Button size="xs" variant="default" onClick={adoptTheirs}>
                {t('campaigns.load_theirs')}
              </Button>
            }
          >
            {t('campaigns.changed_elsewhere')}
          </Note>
        )}
        {campaign?.state === 'running' && !readOnly && (
          <Note tone="info">{t('campaigns.edit_running')}</Note>
        )}
        {readOnly && campaign && may && <Note tone="neutral">{t('campaigns.edit_finished')}</Note>}
        <Basics {...props} />
        <LineSection {...props} />
        <Attempts {...props} />
        <OnAnswer {...props} />
        <Contacts {...props} />
        <Recording {...props} />
        {!readOnly && (
          <SaveBar
            form={form}
            draft={draft}
            isNew={campaign === null}
            unsaved={unsaved}
            savedAt={savedAt}
            discard={() => form.setValues(base)}
          />
        )}
      </form>
      <aside className={css.aside} aria-label={t('campaigns.summary')}>
        <Summary
          values={values}
          campaign={campaign}
          check={check}
          problem={checkProblem}
          checking={checking}
          onCheck={campaign && !campaign.deleted_at ? () => void runCheck() : null}
          onSection={toSection}
        />
      </aside>
      {guard.dialog}
    </div>
  );
}

function SaveBar({
  form,
  draft,
  isNew,
  unsaved,
  savedAt,
  discard,
}: {
  form: Form<CampaignSettings>;
  draft: boolean;
  isNew: boolean;
  unsaved: number;
  savedAt: number | null;
  discard: () => void;
}) {
  const { t } = useTranslation();
  const status = () => {
    if (form.busy) return t('campaigns.saving');
    if (isNew) return t('campaigns.new_hint');
    if (unsaved > 0) return t('campaigns.unsaved', { count: unsaved });
    if (savedAt !== null) return t('campaigns.saved_at', { time: fmt.time(savedAt) });
    return draft ? t('campaigns.draft_hint') : t('campaigns.all_saved');
  };
  const failed = form.problem !== null && form.faults.length === 0;
  return (
    <div className={css.bar}>
      {failed && form.problem && (
        <FailureBox failure={form.problem} title={t('campaigns.not_saved')} />
      )}
      {form.faults.length > 0 && (
        <p className={css.faults} role="alert">
          {t('common.faults', { count: form.faults.length })}
        </p>
      )}
      <div className="spread gap-2">
        <span className="muted small" role="status">
          {status()}
        </span>
        <div className="row">
          {unsaved > 0 && !isNew && !draft && (
            <Button variant="default" onClick={discard}>
              {t('common.discard')}
            </Button>
          )}
          <Button type="submit" loading={form.busy} disabled={!isNew && unsaved === 0}>
            {isNew ? t('campaigns.create_draft') : t('common.save')}
          </Button>
        </div>
      </div>
    </div>
  );
}
