// The people of the account: invite by a one-time link, change the role, disable.
import {
  asProblem,
  people,
  type Invite,
  type Problem,
  type RoleName,
  type User,
} from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Badge,
  Button,
  CopyField,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Menu,
  Modal,
  Note,
  Page,
  TextInput,
  toast,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import {
  Ban,
  CircleCheck,
  CircleDashed,
  Ellipsis,
  Link2,
  Plus,
  ShieldCheck,
  UserRound,
} from 'lucide-react';
import { useState } from 'react';

import { useCommands } from '../../shared/commands';
import { ConfirmStep } from '../../shared/ConfirmStep';
import { FormProblem, looksLikeEmail, useForm } from '../../shared/form';
import { initials } from '../../shared/initials';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan, useMe } from '../../shared/session';
import { usersQuery } from './api';
import { RolePicker } from './pickers';
import css from './Users.module.css';

type Dialog =
  | { kind: 'invite' }
  | { kind: 'link'; name: string; invite: Invite }
  | { kind: 'role'; user: User }
  | { kind: 'disable'; user: User };

export function Users() {
  return (
    <Guarded permission="user.view">
      <UserTable />
    </Guarded>
  );
}

function UserTable() {
  const { t } = useTranslation();
  const can = useCan();
  const me = useMe();
  const users = useQuery(usersQuery);
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const manage = can('user.manage');

  useCommands(
    manage
      ? [
          {
            id: 'user.invite',
            title: t('people.invite'),
            group: t('shell.menu.users'),
            icon: Plus,
            keys: ['n'],
            run: () => setDialog({ kind: 'invite' }),
          },
        ]
      : [],
  );

  const attempt = async (work: () => Promise<void>) => {
    setProblem(null);
    try {
      await work();
      await queryClient.invalidateQueries({ queryKey: ['users'] });
    } catch (error) {
      setProblem(asProblem(error));
    }
  };

  const columns: Column<User>[] = [
    {
      id: 'name',
      title: t('people.name'),
      cell: (user) => (
        <div className={css.person}>
          <span className={css.avatar} aria-hidden="true">
            {initials(user.name || user.email)}
          </span>
          <div className={css.names}>
            <span className={css.name}>
              {user.name}
              {user.id === me.user.id && <span className="muted small"> · {t('people.you')}</span>}
            </span>
            <span className="muted small">{user.email}</span>
          </div>
        </div>
      ),
    },
    {
      id: 'role',
      title: t('people.role'),
      cell: (user) => (
        <span className="row gap-2">
          {t(`people.role_names.${user.role}`)}
          {user.owner && <Badge tone="accent">{t('people.owner')}</Badge>}
        </span>
      ),
      from: 'sm',
    },
    { id: 'state', title: t('people.state'), cell: (user) => <UserState user={user} /> },
    {
      id: 'seen',
      title: t('people.last_seen'),
      cell: (user) => (
        <span className="muted nowrap">
          {user.last_seen_at ? fmt.relative(user.last_seen_at) : '—'}
        </span>
      ),
      from: 'md',
    },
  ];
  if (manage)
    columns.push({
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      width: '56px',
      cell: (user) => (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('common.actions_for', { name: user.name })}
            >
              <Ellipsis size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<ShieldCheck size={16} />}
              onClick={() => setDialog({ kind: 'role', user })}
            >
              {t('people.change_role')}
            </Menu.Item>
            {user.state === 'invited' && (
              <Menu.Item
                leftSection={<Link2 size={16} />}
                onClick={() =>
                  void attempt(async () => {
                    const invite = await people.inviteAgain(user.id);
                    setDialog({ kind: 'link', name: user.name, invite });
                  })
                }
              >
                {t('people.new_link')}
              </Menu.Item>
            )}
            {user.state === 'disabled' ? (
              <Menu.Item
                leftSection={<CircleCheck size={16} />}
                onClick={() =>
                  void attempt(async () => {
                    await people.changeUser(user.id, { disabled: false });
                    toast(t('people.enabled', { name: user.name }));
                  })
                }
              >
                {t('people.enable')}
              </Menu.Item>
            ) : (
              <Menu.Item
                color="red"
                leftSection={<Ban size={16} />}
                disabled={user.id === me.user.id}
                onClick={() => setDialog({ kind: 'disable', user })}
              >
                {t('people.disable')}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      ),
    });

  return (
    <Page
      title={t('shell.menu.users')}
      documentTitle={t('shell.menu.users')}
      subtitle={t('people.users_text')}
      width="wide"
      actions={
        manage && (
          <Button leftSection={<Plus size={16} />} onClick={() => setDialog({ kind: 'invite' })}>
            {t('people.invite')}
          </Button>
        )
      }
    >
      {problem && <FailureBox failure={problem} />}
      {users.isError && <FailureBox failure={users.error} retry={() => void users.refetch()} />}
      {!(users.isError && !users.data) && (
        <DataTable
          caption={t('shell.menu.users')}
          columns={columns}
          rows={users.data}
          rowKey={(user) => user.id}
          dim={(user) => user.state === 'disabled'}
          loading={<Loading what={t('people.loading_users')} retry={() => void users.refetch()} />}
          empty={<Empty icon={<UserRound size={22} />} title={t('people.nobody')} />}
        />
      )}
      {dialog?.kind === 'invite' && (
        <InviteDialog
          onClose={() => setDialog(null)}
          onDone={(name, invite) => setDialog({ kind: 'link', name, invite })}
        />
      )}
      {dialog?.kind === 'link' && <LinkDialog {...dialog} onClose={() => setDialog(null)} />}
      {dialog?.kind === 'role' && <RoleDialog user={dialog.user} onClose={() => setDialog(null)} />}
      {dialog?.kind === 'disable' && (
        <DisableDialog user={dialog.user} onClose={() => setDialog(null)} />
      )}
    </Page>
  );
}

