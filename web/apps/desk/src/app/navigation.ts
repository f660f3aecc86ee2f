// Every menu that exists: the rail, the command bar and the keys `g` + letter are made from this list.
import type { Permission } from '@switchbell/api';
import {
  AudioLines,
  Building2,
  Megaphone,
  Phone,
  ShieldCheck,
  Users,
  UsersRound,
  type LucideIcon,
} from 'lucide-react';

export interface Menu {
  id: 'campaigns' | 'lists' | 'audio' | 'lines' | 'users' | 'roles' | 'account';
  group: 'calls' | 'settings';
  to:
    | '/campaigns'
    | '/campaigns/lists'
    | '/settings/audio-library'
    | '/settings/lines'
    | '/settings/users'
    | '/settings/roles'
    | '/settings/general';
  permission: Permission;
  icon: LucideIcon;
  /** Second stroke after `g`. */
  key: string;
}

export const menus: readonly Menu[] = [
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
    id: 'account',
    group: 'settings',
    to: '/settings/general',
    permission: 'account.view',
    icon: Building2,
    key: 's',
  },
];
