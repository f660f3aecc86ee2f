// The words of the pages in Russian, loaded when somebody reads it.

import auth from '../../locales/ru/auth.json';
import campaigns from '../../locales/ru/campaigns.json';
import common from '../../locales/ru/common.json';
import demo from '../../locales/ru/demo.json';
import errors from '../../locales/ru/errors.json';
import people from '../../locales/ru/people.json';
import shell from '../../locales/ru/shell.json';
import voice from '../../locales/ru/voice.json';
import why from '../../locales/ru/why.json';

export default { auth, campaigns, common, demo, errors, people, shell, voice, why };
