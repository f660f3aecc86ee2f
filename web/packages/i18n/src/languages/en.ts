// The words of the pages in English, loaded when somebody reads it.

import auth from '../../locales/en/auth.json';
import campaigns from '../../locales/en/campaigns.json';
import common from '../../locales/en/common.json';
import demo from '../../locales/en/demo.json';
import errors from '../../locales/en/errors.json';
import people from '../../locales/en/people.json';
import shell from '../../locales/en/shell.json';
import voice from '../../locales/en/voice.json';
import why from '../../locales/en/why.json';

export default { auth, campaigns, common, demo, errors, people, shell, voice, why };
