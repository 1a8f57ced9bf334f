import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countAccepted, rotateUnderLoad } from "../../bench/rotation/under-load.ts";
import { median } from "../../bench/support/statistics.ts";
import type { RecordedRequest } from "../../src/simulator/http/recorded-request.ts";
import { call, fetchToken } from "../support/call.ts";
import { BOOTSTRAP } from "../support/gateway.ts";
import { type GatewaysTogether, startGatewaysTogether } from "../support/gateways-together.ts";
import { buildRotatingTenant, type RotatingTenant } from "../support/rotating-number.ts";
import { startWatchedHub, type WatchedHub } from "../support/watched-hub.ts";

const ROTATIONS = 100;
const SENDS_PER_SECOND = 200;
const ANSWER_TAKES_MS = 60;

describe("a hundred rotations in a row, under 200 sends a second through two processes", () => {
  let together: GatewaysTogether;
  let hub: WatchedHub;
  let tenant: RotatingTenant;
  const accepted: RecordedRequest[] = [];

  beforeAll(async () => {
    // The old key is dead for so long before we have the new one.
    hub = await startWatchedHub(() => together.simulator.url);
    hub.onMade = () => sleep(ANSWER_TAKES_MS, true);
    together = await startGatewaysTogether(2, {
      env: { D360_HUB_URL: hub.url },
      simulator: {
        onRequest(request) {
          if (request.url === "/messages" && request.status === 200) {
            accepted.push(request);
          }
        },
      },
    });
    tenant = await buildRotatingTenant(together);
    const path = `/partner/v1/numbers/${tenant.numberId}`;
    await together.partner("PATCH", path, { throughput: 1000 });
  });
  afterAll(async () => {
    await together.stop();
    await hub.stop();
  });

  it("fail no call and double none, and afterwards the hook still works", async () => {
    const token = await fetchToken(together.url, BOOTSTRAP);
    const urls = together.gateways.map(({ url }) => url);
    const result = await rotateUnderLoad({
      urls,
      token: tenant.token,
      sendsPerSecond: SENDS_PER_SECOND,
      rotations: ROTATIONS,
      async rotate(index) {
        const url = urls[index % urls.length] ?? "";
        const { status, json } = await call(url, "POST", `${tenant.keyPath}/rotate`, { token });
        return status === 200 && json.outcome === "rotated" ? (json.gap_ms as number) : undefined;
      },
    });
    const { messages, doubled } = countAccepted(accepted);
    const { calls, failed, gapsMs, unrotated } = result;
    const failedCount = [...failed.values()].reduce((sum, count) => sum + count, 0);
    process.stdout.write(
      `\nrotations  calls  failed  doubled  gap p50 ms  gap max ms\n${ROTATIONS}  ${calls}  ${failedCount}  ${doubled}  ${median(gapsMs)}  ${Math.max(...gapsMs)}\n`,
    );
    expect(failed).toEqual(new Map());
    expect({ messages, doubled, unrotated }).toEqual({ messages: calls, doubled: 0, unrotated: 0 });
    expect(calls).toBeGreaterThan(ROTATIONS * 3);
    expect(Math.max(...gapsMs)).toBeLessThan(5000);

    const { phoneNumberId } = tenant;
    together.simulator.receiveMessage({ phoneNumberId, from: "15550009999", text: "still here" });
    await expect
      .poll(async () => {
        const events = await tenant.call("GET", "/tenant/v1/events?type=message.received");
        return events.body.includes("still here");
      })
      .toBe(true);
  }, 120_000);
});
