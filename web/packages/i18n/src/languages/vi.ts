// The words of the pages in Vietnamese, loaded when somebody reads it.

import auth from '../../locales/vi/auth.json';
import campaigns from '../../locales/vi/campaigns.json';
import common from '../../locales/vi/common.json';
import demo from '../../locales/vi/demo.json';
import errors from '../../locales/vi/errors.json';
import people from '../../locales/vi/people.json';
import shell from '../../locales/vi/shell.json';
import voice from '../../locales/vi/voice.json';
import why from '../../locales/vi/why.json';

export default { auth, campaigns, common, demo, errors, people, shell, voice, why };
