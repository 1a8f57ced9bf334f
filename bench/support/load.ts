import { Pool } from "undici";

export type Slice = { requests: number; failed: number; seconds: number; latenciesMs: number[] };

/** A closed loop of POSTs over so many connections, as fast as they are answered. */
export async function runSlice(options: {
  url: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  connections: number;
  requests: number;
}): Promise<Slice> {
  const { url, path, headers, body, connections, requests } = options;
  const pool = new Pool(url, { connections, pipelining: 1 });
  const latenciesMs: number[] = [];
  let left = requests;
  let failed = 0;
  const startedMs = performance.now();

  async function send(): Promise<void> {
    while (left-- > 0) {
      const sentMs = performance.now();
      const answer = await pool.request({ method: "POST", path, headers, body });
      await answer.body.dump();
      failed += answer.statusCode === 200 ? 0 : 1;
      latenciesMs.push(performance.now() - sentMs);
    }
  }
  await Promise.all(Array.from({ length: connections }, send));
  const seconds = (performance.now() - startedMs) / 1000;
  await pool.close();
  return { requests, failed, seconds, latenciesMs };
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
