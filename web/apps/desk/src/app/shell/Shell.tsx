// The frame around every screen: rail, live connection, command bar, help.
import { home, people } from '@switchbell/api';
import { useTranslation, type TFunction } from '@switchbell/i18n';
import { ActionIcon, Tooltip } from '@switchbell/ui';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import {
  Command as CommandIcon,
  Keyboard,
  Menu as MenuIcon,
  PanelLeft,
  UserRound,
  X,
} from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react';

import { useCommands, type Command } from '../../shared/commands';
import { keysOf } from '../../shared/keyboard';
import { live } from '../../shared/live';
import { queryClient } from '../../shared/query';
import { recall, remember, useMe } from '../../shared/session';
import { watchBreaks } from '../after-break';
import { menus, type Menu } from '../navigation';
import { signedOut } from '../signed-out';
import { Connection, LostBar } from './Connection';
import { ProfileMenu } from './ProfileMenu';
import css from './Shell.module.css';

// Needed after a press, or when the session ends.
const CommandBar = lazy(async () => ({ default: (await import('./CommandBar')).CommandBar }));
const Help = lazy(async () => ({ default: (await import('./Help')).Help }));
const SignInAgain = lazy(async () => ({ default: (await import('./SignInAgain')).SignInAgain }));

export function Shell() {
  const { t } = useTranslation();
  const me = useMe();
  const navigate = useNavigate();
  const [small, setSmall] = useState(recall('rail') === 'small');
  const [railOpen, setRailOpen] = useState(false);
  const [bar, setBar] = useState(false);
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const ended = useSyncExternalStore(signedOut.subscribe, signedOut.get);
  const mine = menus.filter((menu) => me.permissions.includes(menu.permission));

  useEffect(() => {
    live.start();
    const unwatch = watchBreaks();
    return () => {
      unwatch();
      live.stop();
    };
  }, []);

  const path = useRouterState({ select: (state) => state.location.pathname });
  const firstPath = useRef(path);
  useEffect(() => {
    setRailOpen(false);
    if (firstPath.current === path) return;
    firstPath.current = path;
    main.current?.scrollTo(0, 0);
  }, [path]);

  const toggleRail = () => {
    remember('rail', small ? 'open' : 'small');
    setSmall(!small);
  };
  const signOut = async () => {
    await people.signOut();
    live.stop();
    queryClient.clear();
    remember('signed', 'no');
    window.location.assign(new URL('sign-in', home));
  };

  useCommands([
    ...mine.map((menu): Command => ({
      id: `go.${menu.id}`,
      title: t(`shell.menu.${menu.id}`),
      group: t('shell.groups.go'),
      icon: menu.icon,
      keys: [`g ${menu.key}`],
      run: () => void navigate({ to: menu.to }),
    })),
    {
      id: 'go.profile',
      title: t('shell.menu.profile'),
      group: t('shell.groups.go'),
      icon: UserRound,
      keys: ['g p'],
      run: () => void navigate({ to: '/me/profile' }),
    },
    ...globalCommands(t, {
      bar: () => setBar(true),
      help: () => setHelp(true),
      rail: toggleRail,
    }),
    {
      id: 'sign-out',
      title: t('shell.sign_out'),
      group: t('shell.groups.page'),
      run: () => void signOut(),
    },
  ]);

  return (
    <div className={css.shell} data-small={small || undefined} data-rail={railOpen || undefined}>
      <a
        className={css.skip}
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t('shell.skip')}
      </a>
      <div className={css.topbar}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={railOpen ? t('shell.close_menu') : t('shell.open_menu')}
          aria-expanded={railOpen}
          onClick={() => setRailOpen(!railOpen)}
        >
          {railOpen ? <X size={20} /> : <MenuIcon size={20} />}
        </ActionIcon>
        <Brand />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t('shell.command_bar')}
          onClick={() => setBar(true)}
        >
          <CommandIcon size={18} />
        </ActionIcon>
      </div>
      {railOpen && (
        <div className={css.veil} onClick={() => setRailOpen(false)} aria-hidden="true" />
      )}
      <aside className={css.rail} data-region tabIndex={-1}>
        <div className={css.railTop}>
          <Brand />
          <Tooltip label={t('shell.toggle_rail')} position="right">
            <ActionIcon
              className={css.collapse}
              variant="subtle"
              color="gray"
              aria-label={t('shell.toggle_rail')}
              aria-expanded={!small}
              onClick={toggleRail}
            >
              <PanelLeft size={16} />
            </ActionIcon>
          </Tooltip>
        </div>
        <button
          type="button"
          className={css.search}
          onClick={() => setBar(true)}
          aria-label={small ? t('shell.command_bar') : undefined}
        >
          <CommandIcon size={15} aria-hidden="true" />
          <span>{t('shell.command_bar')}</span>
          <kbd aria-hidden="true">{keysOf('mod+k')[0]?.join(' ')}</kbd>
        </button>
        <nav aria-label={t('shell.main_menu')} className={css.nav}>
          {(['calls', 'settings'] as const).map((group) => (
            <MenuGroup
              key={group}
              title={t(`shell.menu_group.${group}`)}
              items={mine.filter((menu) => menu.group === group)}
              path={path}
              small={small}
              t={t}
            />
          ))}
        </nav>
        <div className={css.railBottom}>
          <Connection small={small} />
          <Tooltip label={t('shell.shortcuts')} position="right" disabled={!small}>
            <button
              type="button"
              className={css.link}
              onClick={() => setHelp(true)}
              aria-label={small ? t('shell.shortcuts') : undefined}
            >
              <Keyboard size={17} aria-hidden="true" />
              <span>{t('shell.shortcuts')}</span>
            </button>
          </Tooltip>
          <ProfileMenu small={small} signOut={() => void signOut()} />
        </div>
      </aside>
      <div className={css.column}>
        {me.insecure_http && (
          <div className={css.strip} role="note">
            {t('shell.insecure_http')}
          </div>
        )}
        <LostBar />
        <main id="main" ref={main} className={css.main} data-region tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <Suspense fallback={null}>
        {bar && <CommandBar opened onClose={() => setBar(false)} />}
        {help && <Help opened onClose={() => setHelp(false)} />}
        {ended && <SignInAgain />}
      </Suspense>
    </div>
  );
}

