import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContext } from 'playwright-core';
import { INTRANET } from '../as-people.js';
import { Gateway, type ModelTransport } from './gateway.js';
import type { ModelHub } from './model-hub.js';
import { ModelTab } from './model-tab.js';
import { Oracle, type Reading } from './oracle.js';
import type { Reader } from './page.js';
import { PEOPLE } from './people.js';
import { Publications } from './publications.js';
import { choose, type ForSteps, type Programme, type Step, type StepOf, TABS } from './step.js';
import { LETTERS, type Wish, Wishes } from './wishes.js';

/** Where programmes run. */
export interface Stage {
  readonly browser: Browser;
  readonly hub: ModelHub;
  readonly transport: ModelTransport;
}

/** Milliseconds after all troubles within which everybody must be live, and then have everything. */
const PATIENCE = 15_000;

/** Milliseconds between two looks. */
const INTERVAL = 30;

/** Milliseconds between updates that are published beside what happens then. */
const PAUSE = 10;

/** Where tabs can be. */
const PLACES = Array.from({ length: TABS }, (_, place) => place);

/** What troubles lead to. Any other error says that something is wrong with the page or the hub. */
const EXPECTED = /^(unreachable|stalled|busy|not-a-stream|token-failed|refused|sharing-unavailable):/;

let runs = 0;

/** Does what a programme says, and answers with everything that was wrong; with nothing, if all is well. */
export async function run(stage: Stage, programme: Programme): Promise<string[]> {
  await using model = await Model.on(stage, programme);
  for (const step of programme.steps) await model.act(step);
  const wrong = await model.finish();
  return wrong;
}

/** Some tabs of one browser, before a gateway and a hub. */
class Model implements AsyncDisposable {
  /** By their places; absent are those that are not open. */
  private readonly tabs = new Map<number, ModelTab>();
  /** Tabs that are open, and those that were. */
  private readonly everyTab: ModelTab[] = [];
  private readonly publications: Publications;
  private readonly origin: string;
  private isOffline = false;
  private restarting: Promise<void> = Promise.resolve();
  private readonly acts: ForSteps<Promise<void> | void> = {
    publish: (step) => {
      const answered = this.publications.publish({ ...step, pause: step.isAwaited ? 0 : PAUSE });
      return step.isAwaited ? answered : undefined;
    },
    wait: ({ milliseconds }) => delay(milliseconds),
    open: (step) => this.open(step),
    kill: ({ tab, how }) => this.living(tab)?.kill(this.place === 'worker' ? 'is closed' : how),
    show: ({ which }) => this.show(which),
    hide: ({ tab, how }) => this.hide(tab, how),
    subscribe: ({ tab, wish }) => this.shown(tab)?.subscribe(this.wish(wish)),
    stop: ({ tab, which }) => this.shown(tab)?.stop(which),
    become: ({ tab, person }) => this.shown(tab)?.become(readerOf(person)),
    expire: ({ person }) => this.expire(person),
    trouble: ({ trouble }) => this.gateway.make(trouble),
    mend: () => this.gateway.mend(),
    offline: () => this.setOffline(true),
    online: () => this.setOffline(false),
    restart: ({ signal }) => {
      this.restarting = this.hub.restart(signal);
      this.restarting.catch(() => undefined);
    },
  };

  private constructor(
    private readonly wishes: Wishes,
    private readonly context: BrowserContext,
    private readonly gateway: Gateway,
    private readonly hub: ModelHub,
    // Sharing by the worker ends for good when the tab crashes in whose process the browser runs it.
    private readonly place: Programme['place'],
  ) {
    this.origin = gateway.originAt(place === 'worker' ? INTRANET : '127.0.0.1');
    this.publications = new Publications(hub, wishes);
  }

  static async on({ browser, hub, transport }: Stage, { place }: Programme): Promise<Model> {
    const name = `t${(runs += 1)}`;
    const wishes = new Wishes(name);
    const gateway = await Gateway.between(hub, wishes, transport);
    return new Model(wishes, await browser.newContext({ ignoreHTTPSErrors: true }), gateway, hub, place);
  }

  async act(step: Step): Promise<void> {
    await choose(this.acts, step);
  }

