// The words of the pages in Ukrainian, loaded when somebody reads it.

import auth from '../../locales/uk/auth.json';
import campaigns from '../../locales/uk/campaigns.json';
import common from '../../locales/uk/common.json';
import demo from '../../locales/uk/demo.json';
import errors from '../../locales/uk/errors.json';
import people from '../../locales/uk/people.json';
import shell from '../../locales/uk/shell.json';
import voice from '../../locales/uk/voice.json';
import why from '../../locales/uk/why.json';

export default { auth, campaigns, common, demo, errors, people, shell, voice, why };
