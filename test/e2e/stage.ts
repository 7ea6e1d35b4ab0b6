import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { Person } from '../support/person.js';
import { startSystem, type System, type SystemOptions } from '../support/system.js';
import { startUpstream, type Upstream } from '../support/upstream.js';
import { Desk, launchBrowser, type Signed, type Window } from './browser.js';

/** Somebody at a desk of their own. */
export interface Guest {
  person: Person;
  desk: Desk;
}

/** A running system with a scripted model and a browser, for all tests of a file; no page may complain in any of them. */
export class Stage {
  #parts: { upstream: Upstream; system: System; browser: Browser } | undefined;
  #desks: Desk[] = [];

  /** Call it in a `describe`: it opens before its tests, looks at what the pages said after each, and closes at the end. */
  static set(options: Omit<SystemOptions, 'upstream'> = {}): Stage {
    const stage = new Stage();
    beforeAll(() => stage.#open(options));
    afterEach(async () => {
      expect(await stage.#clear()).toEqual([]);
    });
    afterAll(() => stage.#close());
    return stage;
  }

  get upstream(): Upstream {
    return this.#running.upstream;
  }

  get browser(): Browser {
    return this.#running.browser;
  }

  get system(): System {
    return this.#running.system;
  }

  /** A browser of nobody yet. */
  async newDesk(options?: BrowserContextOptions): Promise<Desk> {
    return this.#keep(await Desk.open(this.#running.browser, this.system.api(), options));
  }

  async deskOf(person: Signed, options?: BrowserContextOptions): Promise<Desk> {
    return this.#keep(await Desk.openFor(person, this.#running.browser, this.system.api(), options));
  }

  /** Somebody new, signed in. */
  async arrive(name: string, options?: BrowserContextOptions): Promise<Guest> {
    const person = await Person.signIn(this.system.api(), name);
    return { person, desk: await this.deskOf(person, options) };
  }

  /** Ada and Noor, in windows on the same conversation of Ada's. */
  async meet(role: 'member' | 'viewer' = 'member') {
    const [ada, noor] = await Promise.all([this.arrive('Ada'), this.arrive('Noor')]);
    const conversationId = await ada.person.converse({ title: 'Backpressure' });
    await this.system.addMember(conversationId, noor.person.user.id, role);
    const [adas, noors] = await Promise.all([ada.desk.room(conversationId), noor.desk.room(conversationId)]);
    return { ada, noor, conversationId, adas, noors };
  }

  /** Ada alone, in a window on a conversation of hers. */
  async sitDown(
    options?: BrowserContextOptions,
  ): Promise<Guest & { window: Window; conversationId: string }> {
    const ada = await this.arrive('Ada', options);
    const conversationId = await ada.person.converse({ title: 'Backpressure' });
    return { ...ada, conversationId, window: await ada.desk.room(conversationId) };
  }

  get #running() {
    if (!this.#parts) throw new Error('the stage is not open');
    return this.#parts;
  }

  async #open(options: Omit<SystemOptions, 'upstream'>): Promise<void> {
    const upstream = await startUpstream();
    const [system, browser] = await Promise.all([startSystem({ ...options, upstream }), launchBrowser()]);
    this.#parts = { upstream, system, browser };
  }

  /** Ends the test's windows. What their pages complained of. */
  async #clear(): Promise<string[]> {
    const desks = this.#desks;
    this.#desks = [];
    await Promise.all(desks.map((desk) => desk.close()));
    return desks.flatMap(({ complaints }) => complaints);
  }

  async #close(): Promise<void> {
    if (!this.#parts) return;
    const { browser, system, upstream } = this.#parts;
    await browser.close();
    await system.stop();
    await upstream.close();
  }

  #keep(desk: Desk): Desk {
    this.#desks.push(desk);
    return desk;
  }
}
