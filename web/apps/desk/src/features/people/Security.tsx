// One's own password and the places where one is signed in.
import { asProblem, people, type Problem, type Session } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Badge,
  Button,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Page,
  Panel,
  PasswordInput,
  toast,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { FormProblem, useForm } from '../../shared/form';
import { queryClient } from '../../shared/query';
import { sessionsQuery } from './api';
import { NewPassword, shortestPassword } from './NewPassword';
import { ProfileTabs } from './ProfileTabs';
import { browserOf } from './browser';

export function Security() {
  const { t } = useTranslation();
  return (
    <Page title={t('people.profile')} documentTitle={t('shell.menu.security')} width="form">
      <ProfileTabs />
      <Password />
      <Sessions />
    </Page>
  );
}

function Password() {
  const { t } = useTranslation();
  const empty = { current: '', new: '' };
  const form = useForm(
    empty,
    async (values) => {
      await people.changePassword(values);
      form.setValues(empty);
      await queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      toast(t('people.password_changed'));
    },
    (values) => [
      ...(values.current ? [] : [{ field: 'current', words: t('auth.password_missing') }]),
      ...([...values.new].length >= shortestPassword
        ? []
        : [{ field: 'new', words: t('auth.password_short', { count: shortestPassword }) }]),
    ],
  );
  return (
    <form ref={form.ref} onSubmit={(event) => void form.submit(event)} noValidate>
      <Panel title={t('people.change_password')} hint={t('people.password_hint')}>
        <FormProblem form={form} />
        <div className="form-grid">
          <PasswordInput
            label={t('people.current_password')}
            name="current"
            autoComplete="current-password"
            value={form.values.current}
            onChange={(event) => form.set('current', event.currentTarget.value)}
            error={form.error('current')}
            visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password'), tabIndex: 0 }}
          />
          <NewPassword
            label={t('people.new_password')}
            name="new"
            value={form.values.new}
            onChange={(value) => form.set('new', value)}
            error={form.error('new')}
          />
        </div>
        <div className="row actions-end">
          <Button type="submit" loading={form.busy}>
            {t('people.change_password')}
          </Button>
        </div>
      </Panel>
    </form>
  );
}

function Sessions() {
  const { t } = useTranslation();
  const sessions = useQuery(sessionsQuery);
  const [problem, setProblem] = useState<Problem | null>(null);
  const end = async (session: Session) => {
    setProblem(null);
    try {
      await people.endSession(session.id);
      await queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      toast(t('people.session_ended'));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const columns: Column<Session>[] = [
    {
      id: 'where',
      title: t('people.device'),
      cell: (session) => (
        <div>
          <div className="row gap-2">
            {browserOf(session.agent) ?? t('people.unknown_device')}
            {session.current && <Badge tone="accent">{t('people.this_device')}</Badge>}
          </div>
          <div className="muted small">{session.address}</div>
        </div>
      ),
    },
    {
      id: 'seen',
      title: t('people.last_seen'),
      cell: (session) => <span className="nowrap">{fmt.relative(session.used_at)}</span>,
    },
    {
      id: 'since',
      title: t('people.signed_in_at'),
      cell: (session) => <span className="nowrap">{fmt.dateTime(session.created_at)}</span>,
      from: 'sm',
    },
    {
      id: 'end',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      cell: (session) =>
        !session.current && (
          <Button size="xs" variant="default" onClick={() => void end(session)}>
            {t('people.end_session')}
          </Button>
        ),
    },
  ];
  return (
    <Panel title={t('people.sessions')} flush>
      {problem && <FailureBox failure={problem} />}
      {sessions.isError && (
        <FailureBox failure={sessions.error} retry={() => void sessions.refetch()} />
      )}
      <DataTable
        caption={t('people.sessions')}
        columns={columns}
        rows={sessions.data}
        rowKey={(session) => session.id}
        loading={<Loading what={t('common.loading')} rows={2} />}
        empty={<Empty compact title={t('people.no_sessions')} />}
      />
    </Panel>
  );
}
