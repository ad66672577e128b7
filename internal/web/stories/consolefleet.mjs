// The console's stories of terminals and stores.
import { ask, check, picture, stage } from './browser.mjs';
import { api, page, press, reads, visit } from './consolehands.mjs';

/** declareAsGrace has a second person, whom the first lets in, declare a terminal lost. */
async function declareAsGrace(name) {
  const signIn = (as) => api('', 'POST', '/sessions', as);
  const admin = await signIn({ name: stage.name, password: stage.password });
  const grace = { name: 'Grace', password: 'a horse and a cart' };
  await api(admin.token, 'POST', '/people', { ...grace, role: 'operations' });
  const { token } = await signIn(grace);
  const { items } = await api(token, 'GET', '/terminals');
  await api(token, 'POST', `/terminals/${items.find((t) => t.name === name).id}/lost`, { reason: 'burnt down' });
}

export const fleet = {
  'a terminal is enrolled, and quarantined': async () => {
    await visit('/terminals');
    await press('Add a terminal');
    await page.getByRole('dialog').getByLabel('Store').selectOption({ index: 0 });
    await page.getByLabel('Name of the lane').fill('lane9');
    await page.getByRole('dialog').getByRole('button', { name: 'Add a terminal' }).click();
    await reads(page.locator('output'), /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/, 'the code');
    await picture(page, 'console-enrolment');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Quarantine: corner lane2' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Quarantine', exact: true }).click();
    await page.getByText('quarantined', { exact: true }).last().waitFor();
  },

  'a terminal is declared lost, which one person cannot confirm': async () => {
    const lost = page.getByRole('dialog');
    const look = () => page.getByRole('button', { name: 'Lost: corner lane1' }).press('Enter');
    await visit('/terminals');
    await look();
    await lost.getByLabel('Why it will not come back').fill('burnt <b>down</b>');
    await lost.getByRole('button', { name: 'Declare lost' }).click();
    await lost.getByText('burnt <b>down</b>').waitFor();
    await lost.getByText('Somebody else must confirm it before it counts.').waitFor();
    await lost.getByText('Costs at most').waitFor();
    check((await lost.getByRole('button', { name: 'Confirm that it is lost' }).count()) === 0, 'the first may confirm');
    await lost.getByRole('button', { name: 'Withdraw' }).click();
    await lost.getByText('withdrawn', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await lost.waitFor({ state: 'hidden' });
  },

  'a second person declares it, and the first confirms': async () => {
    const lost = page.getByRole('dialog');
    await ask('stop a lane');
    await declareAsGrace('lane1');
    await visit('');
    await page.getByText('1 terminal is declared lost and waits for a second person.').waitFor();
    await page.getByRole('link', { name: 'Look at them' }).click();
    await page.getByText('lane2').waitFor({ state: 'detached' });
    await press('declared lost, waits for a second: corner lane1');
    await lost.getByText('Grace', { exact: false }).first().waitFor();
    await lost.getByRole('button', { name: 'Confirm that it is lost' }).click();
    await lost.getByText('lost', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await lost.waitFor({ state: 'hidden' });
  },

  'a cashier is added, and the tills ask for one': async () => {
    await visit('/stores');
    await page.locator('tbody a').nth(1).click();
    await press('Add a cashier');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Ola');
    await dialog.getByLabel('Role', { exact: true }).selectOption('manager');
    await dialog.getByLabel('PIN, 4 to 8 digits').fill('2468');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('cell', { name: 'Manager', exact: true }).waitFor();
    await press('Deactivate: Ola');
    await page.getByRole('cell', { name: 'left', exact: true }).waitFor();
    await page.getByLabel('The till does nothing before').check();
    await page.getByLabel('A void of more needs a manager').fill('12.50');
    await press('Save');
    await page.getByText('The tills of the store hear of it').last().waitFor();
    await page.reload();
    await page.getByLabel('A void of more needs a manager').waitFor();
    check((await page.getByLabel('A void of more needs a manager').inputValue()) === '12.50', 'the rule is not kept');
  },
};