  /** All troubles end. Everybody must become live, get what is published then, and have got what there was to get. */
  async finish(): Promise<string[]> {
    this.gateway.mend();
    this.gateway.expireNobody();
    await this.setOffline(false);
    await this.restarting;
    await this.publications.idle();
    for (const tab of this.everyTab) await tab.show();
    await this.until((reading, oracle) => !oracle.isStuck(reading));
    await this.publications.publish({ topics: LETTERS, isPrivate: false, count: 1, pause: 0 });
    for (const letter of LETTERS)
      await this.publications.publish({ topics: [letter], isPrivate: true, count: 1, pause: 0 });
    await this.until((reading, oracle) => oracle.outstanding(reading).length === 0);
    return this.judge();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it may reach into the next one.
    await Promise.allSettled([this.restarting, this.publications.idle()]);
    await this.context.close();
    await this.gateway[Symbol.asyncDispose]();
  }

  private get canLoad(): boolean {
    return this.gateway.isWell && !this.isOffline;
  }

  private get oracle(): Oracle {
    return new Oracle(this.publications.all, this.wishes);
  }

  /** The tab, unless it is not open. */
  private living(place: number): ModelTab | undefined {
    const tab = this.tabs.get(place);
    return tab?.condition === 'gone' ? undefined : tab;
  }

  /** The tab, if its scripts run. */
  private shown(place: number): ModelTab | undefined {
    const tab = this.tabs.get(place);
    return tab?.condition === 'shown' ? tab : undefined;
  }

  private async hide(place: number, how: StepOf<'hide'>['how']): Promise<void> {
    const tab = this.shown(place);
    if (how === 'is frozen') await tab?.freeze();
    else if (this.canLoad) await tab?.leave(this.origin);
  }

  private async show(which: number): Promise<void> {
    const hidden = this.everyTab.filter(({ condition }) => condition === 'frozen' || condition === 'left');
    await hidden[which % hidden.length]?.show();
  }

  private async open({ person, wish }: StepOf<'open'>): Promise<void> {
    const place = PLACES.find((one) => !this.living(one));
    if (place === undefined || !this.canLoad) return;
    // The page's scripts come from the hub.
    await this.restarting;
    const name = `tab ${place}${this.tabs.has(place) ? `, opened as number ${this.everyTab.length + 1}` : ''}`;
    const tab = await ModelTab.open(this.context, this.origin, name, readerOf(person));
    this.tabs.set(place, tab);
    this.everyTab.push(tab);
    await tab.subscribe(this.wish(wish));
  }

  private async setOffline(isOffline: boolean): Promise<void> {
    this.isOffline = isOffline;
    for (const place of this.tabs.keys()) await this.living(place)?.setOffline(isOffline);
  }

  private expire(index: number): void {
    const person = PEOPLE[index];
    if (person) this.gateway.expire(person);
  }

  private wish(index: number): Wish {
    const wish = this.wishes.all[index];
    if (!wish) throw new Error('no such wish');
    return wish;
  }

  /** Looks until it holds for every subscription, or for too long. */
  private async until(holds: (reading: Reading, oracle: Oracle) => boolean): Promise<void> {
    const { oracle } = this;
    const deadline = performance.now() + PATIENCE;
    do {
      await delay(INTERVAL);
      for (const tab of this.everyTab) if (tab.condition === 'shown') await tab.look();
    } while (!this.readings().every((reading) => holds(reading, oracle)) && performance.now() < deadline);
  }

  private readings(): Reading[] {
    return this.everyTab.flatMap((tab) =>
      tab.subscriptions.map(({ number, wish, hasStopped }) => ({
        name: `${tab.name}, subscription ${number} to ${wish.name}`,
        wish,
        subscription: number,
        person: tab.first.person,
        entries: tab.entries,
        isOver: hasStopped || tab.condition !== 'shown',
      })),
    );
  }

  private judge(): string[] {
    const { oracle } = this;
    const wrong = this.readings().flatMap((reading) =>
      oracle.faultsOf(reading).map((fault) => `${reading.name}: ${fault}`),
    );
    for (const { name, uncaught, entries } of this.everyTab) {
      wrong.push(...uncaught.map((error) => `${name}: threw ${error}`));
      const errors = entries.flatMap(({ what, detail = '' }) => (what === 'error' ? [detail] : []));
      wrong.push(...errors.filter((error) => !EXPECTED.test(error)).map((error) => `${name}: told of ${error}`));
    }
    const ends = this.everyTab.map(({ name, entries }) => `${name} ended so: ${describe(entries)}`);
    return wrong.length === 0 ? [] : [...wrong, ...ends];
  }
}

function readerOf(person: number): Reader {
  return { person, hasToken: PEOPLE[person]?.subject !== undefined };
}

/** What the client has last said of itself. */
function describe(entries: ModelTab['entries']): string {
  const said = entries.filter(({ what }) => what === 'client' || what === 'error').slice(-4);
  return said.map(({ detail }) => detail).join('; ');
}
