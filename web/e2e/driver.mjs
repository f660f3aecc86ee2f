// Two ways to use a page: with the mouse, and with the keyboard alone.
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const locales = new URL('../packages/i18n/locales/', import.meta.url);

/** The words of one language, by their key. */
export function words(language) {
  const folder = new URL(`${language}/`, locales);
  const areas = Object.fromEntries(
    readdirSync(folder).map((file) => [
      file.replace('.json', ''),
      JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
    ]),
  );
  return (key, params = {}) => {
    const found = key.split('.').reduce((node, part) => node?.[part], areas);
    if (typeof found !== 'string') throw new Error(`${language} has no words for ${key}`);
    return found.replace(/\{\{(\w+)(?:, number)?\}\}/g, (_, name) => String(params[name] ?? `{{${name}}}`));
  };
}

/**
 * Faults that a journey must catch by name: `cargo xtask journeys --plant NAME`. Each runs in every
 * page before its own scripts.
 */
const plants = {
  'nameless-button': () =>
    addEventListener('DOMContentLoaded', () => {
      document.body.prepend(document.createElement('button'));
    }),
  'script-error': () =>
    addEventListener('DOMContentLoaded', () => {
      throw new Error('script-error');
    }),
  'inline-style': () =>
    addEventListener('DOMContentLoaded', () => {
      document.body.insertAdjacentHTML('afterbegin', '<style>p { color: red }</style>');
    }),
  'wide-page': () =>
    addEventListener('DOMContentLoaded', () => {
      document.documentElement.style.width = '200vw';
    }),
};
export const plant = process.env.SWITCHBELL_PLANT_PAGE;
if (plant && !plants[plant]) {
  throw new Error(`no such fault: ${plant}; there is ${Object.keys(plants).join(', ')}`);
}

/** Opens Chromium; the caller closes it. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.SWITCHBELL_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });

/** A person at one browser window. */
export class Person {
  /** `keyboard` leaves the mouse alone; `shots` is the folder for screenshots. */
  static async sit(browser, { language, theme, width, height, zone, keyboard, shots, label }) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      locale: language,
      timezoneId: zone,
      reducedMotion: 'reduce',
      acceptDownloads: true,
    });
    const page = await context.newPage();
    const person = new Person();
    Object.assign(person, { context, page, keyboard, shots, label, t: words(language), faults: [] });
    page.on('console', (message) => {
      if (message.type() === 'error') person.faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => person.faults.push(`page: ${error.message}`));
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && hostname !== '127.0.0.1') {
        person.faults.push(`request to another host: ${request.url()}`);
      }
    });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
      );
    });
    if (plant) await page.addInitScript(plants[plant]);
    mkdirSync(shots, { recursive: true });
    return person;
  }

  /** Moves the focus to `target` by Tab alone. */
  async reach(target) {
    await target.waitFor({ state: 'attached' });
    const has = () => target.evaluate((node) => node === document.activeElement);
    for (let presses = 0; presses < 150; presses += 1) {
      if (await has()) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab never reaches ${target}`);
  }

  /** Presses a button, follows a link, ticks a box. */
  async press(target, key = 'Enter') {
    if (!this.keyboard) return target.click();
    await this.reach(target);
    await this.page.keyboard.press(key);
  }

  /** Turns to a tab: with the keyboard from the chosen one, by arrows. */
  async turn(tab) {
    if (!this.keyboard) return tab.click();
    await this.reach(tab.locator('xpath=ancestor::*[@role="tablist"]//*[@aria-selected="true"]'));
    const has = () => tab.evaluate((node) => node === document.activeElement);
    for (let presses = 0; presses < 10 && !(await has()); presses += 1) {
      await this.page.keyboard.press('ArrowRight');
    }
    if (!(await has())) throw new Error(`arrows never reach ${tab}`);
    return this.page.keyboard.press('Enter');
  }

  /** Takes an entry of the menu that is open: with the keyboard by arrows. */
  async take(entry) {
    if (!this.keyboard) return entry.click();
    await entry.waitFor();
    const has = () => entry.evaluate((node) => node === document.activeElement);
    for (let presses = 0; presses < 20 && !(await has()); presses += 1) {
      await this.page.keyboard.press('ArrowDown');
    }
    if (!(await has())) throw new Error(`arrows never reach ${entry}`);
    return this.page.keyboard.press('Enter');
  }

  /** An entry of the main menu; links with the same words also stand on pages. */
  menu(name) {
    const menu = this.page.getByRole('navigation', { name: this.t('shell.main_menu') });
    return menu.getByRole('link', { name: this.t(`shell.menu.${name}`), exact: true });
  }

  /** Writes into a field. */
  async write(target, text) {
    if (!this.keyboard) return target.fill(text);
    await this.reach(target);
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.type(text);
  }

  /** Gives a file to the button that asks for one. */
  async give(button, file) {
    const chooser = this.page.waitForEvent('filechooser');
    await this.press(button);
    await (await chooser).setFiles(file);
  }

  /** Picks a radio button: with the keyboard it is reached by arrows from its group. */
  async choose(radio) {
    if (!this.keyboard) {
      // The button itself is hidden; its label is what a hand would click.
      const id = await radio.getAttribute('id');
      return this.page.locator(`label[for="${id}"]`).click();
    }
    const group = await radio.evaluate((node) => node.name);
    const current = this.page.locator(`input[type=radio][name="${group}"]:checked`);
    await this.reach((await current.count()) > 0 ? current.first() : radio);
    for (let presses = 0; presses < 12 && !(await radio.isChecked()); presses += 1) {
      await this.page.keyboard.press('ArrowRight');
    }
    if (!(await radio.isChecked())) throw new Error(`arrows never reach ${radio}`);
  }

  /** Picks an option of a select or combobox by its words. */
  async pick(field, option) {
    await this.press(field, 'ArrowDown');
    const entry = this.page.getByRole('option', { name: option });
    await entry.first().waitFor();
    if (!this.keyboard) return entry.first().click();
    for (let presses = 0; presses < 40; presses += 1) {
      const active = await entry
        .first()
        .evaluate(
          (node) => node.hasAttribute('data-combobox-selected') || node === document.activeElement,
        );
      if (active) return this.page.keyboard.press('Enter');
      await this.page.keyboard.press('ArrowDown');
    }
    throw new Error(`arrows never reach the option ${option}`);
  }

  /** Looks at how the page lies on the screen: a screenshot, and whether it fits. */
  async glance(name) {
    await this.page.screenshot({ path: join(this.shots, `${this.label}-${name}.png`) });
    const sideways = await this.page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1,
    );
    if (sideways) this.faults.push(`${name} scrolls sideways`);
  }

  /** Looks at the page as it stands: axe, faults so far, a screenshot. */
  async look(name) {
    const { violations } = await new AxeBuilder({ page: this.page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
      .analyze();
    await this.glance(name);
    for (const { id, nodes } of violations) {
      const places = nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`);
      this.faults.push(`axe on ${name}: ${id}\n    ${places.slice(0, 4).join('\n    ')}`);
    }
    // What is planted is to be caught; the rest of the way proves nothing more.
    if (plant) this.verdict();
  }

  /** Fails with everything that went wrong. */
  verdict() {
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'));
  }
}
