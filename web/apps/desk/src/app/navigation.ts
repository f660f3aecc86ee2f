// Every menu that exists: the rail, the command bar and the keys `g` + letter are made from this list.
import type { Permission } from '@switchbell/api';
import {
  AudioLines,
  CalendarClock,
  Building2,
  House,
  ListTodo,
  LockKeyhole,
  Megaphone,
  Mic,
  Phone,
  PhoneOff,
  Repeat,
  ScrollText,
  ShieldCheck,
  Users,
  UsersRound,
  type LucideIcon,
} from 'lucide-react';

export interface Menu {
  id:
    | 'home'
    | 'campaigns'
    | 'lists'
    | 'do_not_call'
    | 'attempt_rules'
    | 'calendars'
    | 'audio'
    | 'lines'
    | 'users'
    | 'roles'
    | 'https'
    | 'account'
    | 'recordings'
    | 'jobs'
    | 'audit';
  group: 'calls' | 'settings';
  to:
    | '/'
    | '/campaigns'
    | '/campaigns/lists'
    | '/campaigns/do-not-call'
    | '/campaigns/attempt-rules'
    | '/settings/calendars'
    | '/settings/audio-library'
    | '/settings/lines'
    | '/settings/users'
    | '/settings/roles'
    | '/settings/https'
    | '/settings/general'
    | '/settings/recordings'
    | '/settings/jobs'
    | '/settings/audit';
  permission: Permission;
  icon: LucideIcon;
  /** Second stroke after `g`. */
  key: string;
}

export const menus: readonly Menu[] = [
  {
    id: 'home',
    group: 'calls',
    to: '/',
    permission: 'campaign.view',
    icon: House,
    key: 'h',
  },
  {
    id: 'campaigns',
    group: 'calls',
    to: '/campaigns',
    permission: 'campaign.view',
    icon: Megaphone,
    key: 'k',
  },
  {
    id: 'lists',
    group: 'calls',
    to: '/campaigns/lists',
    permission: 'list.view',
    icon: UsersRound,
    key: 'i',
  },
  {
    id: 'do_not_call',
    group: 'calls',
    to: '/campaigns/do-not-call',
    permission: 'do_not_call.view',
    icon: PhoneOff,
    key: 'n',
  },
  {
    id: 'attempt_rules',
    group: 'calls',
    to: '/campaigns/attempt-rules',
    permission: 'campaign.view',
    icon: Repeat,
    key: 't',
  },
  {
    id: 'calendars',
    group: 'settings',
    to: '/settings/calendars',
    permission: 'campaign.view',
    icon: CalendarClock,
    key: 'd',
  },
  {
    id: 'audio',
    group: 'settings',
    to: '/settings/audio-library',
    permission: 'audio.view',
    icon: AudioLines,
    key: 'a',
  },
  {
    id: 'lines',
    group: 'settings',
    to: '/settings/lines',
    permission: 'line.view',
    icon: Phone,
    key: 'l',
  },
  {
    id: 'users',
    group: 'settings',
    to: '/settings/users',
    permission: 'user.view',
    icon: Users,
    key: 'u',
  },
  {
    id: 'roles',
    group: 'settings',
    to: '/settings/roles',
    permission: 'user.view',
    icon: ShieldCheck,
    key: 'o',
  },
  {
    id: 'https',
    group: 'settings',
    to: '/settings/https',
    permission: 'account.view',
    icon: LockKeyhole,
    key: 'e',
  },
  {
    id: 'account',
    group: 'settings',
    to: '/settings/general',
    permission: 'account.view',
    icon: Building2,
    key: 's',
  },
  {
    id: 'recordings',
    group: 'settings',
    to: '/settings/recordings',
    permission: 'account.view',
    icon: Mic,
    key: 'r',
  },
  {
    id: 'jobs',
    group: 'settings',
    to: '/settings/jobs',
    permission: 'job.view',
    icon: ListTodo,
    key: 'j',
  },
  {
    id: 'audit',
    group: 'settings',
    to: '/settings/audit',
    permission: 'audit.view',
    icon: ScrollText,
    key: 'w',
  },
];
