// Where a new account begins: what to do first, ticked by the state of the account itself.
import { asProblem, demo, type FirstStepId, type FirstSteps, type Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Button,
  ConfirmDialog,
  FailureBox,
  Note,
  Page,
  Panel,
  StackedBar,
  toast,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Circle, CircleCheck, FlaskConical } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { useCan, useMe } from '../../shared/session';
import { stepsChanged, stepsQuery } from './api';
import css from './Home.module.css';

export function Home() {
  return (
    <Guarded permission="campaign.view">
      <FirstPage />
    </Guarded>
  );
}

function FirstPage() {
  const { t } = useTranslation();
  const me = useMe();
  const steps = useQuery(stepsQuery);
  return (
    <Page
      title={t('demo.home.title', { name: me.account.name })}
      documentTitle={t('shell.menu.home')}
      subtitle={t('demo.home.text')}
      width="form"
    >
      <Loaded query={steps} what={t('demo.home.loading')}>
        {(known) => <Steps known={known} />}
      </Loaded>
    </Page>
  );
}

/** One wish at a time, and what went wrong with the last one. */
function useWish() {
  const [busy, setBusy] = useState<'load' | 'remove' | 'dismiss' | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const wish = async (
    what: 'load' | 'remove' | 'dismiss',
    run: () => Promise<FirstSteps>,
    words?: string,
  ) => {
    setBusy(what);
    setProblem(null);
    try {
      await stepsChanged(await run(), what !== 'dismiss');
      if (words) toast(words);
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      setBusy(null);
    }
  };
  return { busy, problem, wish };
}

function Steps({ known }: { known: FirstSteps }) {
  const { t } = useTranslation();
  const can = useCan();
  const may = can('account.manage');
  const { busy, problem, wish } = useWish();
  const [removing, setRemoving] = useState(false);
  const load = () =>
    wish(
      'load',
      () =>
        demo.load({
          line: t('demo.names.line'),
          audio: t('demo.names.audio'),
          list: t('demo.names.list'),
          campaign: t('demo.names.campaign'),
          people: t('demo.names.people').split(', '),
        }),
      t('demo.loaded'),
    );
  const remove = async () => {
    if (await wish('remove', () => demo.remove(), t('demo.removed'))) setRemoving(false);
  };
  const dismiss = (dismissed: boolean) => wish('dismiss', () => demo.dismiss(dismissed));
  const shown = known.steps.filter(
    (step) => step.id !== 'remove_demo' || known.demo_loaded || step.done,
  );
  const done = shown.filter((step) => step.done).length;

  const campaign = known.demo_loaded ? known.demo_campaign_id : null;
  const actions: Record<FirstStepId, ReactNode> = {
    load_demo: may && (
      <Button loading={busy === 'load'} onClick={() => void load()}>
        {t('demo.load')}
      </Button>
    ),
    run_demo: campaign && (
      <ButtonLink to="/campaigns/$id" params={{ id: campaign }} variant="default">
        {t('demo.open_campaign')}
      </ButtonLink>
    ),
    listen: campaign && can('recording.listen') && (
      <ButtonLink
        to="/campaigns/$id/$tab"
        params={{ id: campaign, tab: 'calls' }}
        variant="default"
      >
        {t('demo.open_calls')}
      </ButtonLink>
    ),
    connect_line: can('line.manage') && (
      <ButtonLink to="/settings/lines/$id" params={{ id: 'new' }} variant="default">
        {t('demo.connect_line')}
      </ButtonLink>
    ),
    own_campaign: can('campaign.edit') && (
      <ButtonLink to="/campaigns/new" variant="default">
        {t('demo.new_campaign')}
      </ButtonLink>
    ),
    invite: can('user.manage') && (
      <ButtonLink to="/settings/users" variant="default">
        {t('demo.invite')}
      </ButtonLink>
    ),
    remove_demo: may && (
      <Button variant="default" color="red" onClick={() => setRemoving(true)}>
        {t('demo.remove')}
      </Button>
    ),
  };

  return (
    <>
      {problem && !removing && <FailureBox failure={problem} />}
      {known.dismissed ? (
        <Panel title={t('demo.home.away')}>
          <p className="muted">{t('demo.home.away_text')}</p>
          <div className="row">
            {may && (
              <Button
                variant="default"
                loading={busy === 'dismiss'}
                onClick={() => void dismiss(false)}
              >
                {t('demo.home.bring_back')}
              </Button>
            )}
            <ButtonLink to="/campaigns">{t('demo.home.to_campaigns')}</ButtonLink>
          </div>
        </Panel>
      ) : (
        <Panel
          title={t('demo.home.steps')}
          actions={
            may && (
              <Button
                variant="subtle"
                size="xs"
                loading={busy === 'dismiss'}
                onClick={() => void dismiss(true)}
              >
                {t('demo.home.put_away')}
              </Button>
            )
          }
        >
          <Progress done={done} all={shown.length} />
          <ol className={css.steps}>
            {shown.map((step) => (
              <li key={step.id} className={css.step} data-done={step.done || undefined}>
                <span className={css.mark}>
                  {step.done ? (
                    <CircleCheck size={20} role="img" aria-label={t('demo.done')} />
                  ) : (
                    <Circle size={20} role="img" aria-label={t('demo.open')} />
                  )}
                </span>
                <div>
                  <div className={css.name}>{t(`demo.steps.${step.id}`)}</div>
                  <div className="muted small">{t(`demo.steps_text.${step.id}`)}</div>
                </div>
                <div className={css.action}>
                  {(!step.done || (step.id === 'load_demo' && !known.demo_loaded)) &&
                    actions[step.id]}
                </div>
              </li>
            ))}
          </ol>
        </Panel>
      )}
      {known.demo_loaded && (
        <Note icon={<FlaskConical size={18} />} title={t('demo.about')}>
          {t('demo.about_text')}
        </Note>
      )}
      <ConfirmDialog
        opened={removing}
        danger
        onClose={() => setRemoving(false)}
        title={t('demo.remove_title')}
        confirm={t('demo.remove')}
        busy={busy === 'remove'}
        failure={problem}
        onConfirm={() => void remove()}
      >
        {t('demo.remove_text')}
      </ConfirmDialog>
    </>
  );
}

function Progress({ done, all }: { done: number; all: number }) {
  const { t } = useTranslation();
  const words = t('demo.home.progress', { done: fmt.number(done), all: fmt.number(all) });
  return (
    <div className={css.progress}>
      <span className="muted small">{words}</span>
      <StackedBar
        label={words}
        whole={all}
        parts={[{ id: 'done', label: words, value: done, tone: 'ok' }]}
      />
    </div>
  );
}
