import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasChromium, openBrowser } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import {
  buildTenant,
  startTestGateway,
  type TestGateway,
  type TestTenant,
} from "../support/gateway.ts";
import { returnTo } from "../support/onboard.ts";
import { type ButtonFacts, startSaasApp } from "./saas-app.ts";
import { putTlsInFront } from "./tls-in-front.ts";

/** Where the button goes; the simulator stands for it. */
const HUB = "hub.360dialog.com";

/** What stands on the page, for a person to read. */
const read = async (page: Page): Promise<{ title: string; text: string }> => ({
  title: await page.getByRole("heading").innerText(),
  text: await page.getByRole("paragraph").innerText(),
});

async function shareByLink(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole("button", { name: "Share" }).click();
  expect((await read(page)).title).toBe("Thank you");
}

describe.skipIf(!hasChromium)("a customer in a browser (needs Chromium)", () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  let hub: Awaited<ReturnType<typeof putTlsInFront>>;
  let browser: Browser;
  let context: BrowserContext;
  const apps: Awaited<ReturnType<typeof startSaasApp>>[] = [];

  beforeAll(async () => {
    gateway = await startTestGateway();
    tenant = await buildTenant(gateway);
    await gateway.partner("POST", "/partner/v1/hub/webhook");
    hub = await putTlsInFront(gateway.simulator.url);
    browser = await openBrowser({ hosts: { [HUB]: hub.place } });
  });
  beforeEach(async () => {
    context = await browser.newContext({ ignoreHTTPSErrors: true });
  });
  afterEach(() => context.close());
  afterAll(async () => {
    await browser.close();
    for (const app of apps) {
      app.close();
    }
    hub.close();
    await gateway.stop();
  });

  const makeLink = async (query = "") =>
    (await tenant.call("POST", `/tenant/v1/onboarding-links${query}`)).json;

  async function openApp(options: { keepsCallback: boolean }): Promise<Page> {
    const app = await startSaasApp({
      ...options,
      askForButton: async () => (await makeLink("?button=true")).button as ButtonFacts,
    });
    apps.push(app);
    const page = await context.newPage();
    await page.goto(`${app.url}/connect`);
    return page;
  }

  async function pressButton(page: Page): Promise<Page> {
    const popup = context.waitForEvent("page");
    await page.getByRole("button", { name: "Connect WhatsApp" }).click();
    return popup;
  }

  /** The channel that the customer has just shared becomes a number that runs. */
  async function expectNumberRuns(): Promise<void> {
    const [channel] = gateway.simulator.listChannels().slice(-1);
    const id = channel?.id ?? "";
    gateway.simulator.changeChannel(id, { status: "ready", running: true, live: true });
    const stage = async () =>
      (await gateway.partner("GET", `/partner/v1/onboardings/${id}`)).json.stage;
    await eventually(async () => expect(await stage()).toBe("live"), { withinMs: 15_000 });
    const path = `/partner/v1/numbers?tenant_id=${tenant.id}`;
    const numbers = (await gateway.partner("GET", path)).json.data;
    expect(numbers).toContainEqual(
      expect.objectContaining({ channel_id: id, state: "running", tenant_id: tenant.id }),
    );
  }

  it("presses 360dialog's button, shares the number, and reads what becomes of it", async () => {
    const popup = await pressButton(await openApp({ keepsCallback: false }));
    await popup.waitForURL(/^https:\/\/hub\.360dialog\.com\/dashboard\/app\//);
    await popup.getByRole("button", { name: "Share" }).click();
    await popup.waitForURL(`${gateway.url}/onboarding/return?**`);
    expect(await read(popup)).toEqual({
      title: "Thank you",
      text: "1 number will be connected as soon as 360dialog has it ready. There is nothing more for you to do. You may close this page.",
    });
    await expectNumberRuns();
  });

  it("is sent on by an app that takes the button's callback itself", async () => {
    const page = await openApp({ keepsCallback: true });
    const popup = await pressButton(page);
    await popup.getByRole("button", { name: "Share" }).click();
    await page.waitForURL(`${gateway.url}/onboarding/return?**`);
    expect((await read(page)).title).toBe("Thank you");
    // The button has closed it.
    await eventually(() => popup.isClosed());
    await expectNumberRuns();
  });

  it("opens a link, and once more when it has done its work", async () => {
    const { url } = await makeLink();
    const page = await context.newPage();
    await shareByLink(page, url);
    await expectNumberRuns();
    await page.reload();
    expect(await read(page)).toEqual({
      title: "This link has been used",
      text: "Each link works once. Nothing was changed now. If a number is still missing, please ask for a new link.",
    });
    await page.goto(url);
    expect((await read(page)).title).toBe("This link has been used");
  });

  it("reads that nothing was connected, whoever forges the state or names another's account", async () => {
    const page = await context.newPage();
    await shareByLink(page, (await makeLink()).url);
    const shared = gateway.simulator.listChannels().at(-1);
    const taken = { client: shared?.client.id ?? "", channels: [shared?.id ?? ""] };
    const thief = await buildTenant(gateway, { name: "Thief" });
    const { json } = await thief.call("POST", "/tenant/v1/onboarding-links?button=true");
    const { state } = json.button as ButtonFacts;
    await page.goto(`${gateway.url}${returnTo({ state: `${state}x`, ...taken })}`);
    expect((await read(page)).title).toBe("This link is not valid");
    await page.goto(`${gateway.url}${returnTo({ state, ...taken })}`);
    expect((await read(page)).title).toBe("These numbers are in use elsewhere");
    expect((await thief.call("GET", "/tenant/v1/numbers")).json.data).toHaveLength(1);
  });

  it("gets a page on which nothing runs and nothing is loaded, also on a small screen", async () => {
    const { url } = await makeLink();
    const page = await context.newPage();
    await page.setViewportSize({ width: 360, height: 640 });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    const errors: string[] = [];
    page.on("console", (message) => errors.push(message.text()));
    await page.goto(`${url}x`);
    expect((await read(page)).title).toBe("This link is not valid");
    expect(requests.filter((each) => !each.endsWith("/favicon.ico"))).toEqual([`${url}x`]);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBeLessThanOrEqual(360);
    // The style is let through by its digest: 1.1 of the 16 pixels that a browser begins with.
    const font = await page.evaluate("getComputedStyle(document.querySelector('p')).fontSize");
    expect(font).toBe("17.6px");
    expect(errors.filter((text) => text.includes("Content Security Policy"))).toEqual([]);
  });
});