function globalCommands(
  t: TFunction,
  open: { bar: () => void; help: () => void; rail: () => void },
): Command[] {
  const group = t('shell.groups.page');
  return [
    {
      id: 'bar',
      title: t('shell.command_bar'),
      group,
      keys: ['mod+k'],
      whileTyping: true,
      hidden: true,
      run: open.bar,
    },
    { id: 'help', title: t('shell.shortcuts'), group, icon: Keyboard, keys: ['?'], run: open.help },
    {
      id: 'rail',
      title: t('shell.toggle_rail'),
      group,
      icon: PanelLeft,
      keys: ['['],
      run: open.rail,
    },
    {
      id: 'search',
      title: t('shell.search_here'),
      group,
      keys: ['/'],
      hidden: true,
      run: () => document.querySelector<HTMLInputElement>('[data-search]')?.focus(),
    },
    {
      id: 'region.next',
      title: t('shell.next_region'),
      group,
      keys: ['F6'],
      whileTyping: true,
      hidden: true,
      run: () => nextRegion(1),
    },
    {
      id: 'region.previous',
      title: t('shell.previous_region'),
      group,
      keys: ['shift+F6'],
      whileTyping: true,
      hidden: true,
      run: () => nextRegion(-1),
    },
  ];
}

function nextRegion(step: number) {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')];
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  regions[(at + step + regions.length) % regions.length]?.focus();
}

function MenuGroup({
  title,
  items,
  path,
  small,
  t,
}: {
  title: string;
  items: Menu[];
  path: string;
  small: boolean;
  t: TFunction;
}) {
  if (items.length === 0) return null;
  return (
    <div className={css.group}>
      <p className={css.groupTitle}>{title}</p>
      <ul className={css.items}>
        {items.map((menu) => {
          const Icon = menu.icon;
          const inside = path === menu.to || path.startsWith(`${menu.to}/`);
          const deeper = items.some(
            (other) =>
              other !== menu && other.to.startsWith(`${menu.to}/`) && path.startsWith(other.to),
          );
          const label = t(`shell.menu.${menu.id}`);
          return (
            <li key={menu.id}>
              <Tooltip label={label} position="right" disabled={!small}>
                <Link
                  to={menu.to}
                  className={css.link}
                  aria-label={small ? label : undefined}
                  aria-current={inside && !deeper ? 'page' : undefined}
                  activeOptions={{ exact: true }}
                >
                  <Icon size={17} aria-hidden="true" />
                  <span>{label}</span>
                </Link>
              </Tooltip>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className={css.brand}>
      <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
        <rect width="32" height="32" rx="8" className={css.mark} />
        <path
          d="M16 6a1.8 1.8 0 0 0-1.8 1.8v.5A6.8 6.8 0 0 0 9.2 15v4.2L7.4 22a.9.9 0 0 0 .8 1.4h15.6a.9.9 0 0 0 .8-1.4l-1.8-2.8V15a6.8 6.8 0 0 0-5-6.6v-.6A1.8 1.8 0 0 0 16 6Zm-2.6 18.8a2.7 2.7 0 0 0 5.2 0Z"
          className={css.bell}
        />
      </svg>
      <span>Switchbell</span>
    </Link>
  );
}
