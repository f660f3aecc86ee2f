// States of campaigns, contacts and attempts: always shape, word and colour.
import type {
  Campaign,
  CampaignBadge as BadgeName,
  CampaignContact,
  Outcome,
} from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Badge, type Tone } from '@switchbell/ui';
import {
  Ban,
  CalendarClock,
  Check,
  CircleAlert,
  CircleCheck,
  CircleDot,
  CircleMinus,
  CirclePause,
  CircleX,
  Clock,
  Diamond,
  FlaskConical,
  Hourglass,
  Pause,
  PhoneCall,
  PhoneMissed,
  PhoneOff,
  Play,
  Square,
  TriangleAlert,
  UserRound,
  Voicemail,
  Zap,
  type LucideIcon,
} from 'lucide-react';

const campaignLooks: Record<BadgeName, [Tone, LucideIcon]> = {
  draft: ['neutral', Diamond],
  scheduled: ['info', CalendarClock],
  running: ['ok', Play],
  waiting_for_window: ['info', Clock],
  paused: ['warn', Pause],
  draining: ['warn', Hourglass],
  completed: ['neutral', Check],
  stopped: ['neutral', Square],
  needs_attention: ['danger', TriangleAlert],
};

export function CampaignBadge({ campaign }: { campaign: Pick<Campaign, 'badge'> }) {
  const { t } = useTranslation();
  const [tone, Icon] = campaignLooks[campaign.badge];
  return (
    <Badge tone={tone} icon={<Icon size={14} />}>
      {t(`campaigns.badges.${campaign.badge}`)}
    </Badge>
  );
}

/** Nobody is really called: the campaign is on the demo carrier. */
export function SimulatedBadge() {
  const { t } = useTranslation();
  return (
    <Badge striped tone="info" icon={<FlaskConical size={14} />}>
      {t('campaigns.simulated')}
    </Badge>
  );
}

export const outcomeLooks: Record<Outcome, [Tone, LucideIcon]> = {
  success: ['ok', CircleCheck],
  short_talk: ['warn', CircleMinus],
  no_answer: ['neutral', PhoneMissed],
  busy: ['warn', CirclePause],
  rejected: ['danger', PhoneOff],
  failed: ['danger', CircleX],
  invalid_number: ['danger', Ban],
  machine: ['info', Voicemail],
  abandoned_no_agent: ['warn', UserRound],
  cancelled: ['neutral', Square],
  interrupted: ['neutral', Zap],
};

/** In the order in which results are listed. */
export const outcomes = Object.keys(outcomeLooks) as Outcome[];

export function OutcomeBadge({ outcome }: { outcome: Outcome | null }) {
  const { t } = useTranslation();
  if (outcome === null)
    return (
      <Badge plain tone="accent" icon={<PhoneCall size={15} />}>
        {t('campaigns.outcome_open')}
      </Badge>
    );
  const [tone, Icon] = outcomeLooks[outcome];
  return (
    <Badge plain tone={tone} icon={<Icon size={15} />}>
      {t(`campaigns.outcomes.${outcome}`)}
    </Badge>
  );
}

export function ContactStateBadge({
  contact,
}: {
  contact: Pick<CampaignContact, 'detail' | 'next_at' | 'attempts'>;
}) {
  const { t } = useTranslation();
  const badge = (tone: Tone, Icon: LucideIcon, words: string) => (
    <Badge plain tone={tone} icon={<Icon size={15} />}>
      {words}
    </Badge>
  );
  switch (contact.detail) {
    case 'callable': {
      const ahead = !!contact.next_at && new Date(contact.next_at).getTime() > Date.now();
      if (!ahead)
        return contact.attempts === 0
          ? badge('neutral', CircleDot, t('campaigns.contact_states.new'))
          : badge('neutral', CircleDot, t('campaigns.contact_states.due'));
      const when = fmt.brief(contact.next_at ?? '');
      return contact.attempts === 0
        ? badge('info', Clock, t('campaigns.contact_states.first_at', { when }))
        : badge('info', Clock, t('campaigns.contact_states.retry_at', { when }));
    }
    case 'in_attempt':
      return badge('accent', PhoneCall, t('campaigns.contact_states.in_attempt'));
    case 'in_work':
      return badge('accent', UserRound, t('campaigns.contact_states.in_work'));
    case 'success':
      return badge('ok', CircleCheck, t('campaigns.contact_states.success'));
    case 'not_success':
      return badge('warn', CircleMinus, t('campaigns.contact_states.not_success'));
    case 'attempted':
      return badge('neutral', PhoneMissed, t('campaigns.contact_states.attempted'));
    case 'invalid_number':
      return badge('danger', CircleAlert, t('campaigns.contact_states.invalid_number'));
    case 'no_number':
      return badge('danger', CircleAlert, t('campaigns.contact_states.no_number'));
    case 'do_not_call':
      return badge('danger', PhoneOff, t('campaigns.contact_states.do_not_call'));
    case 'by_hand':
      return badge('neutral', Ban, t('campaigns.contact_states.by_hand'));
    case 'source':
      return badge('neutral', Ban, t('campaigns.contact_states.source'));
  }
}
