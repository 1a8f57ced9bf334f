import { describe, expect, it } from "vitest";
import {
  countAttempt,
  countCall,
  countExchange,
  countNotification,
  countRefusedByLimit,
  createMetrics,
  renderMetrics,
  takeSnapshot,
} from "../../src/metrics.ts";

async function ownLines(snapshots: Parameters<typeof renderMetrics>[0]): Promise<string[]> {
  const text = await renderMetrics(snapshots);
  return text.split("\n").filter((line) => line.startsWith("waba_gateway_"));
}

describe("the metrics", () => {
  it("count what is told them, with seconds as their unit", async () => {
    const metrics = createMetrics();
    countCall(metrics, { operation: "sendMessage", status: 200, durationMs: 20 });
    countCall(metrics, {
      operation: "sendMessage",
      status: 429,
      code: "rate_limited",
      durationMs: 1,
    });
    countExchange(metrics, { kind: "answer", durationMs: 50 });
    countExchange(metrics, { kind: "not_sent", durationMs: 5 });
    countRefusedByLimit(metrics, { limit: "number" });
    countNotification(metrics, { newEventCount: 3 });
    countAttempt(metrics, { outcome: "delivered" });
    expect(await ownLines([await takeSnapshot(metrics)])).toEqual(
      expect.arrayContaining([
        'waba_gateway_calls_total{operation="sendMessage",status="200",code=""} 1',
        'waba_gateway_calls_total{operation="sendMessage",status="429",code="rate_limited"} 1',
        'waba_gateway_call_duration_seconds_bucket{le="0.025",operation="sendMessage"} 2',
        'waba_gateway_call_duration_seconds_sum{operation="sendMessage"} 0.021',
        'waba_gateway_upstream_exchanges_total{kind="answer"} 1',
        'waba_gateway_upstream_exchanges_total{kind="not_sent"} 1',
        "waba_gateway_upstream_duration_seconds_count 1",
        'waba_gateway_refused_by_limit_total{limit="number"} 1',
        "waba_gateway_notifications_total 1",
        "waba_gateway_new_events_total 3",
        'waba_gateway_attempts_total{outcome="delivered"} 1',
      ]),
    );
  });

  it("of several processes are one sum", async () => {
    const both = [createMetrics(), createMetrics()];
    for (const metrics of both) {
      countCall(metrics, { operation: "sendMessage", status: 200, durationMs: 20 });
    }
    const lines = await ownLines(await Promise.all(both.map(takeSnapshot)));
    expect(lines).toEqual(
      expect.arrayContaining([
        'waba_gateway_calls_total{operation="sendMessage",status="200",code=""} 2',
        'waba_gateway_call_duration_seconds_count{operation="sendMessage"} 2',
      ]),
    );
  });

  it("tell of the process under the usual names", async () => {
    const text = await renderMetrics([await takeSnapshot(createMetrics())]);
    expect(text).toMatch(/^process_cpu_user_seconds_total /m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  });

  it("have no tenant, number or user among their labels", () => {
    const metrics = createMetrics().registry.getMetricsAsArray();
    const names = (metrics as unknown as { labelNames: string[] }[]).flatMap(
      ({ labelNames }) => labelNames,
    );
    expect(names.filter((name) => /tenant|number|user|client|endpoint/.test(name))).toEqual([]);
  });
});