function UserState({ user }: { user: User }) {
  const { t } = useTranslation();
  if (user.state === 'active')
    return (
      <Badge plain tone="ok" icon={<CircleCheck size={15} />}>
        {t('people.states.active')}
      </Badge>
    );
  if (user.state === 'invited')
    return (
      <Badge plain tone="info" icon={<CircleDashed size={15} />}>
        {t('people.states.invited')}
      </Badge>
    );
  return (
    <Badge plain tone="neutral" icon={<Ban size={15} />}>
      {t('people.states.disabled')}
    </Badge>
  );
}

function InviteDialog({
  onClose,
  onDone,
}: {
  onClose: () => void;
  onDone: (name: string, invite: Invite) => void;
}) {
  const { t } = useTranslation();
  const form = useForm(
    { name: '', email: '', role: 'supervisor' as RoleName },
    async (values) => {
      const answer = await people.invite({ ...values, email: values.email.trim() });
      await queryClient.invalidateQueries({ queryKey: ['users'] });
      onDone(values.name, answer);
    },
    (values) => [
      ...(values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
      ...(looksLikeEmail(values.email) ? [] : [{ field: 'email', words: t('auth.email_wrong') }]),
    ],
  );
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('people.invite')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <FormProblem form={form} />
        <TextInput
          label={t('people.name')}
          name="name"
          data-autofocus
          value={form.values.name}
          onChange={(event) => form.set('name', event.currentTarget.value)}
          error={form.error('name')}
        />
        <TextInput
          label={t('auth.email')}
          name="email"
          type="email"
          description={t('people.email_help')}
          value={form.values.email}
          onChange={(event) => form.set('email', event.currentTarget.value)}
          error={form.error('email')}
        />
        <RolePicker
          label={t('people.role')}
          name="role"
          description={t(`people.role_texts.${form.values.role}`)}
          value={form.values.role}
          onChange={(role) => form.set('role', role)}
          error={form.error('role')}
        />
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={form.busy}>
            {t('people.make_link')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function LinkDialog({
  name,
  invite,
  onClose,
}: {
  name: string;
  invite: Invite;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      closeOnClickOutside={false}
      title={t('people.link_for', { name })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className="stack">
        <CopyField label={t('people.link')} text={invite.invite_link} />
        <Note tone="warn">{t('people.link_once', { until: fmt.dateTime(invite.expires_at) })}</Note>
        <div className="row actions-end">
          <Button onClick={onClose}>{t('common.done')}</Button>
        </div>
      </div>
    </Modal>
  );
}

function RoleDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useForm({ name: user.name, role: user.role }, async (values) => {
    await people.changeUser(user.id, values);
    await queryClient.invalidateQueries({ queryKey: ['users'] });
    toast(t('people.role_changed', { name: values.name }));
    onClose();
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('people.change_role')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <FormProblem form={form} />
        <TextInput
          label={t('people.name')}
          name="name"
          value={form.values.name}
          onChange={(event) => form.set('name', event.currentTarget.value)}
          error={form.error('name')}
        />
        <RolePicker
          label={t('people.role')}
          name="role"
          description={t(`people.role_texts.${form.values.role}`)}
          value={form.values.role}
          onChange={(role) => form.set('role', role)}
          error={form.error('role')}
        />
        <p className="muted small">{t('people.role_effect')}</p>
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={form.busy}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function DisableDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const step = async () => {
    await people.changeUser(user.id, { disabled: true });
    await queryClient.invalidateQueries({ queryKey: ['users'] });
    toast(t('people.disabled', { name: user.name }));
    onClose();
  };
  return (
    <ConfirmStep
      onClose={onClose}
      title={t('people.disable_title', { name: user.name })}
      confirm={t('people.disable')}
      step={step}
    >
      {t('people.disable_text')}
    </ConfirmStep>
  );
}
