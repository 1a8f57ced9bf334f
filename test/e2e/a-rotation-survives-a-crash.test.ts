import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";
import { call, fetchToken } from "../support/call.ts";
import { BOOTSTRAP, textMessage } from "../support/gateway.ts";
import { buildRotatingTenant, type RotatingTenant } from "../support/rotating-number.ts";
import { startWatchedHub, type WatchedHub } from "../support/watched-hub.ts";

/** The first of two processes rotates a key and is killed on the way; the second one goes on. */
describe("a rotation whose process is killed", () => {
  let together: GatewaysTogether;
  let hub: WatchedHub;
  let tenant: RotatingTenant;
  let other: string;
  let partnerToken: string;

  beforeEach(async () => {
    hub = await startWatchedHub(() => together.simulator.url);
    together = await startGatewaysTogether(2, { env: { D360_HUB_URL: hub.url } });
    tenant = await buildRotatingTenant(together);
    other = together.gateways[1]?.url ?? "";
    partnerToken = await fetchToken(together.url, BOOTSTRAP);
  });
  afterEach(async () => {
    await together.stop();
    await hub.stop();
  });

  const keysMade = () => together.simulator.getChannel(tenant.channelId).keys.length;
  const atOther = (method: string, path: string) =>
    call(other, method, path, { token: partnerToken });
  const killFirst = async (): Promise<false> => {
    await together.gateways[0]?.kill("SIGKILL");
    return false;
  };

  /** Sends through the second process, a message each 50 ms, until it is told to stop. */
  function keepSending() {
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort());
    const statuses: Promise<number>[] = [];
    const sending = (async () => {
      for (let i = 0; !stopping.signal.aborted; i += 1) {
        const body = textMessage(`1555000${1000 + i}`, "meanwhile");
        const answer = call(other, "POST", "/messages", { token: tenant.token, body });
        statuses.push(
          answer.then(
            ({ status }) => status,
            () => 0,
          ),
        );
        await sleep(50);
      }
    })();
    return async (): Promise<number[]> => {
      stopping.abort();
      await sending;
      return Promise.all(statuses);
    };
  }

  async function expectFinished(): Promise<void> {
    const stop = keepSending();
    // Its caller learns of it from the broken connection.
    await expect(tenant.rotate()).rejects.toThrow();
    const rotation = await eventually(async () => {
      const { json } = await atOther("GET", `${tenant.keyPath}/history`);
      return json.data[0].outcome === null ? undefined : json.data[0];
    });
    expect(rotation).toMatchObject({ outcome: "rotated", reason: "manual", attempt_count: 2 });
    await sleep(300);
    const statuses = await stop();
    expect(new Set(statuses)).toEqual(new Set([200]));
    const number = together.simulator.getNumber(tenant.phoneNumberId);
    expect(number.apiKey.endsWith(rotation.key_last4 as string)).toBe(true);
    expect(number.webhook?.url).toContain(together.url);
  }

  it("before 360dialog has heard of it is gone on with by another", async () => {
    hub.onAsked = once(killFirst);
    await expectFinished();
    expect(keysMade()).toBe(1);
  });

  it("after 360dialog has made a key that nobody has, gets another key", async () => {
    hub.onMade = once(killFirst);
    await expectFinished();
    expect(keysMade()).toBe(2);
  });

  it.each([
    ["before its webhook is set", false],
    ["after its webhook is set, but before that is written down", true],
  ])("with the new key in use, %s, has its webhook set", async (_when, afterHandling) => {
    const fault = { kind: "no_answer", path: "/v1/configs/webhook", afterHandling } as const;
    together.simulator.failNext(fault);
    const killed = eventually(async () => {
      const { json } = await atOther("GET", `${tenant.keyPath}/history`);
      return json.data[0]?.made_at != null && together.simulator.listFaults().length === 0;
    }).then(killFirst);
    await expectFinished();
    await killed;
    expect(keysMade()).toBe(1);
  });
});

/** The first time; from then on everything passes. */
function once(first: () => Promise<false>): () => Promise<boolean> {
  let done = false;
  return async () => {
    if (done) {
      return true;
    }
    done = true;
    return first();
  };
}
