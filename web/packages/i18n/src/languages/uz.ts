// The words of the pages in Uzbek, loaded when somebody reads it.

import auth from '../../locales/uz/auth.json';
import campaigns from '../../locales/uz/campaigns.json';
import common from '../../locales/uz/common.json';
import demo from '../../locales/uz/demo.json';
import errors from '../../locales/uz/errors.json';
import people from '../../locales/uz/people.json';
import shell from '../../locales/uz/shell.json';
import voice from '../../locales/uz/voice.json';
import why from '../../locales/uz/why.json';

export default { auth, campaigns, common, demo, errors, people, shell, voice, why };
