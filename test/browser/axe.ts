import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/**
 * What a page has against the rules of accessibility, each as the rule's name and the elements that break it. The legacy
 * mode is for pages without foreign frames, as Herald's are: without it each run opens a page of its own to join results.
 * To describe what keeps to the rules, one element after the other, would take longer than to check it.
 */
export async function violationsOn(page: Page): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] });
  const { violations } = await builder.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
