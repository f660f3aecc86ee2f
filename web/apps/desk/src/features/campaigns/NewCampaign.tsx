// A campaign that does not exist yet.
import { useTranslation } from '@switchbell/i18n';
import { Page } from '@switchbell/ui';
import { Link } from '@tanstack/react-router';

import { Guarded } from '../../shared/NoAccess';
import { CampaignForm } from './CampaignForm';

export function NewCampaign() {
  const { t } = useTranslation();
  return (
    <Guarded permission="campaign.edit">
      <Page
        title={t('campaigns.new')}
        documentTitle={t('campaigns.new')}
        above={<Link to="/campaigns">{t('shell.menu.campaigns')}</Link>}
        subtitle={t('campaigns.new_text')}
      >
        <CampaignForm campaign={null} />
      </Page>
    </Guarded>
  );
}
